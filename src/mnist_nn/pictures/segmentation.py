"""Separate ink from paper, and the ink into connected marks.

Brightness and contrast are float32 (h, w). Contrast is how much darker a pixel is than the paper around it, as a
fraction of the paper's brightness: about 0 on paper and up to 1 on black ink. Light ink on a dark board is handled by
inverting the brightness first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage

from .sheet import find_light_area, find_rectangle

COARSE_SIDE_PX = 128  # the paper is estimated at this size
MAX_STROKE = 0.35  # fraction of the longer side; wider dark areas are shadows or a desk, not strokes
MIN_CONTRAST = 0.06  # fainter pixels are never ink, however little noise there is
NOISE_TILE_PX = 64  # the noise is estimated in tiles of this size
LOW_NOISE, HIGH_NOISE = 5, 9  # standard deviations: every pixel of a mark, and at least one of them
CONNECTING_INK = 0.2  # fraction of a mark's strongest pixel; fainter ink usually does not connect strokes

EVEN = 0.1  # of the picture's contrast; an edge that varies more shows ink, a desk or uneven light

EIGHT_NEIGHBORS = np.ones((3, 3), bool)

Box = tuple[int, int, int, int]  # left, top, right, bottom


@dataclass(frozen=True, eq=False)
class Page:
    """A picture of dark strokes on light paper, and what can be seen at a small size.

    Args:
        brightness: float32 (h, w), 0 black to 1 white.
    """

    brightness: np.ndarray

    @cached_property
    def coarse(self) -> np.ndarray:
        """The brightness, reduced to at most 128 pixels."""
        return reduce(self.brightness, COARSE_SIDE_PX)[0]

    @cached_property
    def sheet(self) -> np.ndarray | None:
        """True inside a light rectangle on a darker ground, bool and as large as `coarse`, or None."""
        return find_rectangle(self.coarse)

    @cached_property
    def contrast(self) -> np.ndarray:
        """What `find_contrast` returns, float32 (h, w)."""
        return find_contrast(self)

    @cached_property
    def all_marks(self) -> Marks:
        """The marks, also along the edge of the picture, and with all lines."""
        return find_marks(find_contrast(self, white_outside=True))


def find_contrast(page: Page, white_outside: bool = False) -> np.ndarray:
    """Return the contrast of a picture of dark strokes on light paper, without uneven light.

    Args:
        page: The picture.
        white_outside: True if ink may touch the edge of the picture, as in a tight crop: the paper is assumed to
            continue outside. False if dark areas at the edge are shadows or a desk: they are assumed to continue.

    Returns:
        float32 (h, w), about 0 on paper (noise makes it positive or negative) and at most 1; 0 outside the sheet of
        paper, if the picture shows its edges and `white_outside` is False.
    """
    brightness, coarse = page.brightness, page.coarse
    is_reduced = coarse.shape != brightness.shape
    surface = ndimage.gaussian_filter(coarse, 1) if is_reduced else coarse
    side = max(3, round(MAX_STROKE * max(coarse.shape)))
    margin = side // 2 + 1
    outside: dict[str, Any] = {"mode": "edge"}
    if white_outside:
        outside = {"mode": "constant", "constant_values": float(np.quantile(surface, 0.95))}
    paper = np.pad(surface, margin, **outside)
    paper = ndimage.grey_closing(paper, (side, side), mode="nearest")  # fills strokes with paper
    paper = paper[margin:-margin, margin:-margin]
    sheet = None
    if not white_outside:
        sheet = find_light_area(surface, paper) if page.sheet is None else page.sheet
    if is_reduced:
        paper = paper - max(0.0, float(np.median(paper - coarse)))  # closing brightens noisy paper: correct for it
        paper = resize(paper, brightness.shape)
    # A shadow dims paper and ink by the same factor, so divide.
    contrast = (paper - brightness) / np.maximum(paper, 0.1)
    if sheet is not None:
        contrast[resize(sheet, contrast.shape) < 0.5] = 0
    return ndimage.gaussian_filter(contrast, 0.7, truncate=2) if is_reduced else contrast


def estimate_noise(contrast: np.ndarray) -> np.ndarray:
    """Return the standard deviation of the noise around each pixel.

    Dark parts of a photo are noisier than light ones, so each tile has its own estimate. The lower quartile of the
    absolute deviations ignores the edges of strokes; for Gaussian noise it is 0.319 standard deviations.

    Args:
        contrast: What `find_contrast` returns, float32 (h, w).

    Returns:
        float32 (h, w).
    """
    height, width = contrast.shape
    mean = ndimage.uniform_filter1d(ndimage.uniform_filter1d(contrast, 7, axis=0)[::2], 7, axis=1)[:, ::2]
    deviation = np.abs(contrast[::2, ::2] - mean)  # every second pixel is enough
    tile = NOISE_TILE_PX // 2
    down, right = deviation.shape[0] // tile, deviation.shape[1] // tile
    if min(down, right) < 2:
        return np.full_like(contrast, np.quantile(deviation, 0.25) / 0.319)
    tiles = deviation[: down * tile, : right * tile].reshape(down, tile, right, tile).swapaxes(1, 2)
    quartiles = np.quantile(tiles.reshape(down, right, -1), 0.25, axis=2) / 0.319
    return resize(ndimage.median_filter(quartiles, 3, mode="nearest"), (height, width))


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

    @property
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


def find_marks(contrast: np.ndarray, connecting: float = CONNECTING_INK) -> Marks:
    """Return the connected marks of ink in a picture; none if it is blank.

    Hysteresis keeps faint strokes connected and rejects noise: all pixels of a mark are above a low threshold, and at
    least one is above a high one.

    Args:
        contrast: What `find_contrast` returns, float32 (h, w).
        connecting: Fainter ink, as a fraction of a mark's strongest pixel, does not connect strokes.

    Returns:
        The marks, numbered from the top of the picture.
    """
    noise = estimate_noise(contrast)
    labels, n = label_marks(contrast > np.maximum(LOW_NOISE * noise, MIN_CONTRAST))
    strong = contrast > np.maximum(HIGH_NOISE * noise, 2 * MIN_CONTRAST)
    has_strong_pixel = np.bincount(labels[strong], minlength=n + 1) > 0
    has_strong_pixel[0] = False
    limit = np.where(has_strong_pixel, connecting * _maximum(contrast, labels, n), np.inf)
    return measure_marks(contrast, contrast > limit.take(labels))  # faster than limit[labels]


def label_marks(inked: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the numbers of the connected areas of True pixels, int (h, w), and how many there are."""
    part, labels = bounding_slices(inked), np.zeros(inked.shape, np.int32)
    found: Any = ndimage.label(inked[part], EIGHT_NEIGHBORS)
    labels[part], n = found
    return labels, n


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


def edge_pixels(values: np.ndarray, depth: int) -> np.ndarray:
    """Return the outermost rows and columns of float32 (h, w), so many on each side, as one array."""
    parts = (np.s_[:depth], np.s_[-depth:])
    return np.concatenate([side[part].ravel() for side in (values, values.T) for part in parts])


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
