"""Find level and upright lines among the ink, without the strokes that cross them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import ndimage

from .segmentation import each_mark, label_marks

MAX_SLOPE = 0.1  # of a line, against the direction of the others
MIN_COVERED = 0.5  # of a line's length; the rest are strokes that cross it


@dataclass(frozen=True)
class LineForm:
    """What makes a line, in pixels.

    Args:
        length: The least width of level lines.
        height: The least height of upright lines.
        thickness: That of the lines, at most.
        run: The length of their straight pieces, at least.
        gap: Between two pieces of a line, at most.
        covered: The fraction of a line's length that these pieces cover, at least.
    """

    length: float
    height: float
    thickness: float
    run: float
    gap: float
    covered: float = MIN_COVERED


def find_lines(inked: np.ndarray, form: LineForm, outside: np.ndarray | None = None) -> np.ndarray:
    """Return the pixels of lines in the direction of an axis, bool (h, w).

    Args:
        inked: bool (h, w).
        form: What makes a line.
        outside: bool (h, w), True outside the picture: a line must end there at both ends. None for any line.
    """
    level = _find_level_lines(inked, form, outside)
    inked_turned = np.ascontiguousarray(inked.T)
    outside_turned = None if outside is None else np.ascontiguousarray(outside.T)
    upright = _find_level_lines(inked_turned, replace(form, length=form.height), outside_turned)
    upright = np.ascontiguousarray(upright.T)
    crossing = round(2 * form.thickness) | 1  # where two lines cross, each has a gap
    crossings = _close(level, crossing, axis=1) & _close(upright, crossing, axis=0) & inked
    lines = level | upright | crossings
    return lines | _find_rest(inked & ~lines, level)


def _find_rest(rest: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Return what belongs to the lines in the rest of the ink: specks, and upright bars from line to line.

    Args:
        rest: The ink without the lines, bool (h, w).
        level: The level lines, bool (h, w).
    """
    found, lines_below = np.zeros_like(rest), level[1:] & ~level[:-1]
    if not lines_below.any():
        return found
    thickness = level.sum() / lines_below.sum()
    reach = 2 + round(thickness)  # the ends of a bar may lie in the lines
    for (rows, columns), pixels in each_mark(label_marks(rest)[0]):
        height, width = rows.stop - rows.start, columns.stop - columns.start
        near = slice(max(0, columns.start - 2), columns.stop + 2)
        ends = (level[max(0, y - reach) : y + reach, near] for y in (rows.start, rows.stop))
        is_bar = width <= 2 * thickness < height and all(end.any() for end in ends)
        if is_bar or max(height, width) <= 3 * thickness:
            found[rows, columns] |= pixels
    return found


def _find_level_lines(inked: np.ndarray, form: LineForm, outside: np.ndarray | None) -> np.ndarray:
    """Return the pixels of nearly level lines, bool (h, w), without those where a stroke crosses.

    A piece of a line is a run of pixels in a row, with one pixel of tolerance up and down. Pieces that follow one
    another are a line. Where the ink is much higher than the line, a stroke crosses it.
    """
    run = max(5, round(form.run)) | 1  # odd, so that the filters are centred
    thick = dilate(inked if outside is None else inked | outside, 3, axis=0)
    tall = 2 * round(form.thickness / 2) + 1
    is_thin = ~dilate(_erode(inked, tall, axis=0), tall, axis=0)
    pieces = dilate(_erode(thick, run, axis=1), run, axis=1) & inked & is_thin
    numbers = label_marks(dilate(dilate(pieces, round(form.gap) | 1, axis=1), 3, axis=0))[0] * pieces
    lines, near_edge = np.zeros_like(inked), None if outside is None else dilate(outside, 5, axis=0)
    for place, line in each_mark(numbers):
        width = line.shape[1]
        if width < form.length or line.any(axis=0).mean() < form.covered:
            continue
        line, start, slope = _keep_straight_part(line, form.thickness)
        ends = np.array([start, start + slope * (width - 1)])
        if abs(slope) <= MAX_SLOPE and (near_edge is None or _leaves(near_edge, ends, place, run)):
            _add_without_crossings(lines, inked, line, place, max(4, form.thickness))
    return lines


def _leaves(outside: np.ndarray, ends: np.ndarray, place: tuple, reach: int) -> bool:
    """Return True if a line leaves the picture so many pixels beyond its ends, and does not run along its edge.

    Args:
        outside: bool (h, w), True outside the picture, and near its edge.
        ends: The rows of the two ends within `place`, float (2,).
        place: The rows and columns of the line.
        reach: In pixels.
    """
    rows, columns = place
    across = rows.start + np.rint([ends[0], ends.mean(), ends[1]]).astype(int)
    along = np.array([columns.start - reach, (columns.start + columns.stop) // 2, columns.stop - 1 + reach])
    start, middle, stop = outside[across.clip(0, outside.shape[0] - 1), along.clip(0, outside.shape[1] - 1)]
    return bool(start and stop and not middle)


def _keep_straight_part(line: np.ndarray, thickness: float) -> tuple[np.ndarray, float, float]:
    """Return the pixels near the straight line through most columns, its first row and its slope.

    A stroke may touch the line.
    """
    columns = np.flatnonzero(line.any(axis=0))
    sample = columns[:: 1 + len(columns) // 100]
    middle = np.arange(len(line)) @ line[:, sample] / line[:, sample].sum(axis=0)
    i, j = np.triu_indices(len(sample), 1)
    slope = np.median((middle[j] - middle[i]) / (sample[j] - sample[i]))  # Theil and Sen's robust fit
    start = np.median(middle - slope * sample)
    distance = np.arange(line.shape[0])[:, None] - (start + slope * np.arange(line.shape[1]))
    return line & (np.abs(distance) <= max(2.0, thickness / 4)), float(start), float(slope)


def _add_without_crossings(
    lines: np.ndarray, inked: np.ndarray, line: np.ndarray, place: tuple[slice, slice], max_thickness: float
) -> None:
    """Add the pixels of one line to the others, without the columns where it is much thicker than usual.

    Args:
        lines: bool (h, w), changed in place.
        inked: bool (h, w).
        line: The pieces of the line, bool.
        place: Its rows and columns.
        max_thickness: In pixels; a line that is usually thicker is not added.
    """
    counts = line.sum(axis=0)
    margin = 3 * round(np.median(counts[counts > 0])) + 3  # enough to see that a stroke is thicker
    above = min(place[0].start, margin)
    near = np.s_[place[0].start - above : place[0].stop + margin, place[1]]
    upright = np.array([[0, 1, 0]] * 3)  # connects pixels of the same column only
    found: Any = ndimage.label(inked[near], upright)
    runs, n = found
    thickness = np.bincount(runs.ravel(), minlength=n + 1)
    crossed = np.unique(runs[above : above + len(line)][line])
    usual = float(np.median(thickness[crossed]))
    if usual <= max_thickness:
        added = np.zeros(n + 1, bool)
        added[crossed[thickness[crossed] <= 2.5 * usual + 1]] = True
        lines[near] |= added[runs]


def _close(values: np.ndarray, size: int, axis: int) -> np.ndarray:
    return _erode(dilate(values, size, axis), size, axis)


def dilate(values: np.ndarray, size: int, axis: int) -> np.ndarray:
    """Return True where one of so many pixels along an axis is True, bool (h, w)."""
    return ndimage.maximum_filter1d(values.view(np.uint8), size, axis).view(bool)


def _erode(values: np.ndarray, size: int, axis: int) -> np.ndarray:
    return ndimage.minimum_filter1d(values.view(np.uint8), size, axis).view(bool)
