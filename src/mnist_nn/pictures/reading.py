"""Decide with the network which marks form digits.

A digit may consist of several marks, a mark may hold several touching digits, and others are no digits at all: signs,
letters, shadows. Every possibility is a candidate that the network judges, because it has learned to be unsure about
images that are not digits. The best reading explains as much ink as possible by digits it is confident about.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage
from scipy.signal import find_peaks

from ..model import ModelLike
from .clutter import remove_lines
from .prediction import classify
from .segmentation import Box, Marks, find_contrast, find_marks, reduce

MIN_SIDE_PX = 4  # smaller marks are specks
MIN_SIDE = 0.005  # the same, as a fraction of the picture's longer side
MAX_MARKS = 300  # a picture with more is a texture or a page of text
ENOUGH = 0.95  # a reading that explains so much of the ink needs no alternative
MIN_GAIN = 0.15  # an alternative must explain so much more
MIN_CONFIDENCE = 0.5  # candidates below it are not digits
UNSURE_CONFIDENCE = 0.11  # candidates below it are not digits even if they are as large as one
LIKE_DIGIT = 0.5  # of the usual digit's size and ink, or twice as much
MIN_MASS = 0.05  # of the usual digit; less ink is a speck or a crease
MIN_STRENGTH = 0.3  # of the usual digit's; fainter marks are shadows or shine through the paper
MIN_PART = 0.01  # of a digit's ink; less is a speck beside it
MAX_GAP = 0.3  # between the parts of a digit, relative to the larger one
PIECE_COST = 0.02  # two pieces must explain this much more ink than one
TIGHT_SKEWNESS = 0.7  # of the contrast; that of a digit with a margin is larger
SHEARS = (0.0, 0.25, -0.25, 0.5)  # slants of the cuts between touching digits
CUTS = 3  # for each slant
MAX_SPLITS = 40  # candidates that are split, at most


@dataclass(frozen=True, eq=False)
class Candidate:
    """What may be a digit: its ink, float32 (h, w), its box, and the network's opinion of it."""

    ink: np.ndarray
    box: Box
    mass: float
    strength: float
    pixels: np.ndarray
    probabilities: np.ndarray
    marks: frozenset[int] = frozenset()

    @property
    def confidence(self) -> float:
        """The probability of the most probable digit."""
        return float(self.probabilities.max())

    @property
    def size(self) -> int:
        """The longer side of the box."""
        left, top, right, bottom = self.box
        return max(right - left, bottom - top)

    @property
    def is_digit(self) -> bool:
        """True if the network is confident enough."""
        return self.confidence >= MIN_CONFIDENCE

    @property
    def value(self) -> float:
        """The ink that the candidate explains; ink that is left out counts half."""
        return self.mass * max(self.confidence, MIN_CONFIDENCE)


@dataclass(frozen=True, eq=False)
class Reading:
    """One interpretation of a picture.

    Args:
        candidates: All candidates, digits or not; they do not overlap.
        whole: All digits together as one candidate, if there are two or three.
    """

    candidates: list[Candidate]
    whole: Candidate | None = None

    @property
    def digits(self) -> list[Candidate]:
        """The digits, without those that are much fainter or smaller than usual.

        A candidate of which the network is unsure is kept if it is as large as the digits beside it: signs are smaller.
        """
        digits = [candidate for candidate in self.candidates if candidate.is_digit]
        if not digits:
            return []
        sizes = [digit.size for digit in digits]
        size, mass, strength = (
            usual([getattr(digit, name) for digit in digits], sizes) for name in ("size", "mass", "strength")
        )

        def is_plausible(candidate: Candidate) -> bool:
            limit = MIN_MASS if candidate.is_digit else LIKE_DIGIT
            if not candidate.is_digit and not (
                candidate.confidence >= UNSURE_CONFIDENCE and LIKE_DIGIT <= candidate.size / size <= 1 / LIKE_DIGIT
            ):
                return False
            return limit <= candidate.mass / mass <= 1 / limit and candidate.strength >= MIN_STRENGTH * strength

        return [candidate for candidate in self.candidates if is_plausible(candidate)]

    @property
    def explained(self) -> float:
        """The fraction of the ink that is explained by digits, 0.5 to 1; 0 if there is no ink.

        What is no digit counts as much as a usual digit at most, because the top of a desk outweighs all digits on it.
        """
        mass = np.array([candidate.mass for candidate in self.candidates])
        value = np.array([max(candidate.confidence, MIN_CONFIDENCE) for candidate in self.candidates])
        digits = self.digits
        if digits:
            is_digit = np.array([candidate in digits for candidate in self.candidates])
            largest = usual([digit.mass for digit in digits], [digit.size for digit in digits])
            mass = np.where(is_digit, mass, np.minimum(mass, largest))
        return float(mass @ value / mass.sum()) if len(mass) else 0.0


def usual(values: Sequence[float] | np.ndarray, sizes: Sequence[float] | np.ndarray) -> float:
    """Return the median of the values, weighted by size, so that neither many specks nor one large area matter."""
    values, weights = np.asarray(values), np.asarray(sizes)
    order = np.argsort(values)
    return float(values[order][np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)])


def read_picture(model: ModelLike, brightness: np.ndarray, tight: bool) -> Reading:
    """Return the best reading of a picture.

    Args:
        model: A Keras model or a Network.
        brightness: float32 (h, w), 0 black to 1 white.
        tight: True if the picture is probably cropped so that the ink may touch its edges.

    Returns:
        The reading that explains most ink. The interpretations come in the order of plausibility, so a later one must
        explain clearly more.

    Raises:
        ValueError: The picture has more than 300 marks.
    """
    best, too_many = Reading([]), None
    for marks, may_touch_edge in _interpret(brightness, tight):
        try:
            reading = read_marks(model, marks, may_touch_edge)
        except TooManyMarksError as error:
            too_many = error
            continue
        if reading.explained > best.explained + MIN_GAIN:
            best = reading
        if best.explained >= ENOUGH:
            break
    if too_many and not best.digits:
        raise too_many
    return best


def _interpret(brightness: np.ndarray, tight: bool) -> Iterator[tuple[Marks, bool]]:
    """Yield the marks for each interpretation of a picture, and whether they may touch its edges."""
    coarse, _ = reduce(brightness, 64)
    edge = np.concatenate([coarse[0], coarse[-1], coarse[:, 0], coarse[:, -1]])
    low, middle, high = np.quantile(edge, [0.1, 0.5, 0.9])
    darkest, lightest = coarse.min(), coarse.max()
    if high - low <= 0.1 * (lightest - darkest):  # an even edge is paper
        # A dark edge may also be the desk around a sheet of paper.
        polarities = [True] if middle >= (darkest + lightest) / 2 else [False] if tight else [False, True]
        edges = [False]
    else:
        # Strokes are few and stand out, so they skew the contrast. Dark ink on light paper is more common.
        contrast = coarse - ndimage.gaussian_filter(coarse, 0.1 * max(coarse.shape))
        skewness = (contrast**3).mean() / (contrast**2).mean() ** 1.5
        polarities = [True] if skewness < -0.2 else [False] if skewness > 1 else [True, False]
        # In a tight crop the ink is not few: elsewhere a dark edge is rather a shadow.
        edges = [False] if not tight else [True, False] if abs(skewness) < TIGHT_SKEWNESS else [False, True]
    for dark_on_light in polarities:
        grey = brightness if dark_on_light else 1 - brightness
        for white_outside in edges:
            marks = find_marks(find_contrast(grey, white_outside))
            yield (marks if white_outside else remove_lines(marks)), white_outside


class TooManyMarksError(ValueError):
    """A picture has so many marks that it is a texture or a page of text."""


def read_marks(model: ModelLike, marks: Marks, tight: bool = False) -> Reading:
    """Return the best reading of the marks in a picture; `tight` allows digits to lie along the edge."""
    possible = marks.sizes >= max(MIN_SIDE_PX, MIN_SIDE * max(marks.ink.shape))
    if not tight and (possible & ~marks.leave_picture).any():
        possible &= ~marks.leave_picture
    if not possible.any():
        return Reading([])
    chosen = np.flatnonzero(possible)
    chosen = chosen[np.argsort(-marks.mass[chosen], kind="stable")]
    if len(chosen) > MAX_MARKS and marks.mass[chosen[MAX_MARKS]] > MIN_MASS * np.median(marks.mass[chosen[:MAX_MARKS]]):
        raise TooManyMarksError(
            f"image holds {len(chosen):,} marks, more than {MAX_MARKS} digits; cut out the part with digits"
        )
    chosen = chosen[:MAX_MARKS]
    judge = _Judge(model, marks, tight)
    candidates = _join(judge, judge([frozenset([mark]) for mark in chosen.tolist()]))
    reading = Reading(_split_all(model, candidates))
    marks_of_digits = frozenset[int]().union(*(digit.marks for digit in reading.digits))
    if 2 <= len(reading.digits) <= 3 and len(marks_of_digits) >= 2:
        return replace(reading, whole=judge([marks_of_digits])[0])
    return reading


class _Judge:
    """Asks the network about groups of marks, and remembers what it answered."""

    def __init__(self, model: ModelLike, marks: Marks, tight: bool) -> None:
        self.model, self.marks, self.tight, self.known = model, marks, tight, {}

    def __call__(self, groups: Sequence[frozenset[int]]) -> list[Candidate]:
        new = [group for group in dict.fromkeys(groups) if group not in self.known]
        if new:
            cut = [self.marks.cut_out(sorted(group)) for group in new]
            answers = zip(*classify(self.model, [ink for ink, _ in cut], self.tight), strict=True)
            for group, (ink, box), (pixels, probabilities) in zip(new, cut, answers, strict=True):
                mass = float(self.marks.mass[list(group)].sum())
                strength = float(self.marks.strength[list(group)].max())
                self.known[group] = Candidate(ink, box, mass, strength, pixels, probabilities, group)
        return [self.known[group] for group in groups]


def _join(judge: _Judge, candidates: list[Candidate]) -> list[Candidate]:
    """Join neighbours as long as that explains more ink."""
    while True:
        pairs = _neighbors(candidates)
        joined = judge([candidates[i].marks | candidates[j].marks for i, j in pairs])
        gains = []
        for (i, j), whole in zip(pairs, joined, strict=True):
            a, b = candidates[i], candidates[j]
            bonus = 0.0 if a.is_digit and b.is_digit else PIECE_COST * min(a.mass, b.mass)
            gains.append(whole.value - a.value - b.value + bonus)
        used: set[int] = set()
        new = []
        for k in np.argsort(gains)[::-1] if gains else []:
            if gains[k] > 0 and used.isdisjoint(pairs[k]):
                used.update(pairs[k])
                new.append(joined[k])
        if not new:
            return candidates
        candidates = [candidate for i, candidate in enumerate(candidates) if i not in used] + new


def _neighbors(candidates: list[Candidate]) -> list[tuple[int, int]]:
    """Return the pairs of candidates that are close enough to be parts of the same digit."""
    boxes = np.array([candidate.box for candidate in candidates])
    sizes = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
    top_left, bottom_right = boxes[:, :2], boxes[:, 2:]
    gaps = np.maximum(top_left[:, None], top_left) - np.minimum(bottom_right[:, None], bottom_right)
    union = (np.maximum(bottom_right[:, None], bottom_right) - np.minimum(top_left[:, None], top_left)).max(axis=2)
    near = gaps.max(axis=2) <= MAX_GAP * np.maximum.outer(sizes, sizes)
    likely = np.array([candidate.is_digit for candidate in candidates])
    likely |= not likely.any()
    near &= union <= 2.2 * usual(sizes[likely], sizes[likely])
    mass = np.array([candidate.mass for candidate in candidates])
    near &= np.minimum.outer(mass, mass) >= MIN_PART * np.maximum.outer(mass, mass)
    return [(i, j) for i, j in np.argwhere(near).tolist() if i < j]


def _split_all(model: ModelLike, candidates: list[Candidate]) -> list[Candidate]:
    """Split the wide candidates that the network rejects: they may be touching digits."""
    wide = [c for c in candidates if not c.is_digit and c.box[2] - c.box[0] > 0.8 * (c.box[3] - c.box[1])]
    wide = sorted(wide, key=lambda candidate: -candidate.mass)[:MAX_SPLITS]
    rest = [candidate for candidate in candidates if not any(candidate is other for other in wide)]
    return rest + [part for candidate in wide for part in _split(model, candidate)]


def _split(model: ModelLike, candidate: Candidate) -> list[Candidate]:
    """Return the best two parts of a candidate, each split in turn, or the candidate if none is better."""
    ink, mass = candidate.ink, float(candidate.ink.sum())
    halves = [(ink * left, ink * ~left) for left in _cuts(ink)]
    halves = [
        pair
        for pair in halves
        if min(half.sum() for half in pair) > 0.1 * mass and all(half.max() > 0.5 for half in pair)
    ]
    if not halves:
        return [candidate]
    pixels, probabilities = classify(model, [half for pair in halves for half in pair])
    confidence = probabilities.max(axis=1).reshape(-1, 2)
    weights = np.array([[half.sum() for half in pair] for pair in halves]) / mass
    best = int((confidence * weights).sum(axis=1).argmax())
    if confidence[best].min() < 0.8:
        return [candidate]
    parts = []
    for side in (0, 1):
        half = halves[best][side]
        rows, columns = (np.flatnonzero((half > 0.3).any(axis=axis)) for axis in (1, 0))
        left = candidate.box[0] - (ink.shape[1] - (candidate.box[2] - candidate.box[0])) // 2
        top = candidate.box[1] - (ink.shape[0] - (candidate.box[3] - candidate.box[1])) // 2
        box = (left + int(columns[0]), top + int(rows[0]), left + int(columns[-1]) + 1, top + int(rows[-1]) + 1)
        k = 2 * best + side
        share = float(weights[best, side])
        parts.append(Candidate(half, box, candidate.mass * share, candidate.strength, pixels[k], probabilities[k]))
    return parts


def _cuts(ink: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the pixels left of each place where the ink is thin, bool (h, w), for each slant."""
    height, width = ink.shape
    down, right = np.indices(ink.shape)
    margin = max(3, round(0.15 * width))
    for shear in SHEARS:
        column = right + shear * (down - height / 2)
        profile = np.bincount(np.clip(column, 0, width - 1).astype(int).ravel(), ink.ravel(), width)
        profile = ndimage.gaussian_filter1d(profile, 1 + height / 40)
        valleys = margin + find_peaks(-profile[margin:-margin])[0]
        for cut in sorted(valleys, key=lambda x: profile[x])[:CUTS]:
            yield column < cut
