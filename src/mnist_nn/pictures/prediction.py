"""What the network answers about the ink of one digit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from ..model import ModelLike, check_model, predict_probabilities
from .normalization import aspect_ratio, normalize, stretch

# Of the validation digits with at least this confidence (4,768 of 5,000) two are misclassified: less than 0.1 %. With a
# threshold of 0.92 it would be three of 4,853, but more letters by other people would be taken for digits.
SURE_CONFIDENCE = 0.971
SHIFTS_PX = [(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0)]  # down and right
NARROW, WIDEN = 0.35, 1.5  # nearly all of MNIST's digits below this width / height are 1s, so others are read as 1 too
UNSURE, NARROWED = 0.7, 0.7  # a picture that was resized to a square shows wider digits than MNIST's

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """The predicted digit in a picture.

    Args:
        probabilities: float32 (10,), the probabilities of the ten digits.
        pixels: uint8 (28, 28), what the network was given; all 0 if the picture is blank.
        box: Left, top, right and bottom of the digit, in pixels of the picture that `open_picture` returns.
        clear: False if `predict_digit` found more in the picture than this digit, or `read_digits` a large mark in the
            line that it could not read.
        line: The number of the line that the digit stands in, counted from 0.

    Example:
        >>> import numpy as np
        >>> from mnist_nn import Prediction
        >>> Prediction(np.eye(10, dtype=np.float32)[7], np.zeros((28, 28), np.uint8), (0, 0, 28, 28))
        Prediction(7, confidence 100.0 %)
    """

    probabilities: np.ndarray
    pixels: np.ndarray
    box: tuple[int, int, int, int]
    clear: bool = True
    line: int = 0

    @property
    def digit(self) -> int:
        """The most probable digit."""
        return int(self.probabilities.argmax())

    @property
    def confidence(self) -> float:
        """The probability of the digit, 0 to 1."""
        return float(self.probabilities.max())

    @property
    def sure(self) -> bool:
        """True if the picture is clear and the confidence is at least 0.971.

        At most 0.1 % of the validation digits with this confidence are misclassified by the pretrained weights.
        """
        return self.clear and self.confidence >= SURE_CONFIDENCE

    def __repr__(self) -> str:
        return f"Prediction({self.digit}, confidence {100 * self.confidence:.1f} %{'' if self.sure else ', not sure'})"


def model_first(function: Function) -> Function:
    """Let a function check its first argument, the model, before Python checks whether there are others.

    Without this, `predict_digit("5.png")` would say that the image is missing, although the model is.

    Args:
        function: Its first parameter is a Keras model or a Network.

    Returns:
        The function with this check; it raises a ValueError if the first argument is no model.
    """

    @wraps(function)
    def checked(model: ModelLike, *arguments: Any, **settings: Any) -> Any:
        if isinstance(model, str | Path) and Path(model).suffix != ".h5":
            raise ValueError(
                f"model must be a Keras model or a Network, not {str(model)!r}; it comes before the picture: "
                f"type {function.__name__}(load_network(), ...)"
            )
        return function(check_model(model), *arguments, **settings)

    return cast(Function, checked)


def mean_probabilities(model: ModelLike, pixels: np.ndarray) -> np.ndarray:
    """Return the probabilities, float32 (n, 10), averaged over five views of each image, shifted by one pixel.

    The accuracy on MNIST's validation images is the same as without, and non-digits get a lower confidence.
    """
    shifted = np.concatenate([np.roll(pixels, shift, axis=(1, 2)) for shift in SHIFTS_PX])
    mean = predict_probabilities(model, shifted).reshape(len(SHIFTS_PX), len(pixels), 10).mean(axis=0)
    mean[~pixels.any(axis=(1, 2))] = 0.1  # blank image: uniform probabilities
    return mean


def classify(model: ModelLike, inks: Sequence[np.ndarray], tight: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Prepare the ink of digits for the network, and predict them.

    A narrow digit is also classified widened: if both answers agree, the probabilities are averaged, else the widened
    one counts. In a tight crop, which may have been resized to a square, a digit of which the model is unsure is also
    classified narrowed, and the surer answer counts.

    Args:
        model: A Keras model or a Network.
        inks: The ink of n digits, float32 (h, w) each.
        tight: True if the picture may have been cropped tightly.

    Returns:
        The pixels, uint8 (n, 28, 28), and the probabilities, float32 (n, 10).
    """
    pixels = np.stack([normalize(ink) for ink in inks])
    probabilities = mean_probabilities(model, pixels)
    ratios = [aspect_ratio(ink) for ink in inks]
    narrow = [i for i, ratio in enumerate(ratios) if ratio < NARROW]
    wide = [i for i, p in enumerate(probabilities) if tight and ratios[i] >= NARROW and p.max() < UNSURE]
    if not narrow + wide:
        return pixels, probabilities
    views = [stretch(inks[i], WIDEN) for i in narrow] + [stretch(inks[i], NARROWED) for i in wide]
    other_pixels = np.stack([normalize(view) for view in views])
    others = mean_probabilities(model, other_pixels)
    for i, other in zip(narrow, others, strict=False):
        agree = other.argmax() == probabilities[i].argmax()
        probabilities[i] = (probabilities[i] + other) / 2 if agree else other
    for i, view, other in zip(wide, other_pixels[len(narrow) :], others[len(narrow) :], strict=True):
        if other.max() > probabilities[i].max():
            pixels[i], probabilities[i] = view, other
    return pixels, probabilities
