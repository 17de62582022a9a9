"""Separate ink from paper, and the ink into connected marks.

Contrast is how much darker a pixel is than the paper around it, float32 (h, w); see `find_contrast`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import ndimage

from .page import estimate_noise

MIN_CONTRAST = 0.06  # fainter pixels are never ink, however little noise there is
LOW_NOISE, HIGH_NOISE = 5, 9  # standard deviations: every pixel of a mark, and at least one of them
CONNECTING_INK = 0.2  # fraction of a mark's strongest pixel; fainter ink does not connect strokes

EIGHT_NEIGHBORS = np.ones((3, 3), bool)

Box = tuple[int, int, int, int]  # left, top, right, bottom


@dataclass(frozen=True, eq=False)
class Marks:
    """Connected marks of ink.

    Args:
        ink: float32 (h, w), the contrast, at least 0.
        labels: int (h, w), 0 for paper, else the number of the mark, counted from 1.
        boxes: int (n, 4), top, left, bottom and right of each mark.
        mass: float (n,), the sum of the ink of each mark.
        strength: float32 (n,), the strongest ink of each mark.
    """

    ink: np.ndarray
    labels: np.ndarray
    boxes: np.ndarray
    mass: np.ndarray
    strength: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """The longer side of each mark's box, int (n,)."""
        return (self.boxes[:, 2:] - self.boxes[:, :2]).max(axis=1, initial=0)

    @cached_property
    def leave_picture(self) -> np.ndarray:
        """True for marks that touch opposite edges of the picture, or one edge over half of their length, bool (n,)."""
        edges = (self.labels[0], self.labels[-1], self.labels[:, 0], self.labels[:, -1])
        top, bottom, left, right = (np.bincount(edge, minlength=len(self.boxes) + 1)[1:] for edge in edges)
        longest = np.max([top, bottom, left, right], axis=0)
        return (top * bottom > 0) | (left * right > 0) | (longest > 0.5 * self.sizes)

    def cut_out(self, chosen: Sequence[int]) -> tuple[np.ndarray, Box]:
        """Return the ink of some marks without their neighbours, and their common box.

        The marks are counted from 0. The ink is scaled so that their darkest strokes are 1.
        """
        chosen = list(chosen)
        is_chosen = np.zeros(len(self.boxes) + 1, bool)
        is_chosen[np.asarray(chosen) + 1] = True
        top, left = self.boxes[chosen, :2].min(axis=0)
        bottom, right = self.boxes[chosen, 2:].max(axis=0)
        margin = margin_around(int(max(bottom - top, right - left)))
        part = np.s_[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin]
        ink, labels = self.ink[part], self.labels[part]
        own = is_chosen.take(labels)  # faster than is_chosen[labels]
        ink = (ink / np.quantile(ink[own], 0.95)).clip(0, 1)
        soft_edge = ndimage.maximum_filter(own, 3) & (labels == 0)
        ink[~(own | soft_edge)] = 0
        return ink, (int(left), int(top), int(right), int(bottom))


def margin_around(size: int) -> int:
    """Return how many pixels of paper are cut out around marks of this size."""
    return 2 + size // 32


def find_marks(contrast: np.ndarray) -> Marks:
    """Return the connected marks of ink in a picture; none if it is blank.

    Hysteresis keeps faint strokes connected and rejects noise: all pixels of a mark are above a low threshold, and at
    least one is above a high one.

    Args:
        contrast: What `find_contrast` returns, float32 (h, w).

    Returns:
        The marks, numbered from the top of the picture.
    """
    noise = estimate_noise(contrast)
    labels, n = label_marks(contrast > np.maximum(LOW_NOISE * noise, MIN_CONTRAST))
    strong = contrast > np.maximum(HIGH_NOISE * noise, 2 * MIN_CONTRAST)
    has_strong_pixel = np.bincount(labels[strong], minlength=n + 1) > 0
    has_strong_pixel[0] = False
    limit = np.where(has_strong_pixel, CONNECTING_INK * _maximum(contrast, labels, n), np.inf)
    return measure_marks(contrast, contrast > limit.take(labels))  # faster than limit[labels]


def label_marks(inked: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the numbers of the connected areas of True pixels, int (h, w), and how many there are."""
    part, labels = bounding_slices(inked), np.zeros(inked.shape, np.int32)
    found: Any = ndimage.label(inked[part], EIGHT_NEIGHBORS)
    labels[part], n = found
    return labels, n


def each_mark(labels: np.ndarray) -> Iterator[tuple[tuple[slice, slice], np.ndarray]]:
    """Yield the rows and columns of each mark, and its pixels there, bool; `label_marks` returns the labels."""
    for number, place in enumerate(ndimage.find_objects(labels), 1):
        yield place, labels[place] == number


def measure_marks(contrast: np.ndarray, inked: np.ndarray) -> Marks:
    """Return the marks that consist of the True pixels of `inked`, bool (h, w)."""
    labels, n = label_marks(inked)
    ink = np.maximum(contrast, 0)
    part = bounding_slices(inked)  # the rest of a large picture need not be searched
    found = ndimage.find_objects(labels[part])
    boxes = np.array([(y.start, x.start, y.stop, x.stop) for y, x in found], int).reshape(n, 4)
    boxes += [part[0].start, part[1].start] * 2
    mass = np.bincount(labels[inked], ink[inked], n + 1)[1:]
    return Marks(ink, labels, boxes, mass, _maximum(ink, labels, n)[1:])


def _maximum(values: np.ndarray, labels: np.ndarray, n: int) -> np.ndarray:
    """Return the largest value in each of n areas, float32 (n + 1,); the first is for label 0 and stays 0."""
    largest, inside = np.zeros(n + 1, np.float32), labels > 0
    np.maximum.at(largest, labels[inside], values[inside])
    return largest


def bounding_slices(chosen: np.ndarray) -> tuple[slice, ...]:
    """Return the rows and columns that hold all chosen pixels, bool (h, w).

    If no pixel is chosen, they are the first row and column.
    """
    found = (np.flatnonzero(chosen.any(axis=axis)) for axis in (1, 0))
    return tuple(slice(int(f[0]), int(f[-1]) + 1) if len(f) else slice(0, 1) for f in found)
