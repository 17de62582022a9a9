"""A picture of dark strokes on light paper: the contrast between them, and its noise.

Brightness and contrast are float32 (h, w). Contrast is how much darker a pixel is than the paper around it, as a
fraction of the paper's brightness: about 0 on paper and up to 1 on black ink. Light ink on a dark board is handled by
inverting the brightness first.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage

from .sheet import Sheet, edge_pixels, find_light_area, find_sheet

COARSE_SIDE_PX = 128  # the paper is estimated at this size
MAX_STROKE = 0.35  # fraction of the longer side; wider dark areas are shadows or a desk, not strokes
NOISE_TILE_PX = 64  # the noise is estimated in tiles of this size
EVEN = 0.1  # of the picture's contrast; an edge that varies more shows ink, a desk or uneven light
TINY_SIDE_PX, SMALL_SIDE_PX, ENLARGED = 16, 64, 4  # tiny pictures and small crops are enlarged by this factor


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
    def sheet(self) -> Sheet | None:
        """The sheet of paper on another ground, or None."""
        sheet = find_sheet(self.coarse)
        return sheet and sheet.scale(max(self.brightness.shape) / max(self.coarse.shape))

    @cached_property
    def contrast(self) -> np.ndarray:
        """What `find_contrast` returns, float32 (h, w)."""
        return find_contrast(self)


def find_contrast(page: Page, white_outside: bool = False) -> np.ndarray:
    """Return the contrast of a picture of dark strokes on light paper, without uneven light.

    Args:
        page: The picture.
        white_outside: True if ink may touch the edge of the picture, as in a tight crop: the paper is assumed to
            continue outside. False if dark areas at the edge are shadows or a desk: they are assumed to continue.

    Returns:
        float32 (h, w), about 0 on paper (noise makes it positive or negative) and at most 1; 0 on a much darker desk,
        unless `white_outside` is True.
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
    light = None if white_outside else find_light_area(surface, paper)
    if is_reduced:
        paper = paper - max(0.0, float(np.median(paper - coarse)))  # closing brightens noisy paper: correct for it
        paper = resize(paper, brightness.shape)
    # A shadow dims paper and ink by the same factor, so divide.
    contrast = (paper - brightness) / np.maximum(paper, 0.1)
    if light is not None:
        contrast[resize(light, contrast.shape) < 0.5] = 0
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


def enlarge_small_crop(brightness: np.ndarray, side: int) -> tuple[np.ndarray, int]:
    """Enlarge a small picture with ink along its edge, because strokes without paper around them seem to be noise.

    Args:
        brightness: float32 (h, w), 0 black to 1 white.
        side: The side that must be below 64 pixels, or below 16 if there is no ink along the edge.

    Returns:
        float32 (h, w), and the factor by which it is larger: 4, or 1 if it is the same.
    """
    if side >= SMALL_SIDE_PX:
        return brightness, 1
    is_tight = np.ptp(edge_pixels(brightness, 1)) > EVEN * np.ptp(brightness)
    if side >= TINY_SIDE_PX and not is_tight:
        return brightness, 1
    size = brightness.shape[0] * ENLARGED, brightness.shape[1] * ENLARGED
    return resize(brightness, size, Image.Resampling.BICUBIC).clip(0, 1), ENLARGED
