"""Separate ink from paper, and the ink into connected marks.

Brightness and ink are float32 (h, w). Ink is the contrast with the surrounding paper (or board), 0 to 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage

MIN_CONTRAST = 0.1  # with the paper; fainter marks are not ink
COARSE_SIDE_PX = 64  # the paper is estimated at this size
MAX_STROKE = 0.45  # fraction of the shorter side; wider dark areas are shadows, not strokes


def find_ink(brightness: np.ndarray) -> np.ndarray:
    """Return the ink in a picture of dark strokes on light paper or the reverse, without uneven light and noise.

    Args:
        brightness: float32 (h, w), 0 black to 1 white.

    Returns:
        The contrast with the surrounding paper, float32 (h, w), 0 to 1.
    """
    coarse, scale = reduce(brightness, COARSE_SIDE_PX)
    if not _is_dark_on_light(coarse):
        brightness, coarse = 1 - brightness, 1 - coarse
    paper = _estimate_paper(coarse, smooth=scale < 1)
    if scale < 1:
        paper = paper - np.median(paper - coarse)  # closing brightens noisy paper: correct for it
        paper = resize(paper, brightness.shape) if paper.ndim else paper
    # A shadow dims paper and ink by the same factor, so divide.
    ink = np.maximum(paper - brightness, 0) / np.maximum(paper, MIN_CONTRAST)
    if max(brightness.shape) > 150:
        part = bounding_slices(ink > 0, margin=2)  # everything else is 0 and stays 0
        ink[part] = ndimage.gaussian_filter(ink[part], 0.7, truncate=2)
    return ink


def _is_dark_on_light(coarse: np.ndarray) -> bool:
    """Compare the edge with the rest if the edge is even, else look at the skewness of the local contrast.

    An even edge is paper. On an uneven one strokes are still few and stand out, so they skew the contrast.
    """
    low, middle, high = _edge_quantiles(coarse)
    darkest, lightest = coarse.min(), coarse.max()
    if high - low < 0.1 * (lightest - darkest):
        return bool(middle >= (darkest + lightest) / 2)
    contrast = coarse - ndimage.gaussian_filter(coarse, 0.1 * max(coarse.shape))
    return bool((contrast**3).mean() <= 0)


def _edge_quantiles(coarse: np.ndarray) -> np.ndarray:
    """Return the 10 %, 50 % and 90 % quantiles of the brightness along the edge of the picture."""
    return np.quantile(np.concatenate([coarse[0], coarse[-1], coarse[:, 0], coarse[:, -1]]), [0.1, 0.5, 0.9])


def _estimate_paper(coarse: np.ndarray, smooth: bool) -> np.ndarray:
    """Return the brightness of the paper under dark ink: a map, or a single number (0-d) if the light is even."""
    surface = ndimage.gaussian_filter(coarse, 1) if smooth else coarse
    side = max(3, round(max(MAX_STROKE * min(coarse.shape), 0.2 * max(coarse.shape))))
    paper = ndimage.grey_closing(surface, size=(side, side), mode="nearest")  # replaces strokes by their surroundings
    low, middle, high = _edge_quantiles(paper)
    if high - low < 0.25 * (paper.max() - coarse.min()):
        return np.asarray(middle, np.float32)  # even light: even the widest blot is ink
    return paper


@dataclass(frozen=True, eq=False)
class Marks:
    """Connected marks of ink.

    Args:
        ink: float32 (h, w).
        labels: int (h, w), 0 for paper, else the number of the mark, counted from 1.
        boxes: int (n, 4), top, left, bottom and right of each mark.
        mass: float (n,), the sum of the ink of each mark.
    """

    ink: np.ndarray
    labels: np.ndarray
    boxes: np.ndarray
    mass: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """The height and width of each mark, int (n, 2)."""
        return self.boxes[:, 2:] - self.boxes[:, :2]

    @property
    def at_edge(self) -> np.ndarray:
        """True for marks that touch the edge of the picture, bool (n,)."""
        return (self.boxes[:, :2] == 0).any(axis=1) | (self.boxes[:, 2:] == self.ink.shape).any(axis=1)

    def cut_out(self, chosen: Sequence[int]) -> tuple[np.ndarray, tuple[int, int, int, int]]:
        """Return the ink of some marks without their neighbours, and their common box (left, top, right, bottom).

        The marks are counted from 0. The ink is scaled so that their darkest strokes are 1.
        """
        chosen = list(chosen)
        is_chosen = np.zeros(len(self.boxes) + 1, bool)
        is_chosen[np.asarray(chosen) + 1] = True
        top, left = self.boxes[chosen, :2].min(axis=0)
        bottom, right = self.boxes[chosen, 2:].max(axis=0)
        margin = 2 + max(bottom - top, right - left) // 32
        part = np.s_[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin]
        ink, labels = self.ink[part], self.labels[part]
        own = is_chosen.take(labels)  # faster than is_chosen[labels]
        ink = (ink / np.quantile(ink[own], 0.95)).clip(0, 1)
        others = (labels > 0) & ~own
        if others.any():
            ink[ndimage.binary_dilation(others, iterations=2) & ~own] = 0
        return ink, (int(left), int(top), int(right), int(bottom))


def find_marks(ink: np.ndarray, min_ink: float) -> Marks:
    """Return the connected marks in the ink of a picture; none if it is blank.

    Args:
        ink: What `find_ink` returns, float32 (h, w).
        min_ink: A fraction of the darkest ink. Fainter ink does not belong to a mark.

    Returns:
        The marks, numbered from the top of the picture.
    """
    # Estimate the noise from the paper: for Gaussian noise the 65th percentile lies 0.385 sigma above the mean, and
    # ink is cut off at the mean. If most of the paper has no noise at all, the estimate is 0.
    sample = ink[::2, ::2]
    noise = np.quantile(sample, 0.65) / 0.385 if np.count_nonzero(sample) > 0.34 * sample.size else 0.0
    peak = ink.max()
    threshold = max(min_ink * peak, min(4 * noise, 0.5 * peak)) if peak >= MIN_CONTRAST else np.inf
    marked = ink > threshold
    part, labels = bounding_slices(marked), np.zeros(ink.shape, np.int32)
    found: Any = ndimage.label(marked[part], np.ones((3, 3)))
    labels[part], n = found
    boxes = [(y.start, x.start, y.stop, x.stop) for y, x in ndimage.find_objects(labels[part])]
    boxes = np.array(boxes, int).reshape(n, 4) + [axis.start or 0 for axis in part] * 2
    mass = np.bincount(labels[part][marked[part]], ink[part][marked[part]], n + 1)[1:]
    return Marks(ink, labels, boxes, mass)


def bounding_slices(chosen: np.ndarray, margin: int = 0) -> tuple[slice, ...]:
    """Return the rows and columns that hold all chosen pixels, bool (h, w), with a margin.

    If no pixel is chosen, they are the first row and column.
    """
    found = (np.flatnonzero(chosen.any(axis=axis)) for axis in (1, 0))
    return tuple(slice(max(0, f[0] - margin), f[-1] + 1 + margin) if len(f) else slice(1) for f in found)


def resize(
    values: np.ndarray, shape: tuple[int, ...], method: Image.Resampling = Image.Resampling.BILINEAR
) -> np.ndarray:
    """Return float32 (h, w) resized to another shape."""
    size = shape[1], shape[0]
    return np.asarray(Image.fromarray(values.astype(np.float32, copy=False)).resize(size, method))


def reduce(values: np.ndarray, side: int) -> tuple[np.ndarray, float]:
    """Reduce float32 (h, w) so that the longer side has at most `side` pixels; also return the scale, at most 1."""
    if max(values.shape) <= side:
        return values, 1.0
    scale = side / max(values.shape)
    height, width = (max(1, round(length * scale)) for length in values.shape)
    return resize(values, (height, width), Image.Resampling.BOX), scale
