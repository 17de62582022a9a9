"""Find the sheet of paper in a picture that also shows what lies around it."""

from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

DESK = 0.35  # fraction of the brightest paper; large areas that are darker are a desk, not paper in a shadow
MIN_AREA = 0.1  # of the picture
MAX_GROUND = 0.75  # of the sheet's brightness; a lighter one is the same paper
MIN_RECTANGLE = 0.85  # of the smallest rectangle around a sheet; an ellipse, such as a 0, covers 0.79
MIN_SIDES = 3  # of the picture must show the ground only; a shadow covers one or two


def find_rectangle(coarse: np.ndarray) -> np.ndarray | None:
    """Return True inside a light rectangle on a darker ground, bool (h, w), or None if there is none.

    Args:
        coarse: float32 (h, w), the brightness of a picture that was reduced to at most 128 pixels.
    """
    sides = np.array([np.median(side) for side in (coarse[0], coarse[-1], coarse[:, 0], coarse[:, -1])])
    if (sides < MAX_GROUND * coarse.max()).sum() < MIN_SIDES:  # most pictures; no quantile is needed
        return None
    low, high = np.quantile(coarse, [0.05, 0.95])
    if (sides < MAX_GROUND * high).sum() < MIN_SIDES:
        return None
    surface = ndimage.gaussian_filter(coarse, 1)
    found: Any = ndimage.label(surface > (low + high) / 2)
    labels, n = found
    if n == 0:
        return None
    filled: Any = ndimage.binary_fill_holes(labels == np.bincount(labels[labels > 0]).argmax())
    largest: np.ndarray = filled
    touched = sum(edge.any() for edge in (largest[0], largest[-1], largest[:, 0], largest[:, -1]))
    if touched > 4 - MIN_SIDES or largest.mean() < MIN_AREA:
        return None
    corners = _hull(largest)
    if corners is None or largest.sum() < MIN_RECTANGLE * _rectangle_area(corners):
        return None
    return _inside(corners, coarse.shape)


def find_light_area(surface: np.ndarray, paper: np.ndarray) -> np.ndarray | None:
    """Return True in the convex hull of what is not much darker than the paper, or None if nothing large is.

    Args:
        surface: float32 (h, w), the smoothed brightness of a picture that was reduced to at most 128 pixels.
        paper: float32 (h, w), the same without strokes.
    """
    if paper.min() >= DESK * paper.max():  # most pictures; no quantile is needed
        return None
    limit = DESK * float(np.quantile(paper, 0.95))
    if (paper >= limit).all():
        return None
    corners = _hull(surface >= limit)
    return None if corners is None else _inside(corners, surface.shape)


def _hull(chosen: np.ndarray) -> np.ndarray | None:
    """Return the corners of the convex hull of the True pixels, int (n, 2), right and down, or None for a line."""
    points = np.argwhere(chosen)[:, ::-1]
    try:
        return points[ConvexHull(points).vertices]
    except QhullError:
        return None


def _rectangle_area(corners: np.ndarray) -> float:
    """Return the area of the smallest rectangle around a convex polygon; it shares a direction with one side."""
    sides = np.roll(corners, -1, axis=0) - corners
    directions = sides / np.hypot(*sides.T)[:, None]
    across = corners @ directions.T
    along = corners @ np.stack([-directions[:, 1], directions[:, 0]])
    return float(((np.ptp(across, axis=0) + 1) * (np.ptp(along, axis=0) + 1)).min())


def _inside(corners: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return True inside a polygon, two pixels from its edge or more, unless that is the edge of the picture."""
    height, width = shape
    sheet = Image.new("1", (width, height))
    ImageDraw.Draw(sheet).polygon([(int(x), int(y)) for x, y in corners], fill=1)
    return ndimage.binary_erosion(np.asarray(sheet), np.ones((3, 3), bool), iterations=2, border_value=1)
