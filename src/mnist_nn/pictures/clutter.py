"""Remove the lines of forms and ruled paper from the marks, and keep the strokes that cross them."""

import numpy as np

from .lines import LineForm, dilate, find_lines
from .segmentation import Marks, bounding_slices, each_mark, label_marks, measure_marks
from .sheet import find_quadrilateral
from .straightening import Straightening, find_slopes

MIN_LENGTH = 0.6  # fraction of the picture's longer side; shorter lines may be strokes of a digit
MAX_THICKNESS = 0.05  # fraction of the same side; thicker ones are the edge of a desk or a shadow
RUN = 0.06  # fraction of the same side: a line has straight pieces of this length
GAP = 0.36  # fraction of the same side, between pieces of a line
SHORT_RUN = 4  # times the thickness of the long lines: a short line has straight pieces of this length
COVERED_BY_PIECES = 0.25  # of a short line; a digit may cover most of it
MAX_BEND = 0.02  # of a piece of a line, as a fraction of its length
AS_FAINT = 1.2  # times the mean ink of the long lines; a pen is usually stronger
MIN_FRAME_PX = 24  # smaller marks are not frames
FRAME_EDGE = 0.08  # fraction of its shorter side; a frame has its lines so near the edges of its box
FRAME_COVERED = 0.85  # fraction of the side's length


def remove_lines(marks: Marks) -> Marks:
    """Return the marks without long, thin, straight lines, level and upright or tilted by up to 15 degrees.

    These are lines that leave the picture, and frames: marks with lines along three or four sides.

    Args:
        marks: The marks of a picture.

    Returns:
        New marks, or the same if there are no lines.
    """
    lines = np.zeros(marks.labels.shape, bool)
    long = marks.leave_picture & (marks.sizes >= MIN_LENGTH * max(lines.shape))
    if long.any():
        lines |= _find_page_lines(marks, long)
    for number in np.flatnonzero(~long & (marks.sizes >= MIN_FRAME_PX)):
        top, left, bottom, right = marks.boxes[number]
        part = np.s_[top:bottom, left:right]
        lines[part] |= _find_frame(marks.labels[part] == number + 1)
    if not lines.any():
        return marks
    inked = (marks.labels > 0) & ~lines
    ink = marks.ink.copy()
    ink[dilate(dilate(lines, 3, axis=0), 3, axis=1) & ~inked] = 0  # the soft edges of the lines
    return measure_marks(ink, inked)


def _find_page_lines(marks: Marks, long: np.ndarray) -> np.ndarray:
    """Return the lines of ruled or squared paper that fills the picture, bool (h, w).

    Args:
        marks: The marks of the picture.
        long: True for those that may be lines of the page, bool (n,).
    """
    side = max(marks.labels.shape)
    page = np.concatenate([[False], long])[marks.labels]
    slopes = find_slopes(page)
    straight, length = Straightening(page.shape, slopes), MIN_LENGTH * side
    form = LineForm(length, length, MAX_THICKNESS * side, RUN * side, GAP * side)
    lines = straight.restore(find_lines(straight.move(page), form))
    if lines.any():
        lines |= _find_short_lines(marks, lines, slopes)
    return lines


def _find_short_lines(marks: Marks, lines: np.ndarray, slopes: tuple[float, float]) -> np.ndarray:
    """Return the shorter lines from edge to edge of the picture, where it is low or a corner is cut off, bool (h, w).

    They are about as thin as the long lines. Strokes of digits are not.

    Args:
        marks: The marks of the picture.
        lines: The long lines, bool (h, w).
        slopes: Those of level and upright lines.
    """
    edges = sum(np.count_nonzero(along[1:] & ~along[:-1]) for along in (lines, lines.T))
    thickness = float(lines.sum() / max(1, edges))
    run, gap = SHORT_RUN * thickness, GAP * max(lines.shape)
    straight = Straightening(lines.shape, slopes, margin=1)
    inked = straight.move(marks.labels > 0)
    form = LineForm(run, run, 2 * thickness + 1, run, gap, COVERED_BY_PIECES)
    found = find_lines(inked, form, straight.outside)
    faint = straight.move(marks.ink <= AS_FAINT * marks.ink[lines].mean())
    return straight.restore(found | _find_pieces(inked & ~found & ~straight.move(lines), faint, thickness))


def _find_pieces(rest: np.ndarray, faint: np.ndarray, thickness: float) -> np.ndarray:
    """Return the straight marks that are as thin and faint as the lines: pieces of others, bool (h, w).

    Args:
        rest: The ink without the lines, bool (h, w).
        faint: True where it is no stronger than that of the lines, bool (h, w).
        thickness: That of the lines.
    """
    found = np.zeros_like(rest)
    for place, piece in each_mark(label_marks(rest)[0]):
        height, width = piece.shape
        is_straight = min(height, width) <= thickness + 1 + MAX_BEND * max(height, width)
        if is_straight and faint[place][piece].mean() > 0.5:
            found[place] |= piece
    return found


def _find_frame(frame: np.ndarray) -> np.ndarray:
    """Return the lines along the sides of a mark, bool (h, w), if there are thin ones along three sides or four."""
    none = np.zeros_like(frame)
    if find_quadrilateral(frame) is None:  # most digits
        return none
    # The filters would mirror a line at the edge, so add a margin.
    straight = Straightening(frame.shape, find_slopes(frame), margin=round(RUN * min(frame.shape)) + 2)
    inked = straight.move(frame)
    frame = inked[bounding_slices(inked)]
    edge = max(2, round(FRAME_EDGE * min(frame.shape)))
    sides = (frame[:edge], frame[-edge:], frame[:, :edge].T, frame[:, -edge:].T)
    if sorted(side.any(axis=0).mean() for side in sides)[1] < FRAME_COVERED:
        return none
    thickness, side = _measure_thickness(frame), min(frame.shape)
    if thickness > FRAME_EDGE * side:
        return none
    height, width = (MIN_LENGTH * length for length in frame.shape)
    form = LineForm(width, height, 1.5 * thickness, RUN * side, GAP * side)
    return straight.restore(find_lines(inked, form))


def _measure_thickness(frame: np.ndarray) -> float:
    """Return the usual thickness of the lines along the edges of a frame."""
    sides = (frame, frame[::-1], frame.T, frame.T[::-1])
    return float(np.median(np.concatenate([_first_runs(side) for side in sides])))


def _first_runs(inked: np.ndarray) -> np.ndarray:
    """Return the number of pixels from the first True one of each column to the next False one."""
    start = inked.argmax(axis=0)
    after = (np.arange(len(inked))[:, None] > start) & ~inked
    return np.where(after.any(axis=0), after.argmax(axis=0), len(inked)) - start
