"""Normalise a digit as MNIST does: usual stroke width, scaled into 20x20 pixels, centred by mass in 28x28.

This is how MNIST's authors prepared their scans (Y. LeCun et al., "Gradient-based learning applied to document
recognition", 1998), and a network classifies best what looks like its training images. Ink is float32 (h, w), 0 to 1.
"""

from collections.abc import Callable
from typing import cast

import numpy as np
from PIL import Image
from scipy import ndimage

from .page import resize
from .segmentation import bounding_slices

# The distance of every True pixel from the nearest False one, float64 (h, w).
distance_transform: Callable[[np.ndarray], np.ndarray] = cast(
    Callable[[np.ndarray], np.ndarray], ndimage.distance_transform_edt
)

SIDE_PX, BOX_PX = 28, 20
MIN_STROKE_PX, MAX_STROKE_PX = 2.2, 4.4  # in the 20-pixel box; 85 % of MNIST's strokes are in this range
HAIRLINE_PX = 1.2  # in the 20-pixel box; thinner parts of a stroke are thickened to this width
VISIBLE_INK = 0.3  # fraction of the darkest stroke; fainter ink is ignored when the box is found


def normalize(ink: np.ndarray) -> np.ndarray:
    """Return a digit in MNIST's format, uint8 (28, 28), bright ink on 0."""
    return _center(_fit(_adjust_stroke_width(_crop(ink)), BOX_PX))


def aspect_ratio(ink: np.ndarray) -> float:
    """Return the width of the strokes divided by their height."""
    height, width = _crop(ink).shape
    return width / height


def stretch(ink: np.ndarray, factor: float) -> np.ndarray:
    """Return the strokes with their width multiplied by a factor."""
    ink = _crop(ink)
    return resize(ink, (ink.shape[0], max(1, round(ink.shape[1] * factor))))


def _crop(ink: np.ndarray) -> np.ndarray:
    return ink[bounding_slices(ink > VISIBLE_INK)]


def _adjust_stroke_width(ink: np.ndarray) -> np.ndarray:
    """Thicken strokes that are thinner than MNIST's, and thin those that are thicker."""
    fine = _fit(ink, min(max(*ink.shape, 4 * BOX_PX), 6 * BOX_PX))
    pixel = max(fine.shape) / BOX_PX  # one pixel of the 20-pixel box
    inside = np.pad(fine > 0.45 * fine.max(), 1)
    depth = distance_transform(inside)
    width = (4 * depth[inside].mean() - 1) / pixel  # the mean depth in a bar of width w is (w + 1) / 4
    middle = inside & (depth >= ndimage.maximum_filter(depth, 3))
    has_hairlines = np.quantile(depth[middle], 0.25) < (HAIRLINE_PX * pixel + 1) / 2
    if MIN_STROKE_PX <= width <= MAX_STROKE_PX and not has_hairlines:
        return ink
    growth = (min(max(width, MIN_STROKE_PX), MAX_STROKE_PX) - width) / 2 * pixel
    margin = 2 + int(max(growth, HAIRLINE_PX / 2 * pixel))
    inside, middle, depth = (np.pad(part, margin) for part in (inside, middle, depth))
    outside = distance_transform(~inside) - depth  # distance from the outline, negative inside
    # Keep at least one pixel of the stroke.
    outside -= np.maximum(outside.min() + pixel / 2, growth) if growth < 0 else growth
    if has_hairlines:  # thicken hairlines separately: the mean width hides them
        outside = np.minimum(outside, distance_transform(~middle) - HAIRLINE_PX / 2 * pixel)
    stroke = np.clip(0.5 - outside / pixel, 0, 1).astype(np.float32)
    if growth < 0:  # keep the grey values of what is left
        stroke *= np.pad(fine, margin + 1)
    return _crop(stroke)


def _fit(ink: np.ndarray, side: int) -> np.ndarray:
    """Scale the strokes so that the longer side has `side` pixels; keep the aspect ratio."""
    height, width = (max(1, round(side * length / max(ink.shape))) for length in ink.shape)
    return resize(ink, (height, width), Image.Resampling.BICUBIC).clip(0, 1)


def _center(ink: np.ndarray) -> np.ndarray:
    """Place the strokes in 28x28 pixels with their centre of mass at pixel (14, 14), as in MNIST."""
    pixels = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    top, left = (
        min(max(round(SIDE_PX / 2 - ink.sum(axis=1 - axis) @ np.arange(n) / ink.sum()), 0), SIDE_PX - n)
        for axis, n in enumerate(ink.shape)
    )
    pixels[top : top + ink.shape[0], left : left + ink.shape[1]] = np.round(ink / ink.max() * 255)
    return pixels
