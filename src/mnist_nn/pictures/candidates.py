"""What may be a digit in a picture, and one interpretation of the whole picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .segmentation import Box
from .sheet import Sheet

MIN_CONFIDENCE = 0.5  # candidates below it are not digits
OTHER_SIZE_CONFIDENCE = 0.9  # needed by candidates of another size than the digits beside them: most are signs
UNSURE_CONFIDENCE = 0.11  # candidates below it are not digits even if they are as large as one
LIKE_DIGIT = 0.5  # of the usual digit's size and ink, or twice as much
MIN_MASS = 0.1  # of the usual digit; less ink is a speck or a crease
MIN_CUT_MASS = 0.25  # the same for a mark that leaves the picture; less is a thin shadow
MIN_INSIDE = 0.3  # of the size of a circle around a digit
MIN_SHARE = 0.8  # of the ink; a picture whose digit has less holds more than this digit
MAX_SIGN = 1.5  # of the usual digit's ink; a larger mark that is no digit may be several
FILLED = 0.85  # of the picture's height or width
MIN_EXPLAINED = 0.75  # of the ink in a row of digits; digits that explain less are pieces of text or of a texture
MIN_STRENGTH = 0.45  # of the usual ink's; fainter marks shine through the paper or are pieces of its lines


@dataclass(frozen=True, eq=False)
class Candidate:
    """What may be a digit: its ink, float32 (h, w), its box, and the network's opinion of it.

    One that leaves the picture may be a shadow, or a digit of which the rest is missing.
    """

    ink: np.ndarray
    box: Box
    mass: float
    strength: float
    pixels: np.ndarray
    probabilities: np.ndarray
    marks: frozenset[int] = frozenset()
    leaves_picture: bool = False

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
    def is_likely(self) -> bool:
        """True if the network is confident enough."""
        return self.confidence >= MIN_CONFIDENCE

    def surrounds(self, other: Candidate) -> bool:
        """Return True if the box of the other lies inside this one."""
        (left, top, right, bottom), inside = self.box, other.box
        return left < inside[0] and top < inside[1] and inside[2] < right and inside[3] < bottom

    def is_circle(self, others: Sequence[Candidate]) -> bool:
        """Return True if this is a line around another digit; a speck does not count."""
        return any(self.surrounds(other) and other.size >= MIN_INSIDE * self.size for other in others)

    def is_frame(self, others: Sequence[Candidate]) -> bool:
        """Return True if this is a line around several digits, such as the edge of a sheet; specks do not count."""
        inside = [other.mass for other in others if self.surrounds(other)]
        return len(inside) >= 2 and sum(inside) >= MIN_MASS * self.mass

    @property
    def share(self) -> float:
        """The confidence, but at least 0.5, because ink that is left out counts half."""
        return max(self.confidence, MIN_CONFIDENCE)

    @property
    def value(self) -> float:
        """The ink that the candidate explains."""
        return self.mass * self.share


@dataclass(frozen=True, eq=False)
class Reading:
    """One interpretation of a picture.

    Args:
        candidates: All candidates, digits or not; they do not overlap.
        whole: Several candidates together as one, because they may be the parts of one digit.
        left_out: The ink of marks that were left out because they seem to be shadows or the edge of a desk.
        sheet: Where the sheet of paper lies that was read, or None for the whole picture. The candidates' boxes are in
            pixels of the flattened sheet.
    """

    candidates: list[Candidate]
    whole: Candidate | None = None
    left_out: float = 0.0
    sheet: Sheet | None = None

    def locate(self, digit: Candidate, scale: float) -> Box:
        """Return the box of a digit in the whole picture, before it was reduced to the scale at which it was read."""
        left, top, right, bottom = digit.box if self.sheet is None else self.sheet.locate(digit.box)
        return round(left / scale), round(top / scale), round(right / scale), round(bottom / scale)

    @cached_property
    def digits(self) -> list[Candidate]:
        """The digits, without those that are much fainter or smaller than usual.

        A candidate of which the network is unsure is kept if it is as large as the digits beside it: signs are smaller.
        One of another size needs more confidence, and one that leaves the picture needs the size and the confidence,
        unless most digits do: then the picture is a tight crop.
        """
        likely = [candidate for candidate in self.candidates if candidate.is_likely]
        frames = [candidate for candidate in likely if candidate.is_frame(likely)]
        candidates = _without_faint([candidate for candidate in self.candidates if candidate not in frames])
        digits = [candidate for candidate in candidates if candidate.is_likely]
        if not digits:
            return []
        sizes = [digit.size for digit in digits]
        size = usual(sizes, sizes)
        mass = usual([digit.mass for digit in digits], sizes)
        is_crop = sum(digit.leaves_picture for digit in digits) > len(digits) / 2
        chosen = [candidate for candidate in candidates if _is_digit(candidate, size, mass, is_crop)]
        return [digit for digit in chosen if not digit.is_circle(chosen)]

    @cached_property
    def unread(self) -> list[Candidate]:
        """The marks that are not digits but larger than a sign, such as touching digits that could not be split."""
        others = [candidate for candidate in self.candidates if candidate not in self.digits]
        if not (self.digits and others):
            return []
        mass = usual([digit.mass for digit in self.digits], [digit.size for digit in self.digits])
        large = [other for other in others if other.mass >= (LIKE_DIGIT if other.leaves_picture else MAX_SIGN) * mass]
        return [mark for mark in large if not any(mark.surrounds(digit) for digit in self.digits)]

    @cached_property
    def main(self) -> Candidate:
        """The digit that the picture shows if it shows only one: the whole, or the digit with most ink."""
        if self.whole and self.whole.is_likely:
            return self.whole
        digit = max(self.digits or self.candidates, key=lambda candidate: candidate.mass)
        likely = max(self.candidates, key=lambda candidate: candidate.mass * candidate.confidence**2)
        return digit if digit.mass >= MIN_MASS * likely.mass else likely  # else it is a speck

    @property
    def mass(self) -> float:
        """The ink of all candidates."""
        return sum(candidate.mass for candidate in self.candidates)

    def main_fills(self, shape: tuple[int, ...]) -> bool:
        """Return True if the main digit is nearly as high or wide as a picture, so that its edge may have cut it."""
        if not self.candidates:
            return False
        left, top, right, bottom = self.main.box
        return max((bottom - top) / shape[0], (right - left) / shape[1]) >= FILLED

    def has_most_ink(self, candidate: Candidate) -> bool:
        """Return True if a candidate has most of the ink."""
        return candidate.mass > MIN_SHARE * self.mass

    @cached_property
    def explained(self) -> float:
        """The fraction of the ink that is explained by digits, 0.5 to 1; 0 if there is no ink.

        What is no digit counts as much as a usual digit at most, because the top of a desk outweighs all digits on it.
        """
        is_digit = {candidate: candidate in self.digits for candidate in self.candidates}
        candidates = [candidate for candidate in self.candidates if is_digit[candidate] or not candidate.leaves_picture]
        if not candidates:
            return 0.0
        mass = np.array([candidate.mass for candidate in candidates])
        if self.digits:
            largest = usual([digit.mass for digit in self.digits], [digit.size for digit in self.digits])
            mass = np.where([is_digit[candidate] for candidate in candidates], mass, np.minimum(mass, largest))
        return float(mass @ [candidate.share for candidate in candidates] / mass.sum())

    @cached_property
    def shows_digits(self) -> bool:
        """True if the digits explain enough of the ink, or one has most of it; else it shows something else."""
        return self.explained >= MIN_EXPLAINED or any(self.has_most_ink(digit) for digit in self.digits)

    @cached_property
    def explained_by_main(self) -> float:
        """The fraction of the ink that `main` explains alone, 0 to 1."""
        if not self.candidates:
            return 0.0
        return self.main.value / (self.mass + min(self.left_out, self.main.mass))


def _is_digit(candidate: Candidate, size: float, mass: float, is_crop: bool) -> bool:
    """Return True if a candidate is a digit beside others of the usual size and ink."""
    is_alike = LIKE_DIGIT <= candidate.size / size <= 1 / LIKE_DIGIT
    least, least_mass = UNSURE_CONFIDENCE if is_alike else OTHER_SIZE_CONFIDENCE, MIN_MASS
    if candidate.leaves_picture and not is_crop:
        if not is_alike:
            return False
        least, least_mass = OTHER_SIZE_CONFIDENCE, MIN_CUT_MASS
    if not candidate.is_likely:
        least_mass = LIKE_DIGIT
    return candidate.confidence >= least and least_mass <= candidate.mass / mass <= 1 / least_mass


def _without_faint(candidates: list[Candidate]) -> list[Candidate]:
    """Return the candidates without those that are much fainter than most of the ink that may be digits."""
    likely = [candidate for candidate in candidates if candidate.is_likely]
    if not likely:
        return candidates
    strength = usual([candidate.strength for candidate in likely], [candidate.mass for candidate in likely])
    return [candidate for candidate in candidates if candidate.strength >= MIN_STRENGTH * strength]


def usual(values: Sequence[float] | np.ndarray, weights: Sequence[float] | np.ndarray) -> float:
    """Return the weighted median: with sizes as weights, neither many specks nor one large area matter."""
    values, weights = np.asarray(values), np.asarray(weights)
    order = np.argsort(values)
    return float(values[order][np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)])
