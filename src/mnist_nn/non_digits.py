"""Images that are not digits, from which the network learns to be unsure.

A network that has only seen digits takes everything for a digit. Outlier exposure (D. Hendrycks, M. Mazeika and
T. Dietterich, arXiv:1812.04606) shows it other images too, with the target 0.1 for every digit. All of them are made
from the training digits or drawn here, so that no other pictures are needed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ._internal.arguments import check_number, check_whole_number
from ._internal.drawing import BOX, MIDDLE, SIDE, ZOOM, crop, draw_strokes, fit
from ._internal.tensorflow import keras
from .data import Split

ops: Any = keras.ops

NON_DIGIT = 10  # the label of a non-digit
STROKES, POINTS = 4, 9  # of a figure, and of a stroke


@dataclass(frozen=True)
class NonDigits:
    """The non-digits that `train` shows beside the digits: their number and their weight.

    Most of them are drawn: two to four lines and arcs between the points of a 3x3 grid. The others are
    made from training digits, which are mirrored or turned, squashed, cut in half, or joined in pairs. Use None
    instead of a NonDigits if the training images are not digits, because a mirrored shirt is still a shirt.

    Args:
        share: The number of non-digits per digit in a batch, above 0, at most 1.
        weight: The loss of a non-digit counts as much as that of so many digits, 0 to 10.
        different: The number of different images, at least 1. Each one is distorted anew each time it is used.

    Raises:
        ValueError: A setting is out of range; the message names it.

    Example:
        >>> from mnist_nn import NonDigits, load_mnist
        >>> NonDigits(different=100).images(load_mnist().train, seed=0).shape
        (100, 28, 28)
    """

    share: float = 0.25
    weight: float = 0.1
    different: int = 4096

    def __post_init__(self) -> None:
        check_number("share", self.share, 0, 1)
        if self.share == 0:
            raise ValueError(f"share must be a number above 0 and at most 1, not {self.share!r}")
        check_number("weight", self.weight, 0, 10)
        check_whole_number("different", self.different, 1, 100_000)

    def images(self, split: Split, seed: int) -> np.ndarray:
        """Return the different non-digits.

        Args:
            split: Training images and labels; some of the non-digits are made from them.
            seed: The same seed gives the same images: a whole number from 0 to 4,294,967,295.

        Returns:
            uint8 (different, 28, 28), 0 for background to 255 for ink.
        """
        random = np.random.default_rng(seed)
        made = []
        for make, fraction, originals in KINDS:
            chosen = np.flatnonzero(np.isin(split.labels, originals))
            count = int(self.different * fraction) if len(chosen) else 0
            made += [make(random, split.images[random.choice(chosen, 2)]) for _ in range(count)]
        figures = draw_figures(random, self.different - len(made))
        return np.concatenate([figures, np.array(made, np.uint8).reshape(-1, SIDE, SIDE)])


def draw_figures(random: np.random.Generator, n: int) -> np.ndarray:
    """Return drawings: two to four lines and arcs between the points of a 3x3 grid.

    Args:
        random: The source of all random choices.
        n: The number of figures, at least 1.

    Returns:
        uint8 (n, 28, 28), scaled and centred as MNIST's digits; none of them is narrow like a 1.
    """
    strokes, used = _strokes(random, 2 * n + 10)
    shown = np.where(used[:, :, None, None], strokes, np.nan)
    low, high = np.nanmin(shown, axis=(1, 2)), np.nanmax(shown, axis=(1, 2))
    width, height = (high - low).T
    kept = np.flatnonzero(width > 0.4 * height)[:n]  # narrower figures look like a 1
    pen = random.integers(6, 15, len(strokes))
    scale = (BOX * ZOOM - pen) / (high - low).max(axis=1)
    # MNIST centres the mass of the ink, which is spread evenly along the strokes.
    ends = np.diff(shown, axis=2)
    length = np.hypot(ends[..., 0], ends[..., 1])[..., None]
    middle = (shown[:, :, 1:] + shown[:, :, :-1]) / 2
    centre = np.nansum(middle * length, axis=(1, 2)) / np.nansum(length, axis=(1, 2))
    places = (strokes - centre[:, None, None]) * scale[:, None, None, None] + (MIDDLE + 0.5) * ZOOM
    return np.stack([draw_strokes(places[i][used[i]], int(pen[i])) for i in kept])


def _strokes(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the points (n, 4, 9, 2) of the strokes of n figures, as x and y, and which of the strokes are used."""
    shape = (n, STROKES)
    start_row, start_column = random.integers(0, 3, (2, *shape))
    other = random.integers(1, 9, shape)
    along, by = random.integers(0, 2, shape), random.integers(1, 3, shape)
    upright = random.random((n, 1)) < 0.25  # a quarter of the figures have only vertical and horizontal lines
    end_row = (start_row + np.where(upright, along * by, other // 3)) % 3
    end_column = (start_column + np.where(upright, (1 - along) * by, other % 3)) % 3
    y, x = np.indices((3, 3)) / 2
    grid = np.stack([x, y], axis=-1) + random.normal(0, 0.1, (n, 3, 3, 2))
    grid[..., 0] *= random.uniform(0.5, 1.2, (n, 1, 1))
    figure = np.arange(n)[:, None]
    start, end = grid[figure, start_row, start_column], grid[figure, end_row, end_column]
    bulge = random.uniform(0.3, 0.9, shape) * random.choice([-1, 1], shape)
    bulge[upright[:, 0]] = 0
    bulge[random.random(shape) < 0.6] = 0
    across = (end - start)[..., ::-1] * [1, -1]
    control = (start + end) / 2 + across * bulge[..., None]  # of a quadratic Bezier curve
    t = np.linspace(0, 1, POINTS)[:, None]
    start, end, control = start[:, :, None], end[:, :, None], control[:, :, None]
    points = (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end
    return points, np.arange(STROKES) < random.integers(2, STROKES + 1, (n, 1))


def _turn(random: np.random.Generator, digits: np.ndarray) -> np.ndarray:
    """Return a digit that is mirrored or turned by 90 degrees."""
    image = digits[0]
    return [np.fliplr(image), np.rot90(image), np.rot90(image, -1), np.rot90(np.fliplr(image))][random.integers(4)]


def _squash(random: np.random.Generator, digits: np.ndarray) -> np.ndarray:
    """Return a digit that is much wider than tall."""
    return fit(digits[0], (BOX, round(BOX * random.uniform(0.4, 0.65))))


def _cut(random: np.random.Generator, digits: np.ndarray) -> np.ndarray:
    """Return the upper or the lower half of a digit, enlarged."""
    image = crop(digits[0])
    middle = max(1, round(len(image) * random.uniform(0.35, 0.65)))
    return fit([image[:middle], image[middle - 1 :]][random.integers(2)])


def _pair(random: np.random.Generator, digits: np.ndarray) -> np.ndarray:
    """Return two digits side by side, reduced to the size of one, with strokes of about the usual width."""
    gap = np.zeros((SIDE, random.integers(7)), np.uint8)
    inked = [image[:, image.any(axis=0)] for image in digits]
    page = np.concatenate([inked[0], gap, inked[1]], axis=1)
    return fit(np.maximum(page, np.roll(page, 1, axis=random.integers(2))))


# The fraction of the non-digits that is made in each way, and from which digits; the others are drawn.
KINDS = [
    (_turn, 2 / 16, [2, 3, 4, 5, 6, 7, 9]),  # a mirrored or turned 0, 1 or 8 may be a digit
    (_squash, 1 / 16, range(10)),
    (_cut, 1 / 16, [0, 2, 3, 5]),  # half of another digit may be a digit: that of a 9 is a 0
    (_pair, 2 / 16, range(10)),
]


class DigitLoss(keras.losses.Loss):
    """Cross-entropy for digits; for non-digits, the weighted divergence from 0.1 for every digit."""

    def __init__(self, weight: float) -> None:
        super().__init__(name="digit_loss")
        self.weight = weight

    def call(self, y_true, y_pred):
        is_digit = y_true < NON_DIGIT
        digit_loss = keras.losses.sparse_categorical_crossentropy(ops.where(is_digit, y_true, 0), y_pred)
        # The cross-entropy with ten equal targets, minus its lowest value, so that 0 is the best loss of all images.
        divergence = -ops.mean(ops.log(ops.maximum(y_pred, 1e-7)), axis=-1) - ops.log(10.0)
        return ops.where(is_digit, digit_loss, self.weight * divergence)


class DigitAccuracy(keras.metrics.SparseCategoricalAccuracy):
    """The accuracy of digits; non-digits are left out."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        is_digit = y_true < NON_DIGIT
        super().update_state(ops.where(is_digit, y_true, 0), y_pred, sample_weight=ops.cast(is_digit, "float32"))
