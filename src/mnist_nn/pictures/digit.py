"""From any picture of a digit, or of rows of them, to the 28x28 pixels the network knows, and to the digits."""

from dataclasses import dataclass

import numpy as np

from .normalization import SIDE, to_mnist
from .segmentation import Marks, ink_of, marks_of, reduced
from ..network import predict_probabilities
from .loading import grey, open_picture

WORKING = 480  # pixels a side; a digit is looked for at this size
SMALLEST = 100  # pixels; if it turns out smaller than that there, it is cut out of the larger picture
HAIR = 0.2  # share of the darkest stroke; a fainter one is left out
# Of the validation digits read with this confidence, 4,822 of 5,000, three are read wrong: less than 0.1 %, with room.
SURE = 0.96
PLACES = [(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0)]  # pixels down and right


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """The digit that a network sees in a picture.

    probabilities: of the ten digits, float32 (10,).
    pixels: what the network was shown, uint8 (28, 28); all 0 if the picture is blank.
    box: where it is in the upright picture that `open_picture` gives: left, top, right, bottom, in pixels.
    clear: whether the picture holds the ink of one digit and not much besides.
    """

    probabilities: np.ndarray
    pixels: np.ndarray
    box: tuple[int, int, int, int]
    clear: bool = True

    @property
    def digit(self) -> int:
        """The most probable digit."""
        return int(self.probabilities.argmax())

    @property
    def confidence(self) -> float:
        """Its probability, 0 to 1."""
        return float(self.probabilities.max())

    @property
    def sure(self) -> bool:
        """Whether to rely on it: clear, and as confident as validation digits are of which at most 0.1 % are wrong."""
        return self.clear and self.confidence >= SURE

    def __repr__(self) -> str:
        return f"Prediction({self.digit}, confidence {self.confidence:.1%}{'' if self.sure else ', not sure'})"


def predict_digit(model, image) -> Prediction:
    """Return the digit in a picture, with its probabilities and the pixels that the network saw.

    A picture without a digit gives a Prediction too, one that is not sure.
    image: whatever `prepare_image` takes.

    Raises ValueError or FileNotFoundError as `prepare_image` does.
    """
    pixels, box, clear = _find_digit(grey(open_picture(image)))
    return Prediction(mean_probabilities(model, pixels[None])[0], pixels, box, clear)


def prepare_image(image) -> np.ndarray:
    """Return the digit in a picture as MNIST's makers would have: uint8 (28, 28), ink bright on 0; all 0 if blank.

    image: a path, the bytes of a file, a Pillow image, or an array: (h, w) grey, (h, w, 3) RGB or (h, w, 4) RGBA,
        uint8 0 to 255 or floats 0 to 1. Dark on light or light on dark, of any size; transparent counts as white.

    Raises FileNotFoundError for a missing file, ValueError for a file that is no picture and arrays of another form.
    """
    return _find_digit(grey(open_picture(image)))[0]


def mean_probabilities(model, pixels: np.ndarray) -> np.ndarray:
    """Return the probabilities, float32 (n, 10), of images (n, 28, 28): the mean over five places a pixel apart.

    That is right as often on MNIST's validation images, and less sure of itself on what is no digit.
    """
    moved = np.concatenate([np.roll(pixels, place, axis=(1, 2)) for place in PLACES])
    mean = predict_probabilities(model, moved).reshape(len(PLACES), len(pixels), 10).mean(axis=0)
    mean[~pixels.any(axis=(1, 2))] = 0.1  # nothing to see
    return mean


def _find_digit(brightness: np.ndarray) -> tuple[np.ndarray, tuple[int, int, int, int], bool]:
    """Return the pixels (28, 28) of the one digit in a picture, its box, and whether it is clear.

    It is looked for at a small size, and if it is small there, cut out at a larger one.
    """
    small, scale = reduced(brightness, WORKING)
    marks = marks_of(ink_of(small), HAIR)
    if not len(marks.boxes):
        return np.zeros((SIDE, SIDE), np.uint8), (0, 0, *brightness.shape[::-1]), False
    numbers = _of_one_digit(marks)
    ink, box = marks.only(numbers)
    clear = bool(marks.mass[numbers].sum() > 0.5 * marks.mass.sum())
    size = max(box[2] - box[0], box[3] - box[1])
    left, top, right, bottom = (round(side / scale) for side in box)
    if scale == 1 or size >= SMALLEST:
        return to_mnist(ink), (left, top, right, bottom), clear
    margin = round(size / scale / 2)
    y, x = max(0, top - margin), max(0, left - margin)
    pixels, (left, top, right, bottom), closer = _find_digit(brightness[y : bottom + margin, x : right + margin])
    return pixels, (left + x, top + y, right + x, bottom + y), clear and closer


def _of_one_digit(marks: Marks) -> list[int]:
    """Return the numbers of the marks that make up the digit: the largest one and what is close to it."""
    if len(marks.boxes) == 1:
        return [0]
    sizes = marks.boxes[:, 2:] - marks.boxes[:, :2]
    ruled = (sizes.min(axis=1) < 0.08 * sizes.max(axis=1)) & (sizes.max(axis=1) > 0.6 * max(marks.ink.shape))
    weight = marks.mass * np.where(marks.at_edge, 0.3, 1) * np.where(ruled, 0.05, 1)
    main = int(weight.argmax())
    # A shadow, or the edge of the paper, comes in from outside.
    possible = (marks.mass >= 0.01 * marks.mass[main]) & ~ruled & (~marks.at_edge | marks.at_edge[main])
    part = np.arange(len(weight)) == main
    for _ in range(3):  # what is near may have something near it
        top_left, bottom_right = marks.boxes[part, :2].min(axis=0), marks.boxes[part, 2:].max(axis=0)
        apart = np.maximum(marks.boxes[:, :2] - bottom_right, top_left - marks.boxes[:, 2:]).max(axis=1)
        part |= possible & (apart <= 0.3 * (bottom_right - top_left).max())
    return np.flatnonzero(part).tolist()
