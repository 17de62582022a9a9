"""MNIST's form: strokes of its thickness in a box of 20x20 pixels, their centre of mass in the middle of 28x28.

MNIST's makers brought their scans to it (Y. LeCun et al., "Gradient-based learning applied to document recognition",
1998); a network reads what it was trained on. Ink is float32 (h, w), 0 to 1.
"""

import numpy as np
from PIL import Image
from scipy import ndimage

from .segmentation import part_with, resized

SIDE, BOX = 28, 20
THIN, THICK = 2.2, 4.4  # pixels; in a 20-pixel box 85 % of MNIST's strokes are between, others are brought to these
HAIR = 1.2  # pixels in that box; parts of a stroke that are thinner, where there are many, are brought to it
FAINT = 0.3  # share of the darkest stroke; fainter ink does not count for the box around a digit


def to_mnist(ink: np.ndarray) -> np.ndarray:
    """Return the strokes as MNIST's makers would have stored them, uint8 (28, 28), ink bright on 0."""
    return _centred(_fitted(_of_usual_thickness(_cropped(ink)), BOX))


def _cropped(ink: np.ndarray) -> np.ndarray:
    return ink[part_with(ink > FAINT)]


def _of_usual_thickness(ink: np.ndarray) -> np.ndarray:
    """Return strokes made thicker if they are thinner than MNIST's, and thinner if they are thicker."""
    fine = _fitted(ink, min(max(*ink.shape, 4 * BOX), 6 * BOX))
    pixel = max(fine.shape) / BOX
    inside = np.pad(fine > 0.45 * fine.max(), 1)
    depth = ndimage.distance_transform_edt(inside)
    thickness = (4 * depth[inside].mean() - 1) / pixel  # the mean depth in a bar of width w is (w + 1) / 4
    middle = inside & (depth >= ndimage.maximum_filter(depth, 3))
    hairy = np.quantile(depth[middle], 0.25) < (HAIR * pixel + 1) / 2
    if THIN <= thickness <= THICK and not hairy:
        return ink
    grow = (min(max(thickness, THIN), THICK) - thickness) / 2 * pixel
    margin = 2 + int(max(grow, HAIR / 2 * pixel))
    inside, middle, depth = (np.pad(part, margin) for part in (inside, middle, depth))
    outwards = ndimage.distance_transform_edt(~inside) - depth
    outwards -= np.maximum(outwards.min() + pixel / 2, grow) if grow < 0 else grow  # never thinner than nothing
    if hairy:  # no stroke thinner than a hair, as the mean of thin and thick ones would leave some
        outwards = np.minimum(outwards, ndimage.distance_transform_edt(~middle) - HAIR / 2 * pixel)
    stroke = np.clip(0.5 - outwards / pixel, 0, 1).astype(np.float32)
    if grow < 0:  # what is left of it keeps its greys
        stroke *= np.pad(fine, margin + 1)
    return _cropped(stroke)


def _fitted(ink: np.ndarray, side: int) -> np.ndarray:
    """Return the strokes scaled, aspect kept, so that the longer side has so many pixels."""
    height, width = (max(1, round(side * length / max(ink.shape))) for length in ink.shape)
    return resized(ink, (height, width), Image.Resampling.BICUBIC).clip(0, 1)


def _centred(ink: np.ndarray) -> np.ndarray:
    """Return 28x28 pixels with the centre of mass of the strokes in the middle (pixel 14, 14, as in MNIST)."""
    pixels = np.zeros((SIDE, SIDE), np.uint8)
    top, left = (
        min(max(round(SIDE / 2 - ink.sum(axis=1 - axis) @ np.arange(n) / ink.sum()), 0), SIDE - n)
        for axis, n in enumerate(ink.shape)
    )
    pixels[top : top + ink.shape[0], left : left + ink.shape[1]] = np.round(ink / ink.max() * 255)
    return pixels
