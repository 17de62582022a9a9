"""Decide with the network which marks form digits.

A digit may consist of several marks, a mark may hold several touching digits, and others are no digits at all: signs,
letters, shadows. Every possibility is a candidate that the network judges, because it has learned to be unsure about
images that are not digits. The best reading explains as much ink as possible by digits it is confident about.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import ndimage

from ..model import ModelLike
from .candidates import LIKE_DIGIT, MIN_MASS, MIN_STRENGTH, Reading, usual
from .clutter import remove_lines
from .joining import MIN_PART, Judge, join_parts
from .page import EVEN, Page, find_contrast, reduce
from .segmentation import Marks, find_marks
from .sheet import Sheet, edge_pixels
from .touching import split_touching

MIN_SIDE_PX = 4  # smaller marks are specks
MIN_SIDE = 0.005  # the same, as a fraction of the picture's longer side
MAX_MARKS = 300  # a picture with more is a texture or a page of text
MAX_OVERLAP = 5  # times the picture's area; marks whose boxes cover more together are stripes or another texture
MAX_PEN = 0.2  # fraction of the picture's longer side; wider dark areas along the edge are shadows
ENOUGH = 0.95  # a reading that explains so much of the ink needs no alternative
MIN_GAIN = 0.1  # a less plausible interpretation must explain so much more
TIGHT_SKEWNESS = 0.7  # of the contrast; that of a digit with a margin is larger
DOUBT = 0.3  # for each unit of skewness, the less likely polarity must explain so much more


def read_picture(model: ModelLike, brightness: np.ndarray, single: bool) -> Reading:
    """Return the best reading of a picture.

    If the picture shows a sheet of paper and what lies around it, the sheet is flattened and read first.

    Args:
        model: A Keras model or a Network.
        brightness: float32 (h, w), 0 black to 1 white.
        single: True if the picture shows one digit, which may have been cropped tightly; False if it shows several.

    Returns:
        The reading that explains most ink. The interpretations come in the order of plausibility, so a later one must
        explain clearly more.

    Raises:
        ValueError: The picture has more than 300 marks.
    """
    best, most, too_many = Reading([]), 0.0, None
    for interpretation in _interpret(brightness, single):
        marks = interpretation.find_marks()
        try:
            reading = read_marks(model, marks, interpretation.white_outside, single)
        except TooManyMarksError as error:
            too_many = error
            continue
        if single and not interpretation.white_outside and reading.main_fills(marks.ink.shape):
            lost = interpretation.measure_lost_strokes(marks)
            reading = replace(reading, left_out=reading.left_out + lost)
        explained = reading.explained_by_main if single else reading.explained
        if not single and not len(marks.boxes) and len(interpretation.page.inner_marks.boxes):
            explained = 1.0  # all marks are lines: a blank page
        if explained > most + MIN_GAIN + interpretation.doubt:
            best, most = replace(reading, sheet=interpretation.sheet), explained
        if most >= ENOUGH:
            break
    if too_many and not best.digits:
        raise too_many
    return best


class _MarkedPage(Page):
    """A picture and its marks; the interpretations of one polarity share them."""

    @cached_property
    def all_marks(self) -> Marks:
        """The marks, also along the edge of the picture, and with all lines."""
        return find_marks(find_contrast(self, white_outside=True))

    @cached_property
    def inner_marks(self) -> Marks:
        """The marks without shadows and a desk along the edge, and with all lines."""
        return find_marks(self.contrast)


@dataclass(frozen=True)
class _Interpretation:
    """An assumption about a picture: ink is dark or light, and white paper or the picture's edge continues outside.

    An interpretation that contradicts the skewness of the contrast is open to doubt: it must explain more.
    """

    page: _MarkedPage  # inverted if ink is light
    white_outside: bool
    doubt: float = 0.0
    sheet: Sheet | None = None  # where the page lies in the picture, if it does not fill it

    def find_marks(self) -> Marks:
        """Return the marks under this assumption."""
        if self.white_outside:
            return self.page.all_marks
        return remove_lines(self.page.inner_marks)

    def measure_lost_strokes(self, marks: Marks) -> float:
        """Return the ink of strokes that are not among these marks, because they seem to be lines or shadows."""
        all_marks = self.page.all_marks
        lost = (all_marks.labels > 0) & (marks.labels == 0)
        side = round(MAX_PEN * max(lost.shape))
        wide: np.ndarray = ndimage.maximum_filter(ndimage.minimum_filter(lost, side), side)  # that is a shadow
        return float(all_marks.ink[lost & ~wide].sum())


def _interpret(brightness: np.ndarray, single: bool) -> Iterator[_Interpretation]:
    """Yield the possible interpretations of a picture, the most plausible first."""
    page = _MarkedPage(brightness)
    if page.sheet is not None:
        flat = _MarkedPage(page.sheet.flatten(brightness))
        for interpretation in _interpret_page(flat, single):
            yield replace(interpretation, sheet=page.sheet)
    yield from _interpret_page(page, single)


def _interpret_page(page: _MarkedPage, single: bool) -> Iterator[_Interpretation]:
    """Yield the possible interpretations of a page or board that fills the picture."""
    inverted = _MarkedPage(1 - page.brightness)
    coarse, _ = reduce(page.coarse, 64)
    low, middle, high = np.quantile(edge_pixels(coarse, 2), [0.1, 0.5, 0.9])
    darkest, lightest = coarse.min(), coarse.max()
    if high - low <= EVEN * (lightest - darkest):  # an even edge is paper
        dark_on_light, skewness, edges = bool(middle >= (darkest + lightest) / 2), np.inf, [False]
    else:
        # Strokes are few and stand out, so they skew the contrast.
        contrast = coarse - ndimage.gaussian_filter(coarse, 0.1 * max(coarse.shape))
        skewness = (contrast**3).mean() / (contrast**2).mean() ** 1.5
        dark_on_light, skewness = bool(skewness < 0), abs(skewness)
        # In a tight crop the ink is not few: elsewhere a dark edge is rather a shadow.
        edges = [False] if not single else [True, False] if skewness < TIGHT_SKEWNESS else [False, True]
    likely, other = (page, inverted) if dark_on_light else (inverted, page)
    for white_outside in edges:
        yield _Interpretation(likely, white_outside)
    if single and skewness < TIGHT_SKEWNESS:
        yield _Interpretation(other, edges[0], DOUBT * skewness)
    # What seems to be a blackboard may be a dark desk around the paper.
    elif not single and not dark_on_light:
        for white_outside in edges:
            yield _Interpretation(page, white_outside)


class TooManyMarksError(ValueError):
    """A picture has so many marks that it is a texture or a page of text."""


def read_marks(model: ModelLike, marks: Marks, white_outside: bool, single: bool) -> Reading:
    """Return the best reading of the marks in a picture.

    Args:
        model: A Keras model or a Network.
        marks: The marks of one interpretation of a picture.
        white_outside: True if digits may lie along the edge of the picture.
        single: True if the picture shows one digit; then what leaves the picture is none.

    Returns:
        A reading, without candidates if there are no marks.

    Raises:
        TooManyMarksError: There are more than 300 marks of similar size, or marks that overlap like stripes.
    """
    chosen, left_out = _choose_marks(marks, white_outside, single)
    if not len(chosen):
        return Reading([])
    top_left, bottom_right = marks.boxes[chosen, :2], marks.boxes[chosen, 2:]
    if np.prod(bottom_right - top_left, axis=1).sum() > MAX_OVERLAP * marks.ink.size:
        raise TooManyMarksError("image holds a pattern such as stripes; cut out the part with digits")
    judge = Judge(model, marks, white_outside)
    candidates = join_parts(judge, judge([frozenset([mark]) for mark in chosen.tolist()]))
    reading = Reading(split_touching(judge, candidates), left_out=left_out)
    # A digit may be broken, and its parts may look like digits themselves.
    reading = replace(reading, whole=judge.together(reading.digits))
    if not reading.has_most_ink(reading.main):
        parts = [candidate for candidate in candidates if candidate.mass >= MIN_PART * reading.main.mass]
        reading = replace(reading, whole=judge.together(parts) or reading.whole)
    return reading


def _choose_marks(marks: Marks, white_outside: bool, single: bool) -> tuple[np.ndarray, float]:
    """Return the marks that may be digits or parts of them, most ink first, and the ink of those along the edge.

    Most of what leaves the picture is a shadow or a desk. But the digits of a row that was cropped touch the edge too,
    so marks of the usual size are left to the network.
    """
    possible = marks.sizes >= max(MIN_SIDE_PX, MIN_SIDE * max(marks.ink.shape))
    outside, left_out = possible & marks.leave_picture, 0.0
    if not white_outside and (possible & ~outside).any():
        if not single:
            size = usual(marks.sizes[possible], marks.sizes[possible])
            outside &= (marks.sizes < LIKE_DIGIT * size) | (marks.sizes > size / LIKE_DIGIT)
        left_out = float(marks.mass[outside].sum())
        possible &= ~outside
    chosen = np.flatnonzero(possible)
    chosen = chosen[np.argsort(-marks.mass[chosen], kind="stable")]
    if len(chosen) > MAX_MARKS:  # pieces of faint lines are no digits
        chosen = chosen[marks.strength[chosen] >= MIN_STRENGTH * usual(marks.strength[chosen], marks.mass[chosen])]
    if len(chosen) > MAX_MARKS and marks.mass[chosen[MAX_MARKS]] > MIN_MASS * np.median(marks.mass[chosen[:MAX_MARKS]]):
        raise TooManyMarksError(
            f"image holds {len(chosen):,} marks, more than {MAX_MARKS} digits; cut out the part with digits"
        )
    return chosen[:MAX_MARKS], left_out
