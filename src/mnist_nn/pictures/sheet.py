"""Find the sheet of paper in a picture that also shows what lies around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

DESK = 0.35  # fraction of the brightest paper; large areas that are darker are a desk, not paper in a shadow
MIN_AREA = 0.1  # of the picture
MIN_STEP = 0.1  # of the brightness, from the sheet to what lies around it; a smaller one is uneven light
MIN_FILLED = 0.85  # of the four-sided area between the corners; the light may not fall on all of a sheet
MIN_PAPER = 0.5  # of a sheet; ink covers less than the rest
MIN_FOUR_SIDED = 0.9  # of the convex hull; an ellipse, such as a 0, has 0.64
MAX_TOUCHED = 1  # sides of the picture that a sheet touches; light beside a shadow touches two or three
EDGE_PX = 2  # margin that is cut off, at the small size, because it mixes paper and ground


@dataclass(frozen=True, eq=False)
class Sheet:
    """Where a sheet of paper lies in a picture.

    Args:
        corners: float (4, 2), right and down in pixels: the sheet's top left, top right, bottom right, bottom left.
    """

    corners: np.ndarray

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the sheet in pixels."""
        top, right, bottom, left = np.linalg.norm(np.roll(self.corners, -1, axis=0) - self.corners, axis=1)
        return max(1, round((top + bottom) / 2)), max(1, round((left + right) / 2))

    def flatten(self, brightness: np.ndarray) -> np.ndarray:
        """Return the sheet as an upright rectangle, float32 (h, w)."""
        quad = self.corners[[0, 3, 2, 1]].ravel().tolist()
        image = Image.fromarray(brightness.astype(np.float32, copy=False))
        return np.asarray(image.transform(self.size, Image.Transform.QUAD, quad, Image.Resampling.BILINEAR))

    def locate(self, box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        """Return the box in the picture around a box on the flattened sheet: left, top, right, bottom in pixels."""
        left, top, right, bottom = box
        corners = self._locate_points([[left, top], [right, top], [right, bottom], [left, bottom]])
        left, top, right, bottom = (round(side) for side in (*corners.min(axis=0), *corners.max(axis=0)))
        return left, top, right, bottom

    def shrink(self, pixels: float) -> Sheet:
        """Return the sheet without a margin of so many pixels."""
        width, height = self.size
        x, y = min(pixels, width / 4), min(pixels, height / 4)
        return Sheet(self._locate_points([[x, y], [width - x, y], [width - x, height - y], [x, height - y]]))

    def scale(self, factor: float) -> Sheet:
        """Return the sheet in a picture that is larger by a factor."""
        return Sheet(self.corners * factor)

    def _locate_points(self, points: list[list[float]]) -> np.ndarray:
        """Return where points of the flattened sheet lie in the picture, float (n, 2)."""
        right, down = (np.array(points) / self.size).T[:, :, None]
        top_left, top_right, bottom_right, bottom_left = self.corners
        above, below = top_left + right * (top_right - top_left), bottom_left + right * (bottom_right - bottom_left)
        return above + down * (below - above)


def find_sheet(coarse: np.ndarray) -> Sheet | None:
    """Return the sheet of paper on a darker or lighter ground, without its edge, or None if there is none.

    Args:
        coarse: float32 (h, w), the brightness of a picture that was reduced to at most 128 pixels.
    """
    ground = np.median(edge_pixels(coarse, 1))
    differs = np.abs(coarse - ground) > MIN_STEP * coarse.max()
    if differs.mean() < MIN_AREA:  # most pictures
        return None
    paper, surface = np.median(coarse[differs]), ndimage.gaussian_filter(coarse, 1)
    found: Any = ndimage.label((surface > (ground + paper) / 2) == (paper > ground))
    labels, n = found
    if n == 0:
        return None
    area = labels == np.bincount(labels[labels > 0]).argmax()
    touched = sum(edge.any() for edge in (area[0], area[-1], area[:, 0], area[:, -1]))
    corners = None if touched > MAX_TOUCHED else _find_corners(area)
    if corners is None:
        return None
    sheet = Sheet(corners)
    return sheet.shrink(EDGE_PX) if _has_sharp_edges(surface, sheet) else None


def edge_pixels(values: np.ndarray, depth: int) -> np.ndarray:
    """Return the outermost rows and columns of float32 (h, w), so many on each side, as one array."""
    parts = (np.s_[:depth], np.s_[-depth:])
    return np.concatenate([side[part].ravel() for side in (values, values.T) for part in parts])


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


def find_quadrilateral(area: np.ndarray) -> np.ndarray | None:
    """Return the four corners of an area, float (4, 2), right and down, or None if it is not four-sided.

    Args:
        area: bool (h, w). Only its convex hull matters.
    """
    hull = _hull(area)
    if hull is None or len(hull) < 4:
        return None
    corners = _largest_quadrilateral(hull)
    return corners if _polygon_area(corners) >= MIN_FOUR_SIDED * _polygon_area(hull) else None


def _find_corners(area: np.ndarray) -> np.ndarray | None:
    """Return the four corners of an area, bool (h, w), or None if it cannot be a sheet. See `Sheet`."""
    corners = find_quadrilateral(area)
    if corners is None:
        return None
    size = _polygon_area(corners)
    if size < MIN_AREA * area.size or area.sum() < MIN_PAPER * size:  # most strokes
        return None
    filled: Any = ndimage.binary_fill_holes(area)
    if filled.sum() < MIN_FILLED * size:
        return None
    sides = np.roll(corners, -1, axis=0) - corners
    top = np.argmax(sides[:, 0] / np.linalg.norm(sides, axis=1))  # the side that points to the right
    return np.roll(corners, -top, axis=0)


def _largest_quadrilateral(hull: np.ndarray) -> np.ndarray:
    """Return the four corners of a convex polygon, int (n, 2), that enclose the largest area, float (4, 2)."""
    steps = hull - hull[:, None]
    x, y = steps[..., 0], steps[..., 1]
    # Twice the areas of all triangles; a diagonal forms positive ones on its left, and negative ones on its right.
    triangles = x[:, :, None] * y[:, None] - y[:, :, None] * x[:, None]
    sizes = triangles.max(axis=2) - triangles.min(axis=2)
    first, third = np.unravel_index(sizes.argmax(), sizes.shape)
    second, fourth = triangles[first, third].argmin(), triangles[first, third].argmax()
    return hull[[first, second, third, fourth]].astype(float)


def _polygon_area(corners: np.ndarray) -> float:
    """Return the area of a polygon whose corners follow one another clockwise."""
    (x, y), (next_x, next_y) = corners.T, np.roll(corners, -1, axis=0).T
    return float(np.sum(x * next_y - next_x * y) / 2)


def _has_sharp_edges(surface: np.ndarray, sheet: Sheet) -> bool:
    """Return True if the brightness changes at the edges of a sheet; at those of a spot of light it changes slowly."""
    inside, outside = (_sample_sides(surface, sheet.shrink(pixels)) for pixels in (EDGE_PX + 1, -EDGE_PX - 1))
    steps = np.abs(inside - outside) / np.fmax(np.maximum(inside, outside), 0.01)  # both may be black
    steps = np.nan_to_num(steps)  # outside the picture there is no step
    return bool((np.median(steps, axis=1) >= MIN_STEP).sum() >= 4 - MAX_TOUCHED)


def _sample_sides(surface: np.ndarray, sheet: Sheet) -> np.ndarray:
    """Return the brightness along the four sides of a sheet, float (4, 32); NaN outside the picture."""
    along = np.linspace(0.05, 0.95, 32)[:, None]
    ends = np.roll(sheet.corners, -1, axis=0)
    points = np.stack([start + along * (end - start) for start, end in zip(sheet.corners, ends, strict=True)])
    x, y = points.reshape(-1, 2).T
    return ndimage.map_coordinates(surface, [y, x], order=1, cval=np.nan).reshape(4, -1)


def _hull(chosen: np.ndarray) -> np.ndarray | None:
    """Return the corners of the convex hull of the True pixels, int (n, 2), right and down, or None for a line."""
    rows = np.flatnonzero(chosen.any(axis=1))  # the outermost pixels of each row have the same hull
    left, right = chosen[rows].argmax(axis=1), chosen.shape[1] - 1 - chosen[rows, ::-1].argmax(axis=1)
    points = np.stack([np.concatenate([left, right]), np.concatenate([rows, rows])], axis=1)
    try:
        return points[ConvexHull(points).vertices]
    except QhullError:
        return None


def _inside(corners: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return True inside a polygon, two pixels from its edge or more, unless that is the edge of the picture."""
    height, width = shape
    sheet = Image.new("1", (width, height))
    ImageDraw.Draw(sheet).polygon([(int(x), int(y)) for x, y in corners], fill=1)
    return ndimage.binary_erosion(np.asarray(sheet), np.ones((3, 3), bool), iterations=2, border_value=1)
