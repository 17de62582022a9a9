"""Remove the lines of forms and ruled paper from the marks, and keep the strokes that cross them."""

from typing import Any

import numpy as np
from scipy import ndimage

from .segmentation import Marks, label_marks, measure_marks

MIN_LENGTH = 0.6  # fraction of the picture's longer side; shorter lines may be strokes of a digit
MAX_THICKNESS = 0.05  # fraction of the same side; thicker ones are the edge of a desk or a shadow
RUN = 0.06  # fraction of the same side: a line has straight pieces of this length
MAX_SLOPE = 0.1
MIN_COVERED = 0.5  # of a line's length; the rest are strokes that cross it


def remove_lines(marks: Marks) -> Marks:
    """Return the marks without long, thin, straight lines that leave the picture and are nearly level or upright.

    Args:
        marks: The marks of a picture.

    Returns:
        New marks, or the same if there are no lines.
    """
    side = max(marks.ink.shape)
    long = marks.leave_picture & (marks.sizes >= MIN_LENGTH * side)
    if not long.any():
        return marks
    inked = np.concatenate([[False], long])[marks.labels]
    level = _find_level_lines(inked, side)
    upright = np.ascontiguousarray(_find_level_lines(np.ascontiguousarray(inked.T), side).T)
    if not (level.any() or upright.any()):
        return marks
    gap = round(2 * MAX_THICKNESS * side) | 1  # where two lines cross, each has a gap
    crossings = _close(level, gap, axis=1) & _close(upright, gap, axis=0) & inked
    lines = level | upright | crossings
    inked = (marks.labels > 0) & ~lines
    ink = marks.ink.copy()
    ink[_dilate(_dilate(lines, 3, axis=0), 3, axis=1) & ~inked] = 0  # the soft edges of the lines
    return measure_marks(ink, inked)


def _find_level_lines(inked: np.ndarray, side: int) -> np.ndarray:
    """Return the pixels of nearly level lines, bool (h, w), without those where a stroke crosses.

    A piece of a line is a run of pixels in a row, with one pixel of tolerance up and down. Pieces that follow one
    another are a line. Where the ink is much higher than the line, a stroke crosses it.
    """
    run = max(5, round(RUN * side)) | 1  # odd, so that the filters are centred
    thick = _dilate(inked, 3, axis=0)
    tall = 2 * round(MAX_THICKNESS * side / 2) + 1
    is_thin = ~_dilate(_erode(inked, tall, axis=0), tall, axis=0)
    pieces = _dilate(_erode(thick, run, axis=1), run, axis=1) & inked & is_thin
    numbers = label_marks(_dilate(_dilate(pieces, 2 * run + 1, axis=1), 3, axis=0))[0] * pieces
    lines = np.zeros_like(inked)
    for number, place in enumerate(ndimage.find_objects(numbers), 1):
        width = place[1].stop - place[1].start
        line = numbers[place] == number
        if width < MIN_LENGTH * side or line.any(axis=0).mean() < MIN_COVERED:
            continue
        line, slope = _keep_straight_part(line, MAX_THICKNESS * side)
        if abs(slope) <= MAX_SLOPE:
            lines |= _without_crossings(inked, line, place, max(4, MAX_THICKNESS * side))
    return lines


def _keep_straight_part(line: np.ndarray, thickness: float) -> tuple[np.ndarray, float]:
    """Return the pixels near the straight line through most columns, and its slope; a stroke may touch the line."""
    columns = np.flatnonzero(line.any(axis=0))
    sample = columns[:: 1 + len(columns) // 100]
    middle = np.array([np.median(np.flatnonzero(line[:, column])) for column in sample])
    i, j = np.triu_indices(len(sample), 1)
    slope = np.median((middle[j] - middle[i]) / (sample[j] - sample[i]))  # Theil and Sen's robust fit
    start = np.median(middle - slope * sample)
    distance = np.arange(line.shape[0])[:, None] - (start + slope * np.arange(line.shape[1]))
    return line & (np.abs(distance) <= max(2.0, thickness / 4)), float(slope)


def _without_crossings(inked: np.ndarray, line: np.ndarray, place: tuple, max_thickness: float) -> np.ndarray:
    """Return the pixels of one line, bool (h, w), without the columns where it is much thicker than usual."""
    whole, margin = np.zeros_like(inked), round(3 * max_thickness)
    whole[place] = line
    near = np.s_[max(0, place[0].start - margin) : place[0].stop + margin, place[1]]
    upright = np.array([[0, 1, 0]] * 3)  # connects pixels of the same column only
    found: Any = ndimage.label(inked[near], upright)
    runs, n = found
    thickness = np.bincount(runs.ravel(), minlength=n + 1)
    crossed = np.unique(runs[whole[near]])
    usual = float(np.median(thickness[crossed]))
    erased = np.zeros(n + 1, bool)
    if usual <= max_thickness:
        erased[crossed[thickness[crossed] <= 2.5 * usual + 1]] = True
    whole[near] = erased[runs]
    return whole


def _close(values: np.ndarray, size: int, axis: int) -> np.ndarray:
    return _erode(_dilate(values, size, axis), size, axis)


def _dilate(values: np.ndarray, size: int, axis: int) -> np.ndarray:
    return ndimage.maximum_filter1d(values.view(np.uint8), size, axis).view(bool)


def _erode(values: np.ndarray, size: int, axis: int) -> np.ndarray:
    return ndimage.minimum_filter1d(values.view(np.uint8), size, axis).view(bool)
