"""Make the lines of a tilted page level and upright, so that they can be found along rows and columns of pixels."""

from __future__ import annotations

import numpy as np

MAX_TILT = 0.27  # the largest slope of a page's lines, 15 degrees
MAX_SHEAR = 0.06  # by which a camera changes the angle between level and upright lines
STEP = 0.004  # between slopes
MAX_SAMPLES = 4_000  # pixels from which the slopes are estimated


class Straightening:
    """Moves each column of a picture up or down, and then each row to the left or right.

    Args:
        shape: That of the picture.
        slopes: Those of the lines that become level and upright; see `find_slopes`.
        margin: The width of an empty margin in pixels.

    Attributes:
        outside: bool (h, w), True where the moved picture has no pixels.
    """

    def __init__(self, shape: tuple[int, ...], slopes: tuple[float, float], margin: int = 0) -> None:
        self.shape = shape
        (height, width), (down, right) = shape, slopes
        lowered = round(down * width)
        rows = np.arange(min(0, -lowered) - margin, height + max(0, -lowered) + margin)[:, None]
        shift = np.rint(right * rows).astype(int)
        columns = np.arange(-shift.max() - margin, width - shift.min() + margin) + shift
        rows = rows + np.rint(down * columns).astype(int)
        self.outside = (rows < 0) | (rows >= height) | (columns < 0) | (columns >= width)
        self._rows, self._columns = rows.clip(0, height - 1), columns.clip(0, width - 1)

    def move(self, pixels: np.ndarray) -> np.ndarray:
        """Return chosen pixels of the picture, bool (h, w), in their new places."""
        return pixels[self._rows, self._columns] & ~self.outside

    def restore(self, moved: np.ndarray) -> np.ndarray:
        """Return moved pixels, bool (h, w), in their old places."""
        pixels = np.zeros(self.shape, bool)
        chosen = moved & ~self.outside
        pixels[self._rows[chosen], self._columns[chosen]] = True
        return pixels


def find_slopes(inked: np.ndarray) -> tuple[float, float]:
    """Return the slopes at which the ink forms the clearest level and upright lines.

    Ink in lines of the right slope is concentrated in few rows, so the sum of the squares of their counts is largest.

    Args:
        inked: bool (h, w).

    Returns:
        Down per pixel to the right, and right per pixel down: opposite numbers for a page that is turned.
    """
    y, x = np.nonzero(inked)
    if len(y) > MAX_SAMPLES:  # chosen at random, because equal steps would fall on one side of a line
        chosen = np.random.default_rng(0).choice(len(y), MAX_SAMPLES, replace=False)
        y, x = y[chosen], x[chosen]
    width = max(1, round(STEP * max(inked.shape)))  # of a bin; whole rows if nothing is tilted
    tilts = _slopes(MAX_TILT)
    level, upright = _concentrations(y, x, tilts, width), _concentrations(x, y, -tilts, width)
    near = tilts[np.argmax(level + upright)] + _slopes(MAX_SHEAR)
    down = float(near[np.argmax(_concentrations(y, x, near, width))])
    right = float(-near[np.argmax(_concentrations(x, y - down * x, -near, width))])
    return down, right


def _slopes(largest: float) -> np.ndarray:
    """Return the slopes from one direction to the other."""
    number = round(largest / STEP)
    return STEP * np.arange(-number, number + 1)


def _concentrations(along: np.ndarray, across: np.ndarray, slopes: np.ndarray, width: int) -> np.ndarray:
    """Return for each slope how much the ink is concentrated in few lines."""
    lines = along - slopes[:, None] * across
    bins = ((lines - lines.min()) / width).astype(int)
    return np.array([(np.bincount(row) ** 2).sum() for row in bins])
