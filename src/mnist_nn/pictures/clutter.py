"""Remove the lines of forms and ruled paper from the marks, and keep the strokes that cross them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import ndimage

from .segmentation import Marks, label_marks, measure_marks

MIN_LENGTH = 0.6  # fraction of the picture's longer side; shorter lines may be strokes of a digit
WHOLE = 0.9  # fraction of a low picture's height; an upright line crosses all of it
MAX_THICKNESS = 0.05  # fraction of the same side; thicker ones are the edge of a desk or a shadow
RUN = 0.06  # fraction of the same side: a line has straight pieces of this length
MAX_SLOPE = 0.1  # of a line, against the direction of an axis
MIN_FRAME_PX = 24  # smaller marks are not frames
FRAME_EDGE = 0.08  # fraction of its shorter side; a frame has its lines so near the edges of its box
FRAME_COVERED = 0.85  # fraction of the side's length
MIN_COVERED = 0.5  # of a line's length; the rest are strokes that cross it
COVERED_BY_DIGIT = 0.25  # the same for a line in a low picture, most of which may be covered by a digit


def remove_lines(marks: Marks) -> Marks:
    """Return the marks without long, thin, straight lines that are nearly level or upright.

    These are lines that leave the picture, and frames: marks with lines along three or four sides of their box.

    Args:
        marks: The marks of a picture.

    Returns:
        New marks, or the same if there are no lines.
    """
    lines = np.zeros(marks.labels.shape, bool)
    side = max(marks.ink.shape)
    long = marks.leave_picture & (marks.sizes >= MIN_LENGTH * side)
    if long.any():
        page = np.concatenate([[False], long])[marks.labels]
        lines |= _find_lines(page, (MIN_LENGTH * side, MIN_LENGTH * side), MAX_THICKNESS * side, RUN * side)
        if lines.any() and min(page.shape) < MIN_LENGTH * side:
            lines |= _find_short_lines(page, lines)
    for part, frame, thickness in _find_frames(marks, ~long):
        margin = min(frame.shape)  # the filters would mirror a line at the edge
        lengths = MIN_LENGTH * frame.shape[0], MIN_LENGTH * frame.shape[1]
        found = _find_lines(np.pad(frame, margin), lengths, 1.5 * thickness, RUN * margin)
        lines[part] |= found[margin:-margin, margin:-margin]
    if not lines.any():
        return marks
    inked = (marks.labels > 0) & ~lines
    ink = marks.ink.copy()
    ink[_dilate(_dilate(lines, 3, axis=0), 3, axis=1) & ~inked] = 0  # the soft edges of the lines
    return measure_marks(ink, inked)


def _find_frames(marks: Marks, chosen: np.ndarray) -> Iterator[tuple[tuple[slice, slice], np.ndarray, float]]:
    """Yield place, pixels and thickness of the chosen marks that have thin lines along three sides of their boxes."""
    for number in np.flatnonzero(chosen & (marks.sizes >= MIN_FRAME_PX)):
        top, left, bottom, right = marks.boxes[number]
        frame = marks.labels[top:bottom, left:right] == number + 1
        edge = max(2, round(FRAME_EDGE * min(frame.shape)))
        sides = (frame[:edge], frame[-edge:], frame[:, :edge].T, frame[:, -edge:].T)
        if sorted(side.any(axis=0).mean() for side in sides)[1] >= FRAME_COVERED:
            thickness = _measure_thickness(frame)
            if thickness <= FRAME_EDGE * min(frame.shape):
                yield np.s_[top:bottom, left:right], frame, thickness


def _measure_thickness(frame: np.ndarray) -> float:
    """Return the usual thickness of the lines along the edges of a frame."""
    sides = (frame, frame[::-1], frame.T, frame.T[::-1])
    return float(np.median(np.concatenate([_first_runs(side) for side in sides])))


def _first_runs(inked: np.ndarray) -> np.ndarray:
    """Return the number of pixels from the first True one of each column to the next False one."""
    start = inked.argmax(axis=0)
    after = (np.arange(len(inked))[:, None] > start) & ~inked
    return np.where(after.any(axis=0), after.argmax(axis=0), len(inked)) - start


def _find_short_lines(page: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Return the lines of squared paper in a low or narrow picture, bool (h, w).

    Its short lines cross the whole picture, and are about as thin as the long ones. Strokes of digits are not.

    Args:
        page: The ink, bool (h, w).
        lines: The long lines, bool (h, w).
    """
    along = lines if page.shape[1] >= page.shape[0] else lines.T
    thickness = along.sum() / max(1, (along[1:] & ~along[:-1]).sum())
    lengths = WHOLE * page.shape[0], WHOLE * page.shape[1]
    return _find_lines(page, lengths, 2 * thickness + 1, 2 * RUN * min(page.shape), COVERED_BY_DIGIT)


def _find_lines(
    inked: np.ndarray, lengths: tuple[float, float], thickness: float, run: float, covered: float = MIN_COVERED
) -> np.ndarray:
    """Return the pixels of lines in the direction of an axis, bool (h, w).

    Args:
        inked: bool (h, w).
        lengths: The least height of upright lines, and the least width of level ones.
        thickness: That of the lines, at most.
        run: The length of their straight pieces, at least.
        covered: The fraction of a line's length that these pieces cover, at least.
    """
    pixels = max(5, round(run)) | 1  # odd, so that the filters are centred
    level = _find_level_lines(inked, lengths[1], thickness, pixels, covered)
    turned = _find_level_lines(np.ascontiguousarray(inked.T), lengths[0], thickness, pixels, covered)
    upright = np.ascontiguousarray(turned.T)
    gap = round(2 * thickness) | 1  # where two lines cross, each has a gap
    crossings = _close(level, gap, axis=1) & _close(upright, gap, axis=0) & inked
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
    labels, _ = label_marks(rest)
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), 1):
        height, width = rows.stop - rows.start, columns.stop - columns.start
        near = slice(max(0, columns.start - 2), columns.stop + 2)
        ends = (level[max(0, y - reach) : y + reach, near] for y in (rows.start, rows.stop))
        is_bar = width <= 2 * thickness < height and all(end.any() for end in ends)
        if is_bar or max(height, width) <= 3 * thickness:
            found[rows, columns] |= labels[rows, columns] == number
    return found


def _find_level_lines(inked: np.ndarray, length: float, thickness: float, run: int, covered: float) -> np.ndarray:
    """Return the pixels of nearly level lines, bool (h, w), without those where a stroke crosses.

    A piece of a line is a run of pixels in a row, with one pixel of tolerance up and down. Pieces that follow one
    another are a line. Where the ink is much higher than the line, a stroke crosses it.
    """
    thick = _dilate(inked, 3, axis=0)
    tall = 2 * round(thickness / 2) + 1
    is_thin = ~_dilate(_erode(inked, tall, axis=0), tall, axis=0)
    pieces = _dilate(_erode(thick, run, axis=1), run, axis=1) & inked & is_thin
    numbers = label_marks(_dilate(_dilate(pieces, 6 * run + 1, axis=1), 3, axis=0))[0] * pieces
    lines = np.zeros_like(inked)
    for number, place in enumerate(ndimage.find_objects(numbers), 1):
        width = place[1].stop - place[1].start
        line = numbers[place] == number
        if width < length or line.any(axis=0).mean() < covered:
            continue
        line, slope = _keep_straight_part(line, thickness)
        if abs(slope) <= MAX_SLOPE:
            lines |= _without_crossings(inked, line, place, max(4, thickness))
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
