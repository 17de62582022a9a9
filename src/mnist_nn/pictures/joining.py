"""Join marks that are parts of the same digit, where the network agrees."""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csgraph

from ..model import ModelLike
from .candidates import LIKE_DIGIT, MIN_CONFIDENCE, Candidate, usual
from .prediction import classify
from .segmentation import Marks

MAX_PARTS = 10  # of a digit
MAX_GROUPS = 200  # a page of 250 digits needs about 100, a texture without such a limit 1,500
MIN_PART = 0.01  # of a digit's ink; less is a speck beside it
MAX_GAP = 0.3  # between the parts of a digit, relative to the larger one
PIECE_COST = 0.02  # two pieces must explain this much more ink than one
MAX_PAIR, MAX_DIGIT = 2.2, 1.5  # of the usual digit's size: parts together, and two parts above each other
OVERLAP = 0.5  # of the narrower or lower part; with more, parts stand above each other or side by side


class Judge:
    """Asks the network about groups of marks, and remembers what it answered.

    Args:
        model: A Keras model or a Network.
        marks: The marks of one interpretation of a picture.
        tight: True if the picture may have been cropped tightly.
    """

    def __init__(self, model: ModelLike, marks: Marks, tight: bool) -> None:
        self.model, self.marks, self.tight, self.known = model, marks, tight, {}
        self.leaving = frozenset[int]() if tight else frozenset(np.flatnonzero(marks.leave_picture).tolist())

    def __call__(self, groups: Sequence[frozenset[int]]) -> list[Candidate]:
        new = [group for group in dict.fromkeys(groups) if group not in self.known]
        if new:
            cut = [self.marks.cut_out(sorted(group)) for group in new]
            answers = zip(*classify(self.model, [ink for ink, _ in cut], self.tight), strict=True)
            for group, (ink, box), (pixels, probabilities) in zip(new, cut, answers, strict=True):
                mass = float(self.marks.mass[list(group)].sum())
                strength = float(self.marks.strength[list(group)].max())
                leaves_picture = not self.leaving.isdisjoint(group)
                self.known[group] = Candidate(ink, box, mass, strength, pixels, probabilities, group, leaves_picture)
        return [self.known[group] for group in groups]

    def together(self, parts: Sequence[Candidate]) -> Candidate | None:
        """Return all marks of some candidates as one, or None if they cannot be the parts of one digit."""
        marks = _marks_of(parts)
        return self([marks])[0] if 2 <= len(parts) <= MAX_PARTS and len(marks) >= 2 else None


def _marks_of(parts: Sequence[Candidate]) -> frozenset[int]:
    return frozenset[int]().union(*(part.marks for part in parts))


def join_parts(judge: Judge, candidates: list[Candidate]) -> list[Candidate]:
    """Join neighbours as long as that explains more ink, and as long as there are not so many that it is a texture.

    Args:
        judge: Asks the network about groups of marks.
        candidates: One candidate for each mark.

    Returns:
        Candidates that share no marks.
    """
    most = len(judge.known) + MAX_GROUPS
    while len(candidates) > 1 and len(judge.known) < most:
        pairs, exclusive = _neighbors(candidates)
        groups = pairs + exclusive
        parts = [[candidates[i] for i in group] for group in groups]
        joined = judge([_marks_of(group) for group in parts])
        gains = [_gain(whole, parts[k], exclusive=k >= len(pairs)) for k, whole in enumerate(joined)]
        used: set[int] = set()
        new = []
        # Parts of which only one can be a digit go first: one of them may fit a neighbour as well.
        for k in sorted(range(len(gains)), key=lambda k: (k < len(pairs), -gains[k])):
            if gains[k] > 0 and used.isdisjoint(groups[k]):
                used.update(groups[k])
                new.append(joined[k])
        if not new:
            break
        candidates = [candidate for i, candidate in enumerate(candidates) if i not in used] + new
    return candidates


def _gain(whole: Candidate, parts: list[Candidate], exclusive: bool) -> float:
    """Return how much more ink is explained by the whole than by its parts, of which only one counts if exclusive."""
    if exclusive:  # ink that is left out counts half, as in `Candidate.share`
        mass = sum(part.mass for part in parts)
        value = max(part.value + MIN_CONFIDENCE * (mass - part.mass) for part in parts)
    else:
        value = sum(part.value for part in parts)
    bonus = 0.0 if all(part.is_likely for part in parts) else PIECE_COST * min(part.mass for part in parts)
    return whole.value - value + bonus


def _neighbors(candidates: list[Candidate]) -> tuple[list[list[int]], list[list[int]]]:
    """Return the groups of candidates that are close enough to be parts of the same digit.

    Args:
        candidates: All candidates in a picture.

    Returns:
        Pairs of neighbours, and exclusive groups of two or more, of which only one can be a digit. The digits of a
        line stand side by side, but the parts of a broken digit often stand above each other, or small ones are
        staggered. If they are as tall as two lines, they are not exclusive.
    """
    boxes = np.array([candidate.box for candidate in candidates])
    top_left, bottom_right = boxes[:, :2], boxes[:, 2:]
    lengths = bottom_right - top_left  # width and height
    sizes = lengths.max(axis=1)
    gaps = np.maximum(top_left[:, None], top_left) - np.minimum(bottom_right[:, None], bottom_right)
    union = (np.maximum(bottom_right[:, None], bottom_right) - np.minimum(top_left[:, None], top_left)).max(axis=2)
    mass = np.array([candidate.mass for candidate in candidates])
    likely = np.array([candidate.is_likely for candidate in candidates])
    likely |= not likely.any()
    size = usual(sizes[likely], sizes[likely])
    near = (gaps.max(axis=2) <= MAX_GAP * np.maximum.outer(sizes, sizes)) & (union <= MAX_PAIR * size)
    near &= np.minimum.outer(mass, mass) >= MIN_PART * np.maximum.outer(mass, mass)
    across, down = np.moveaxis(-gaps >= OVERLAP * np.minimum(lengths[:, None], lengths), 2, 0)
    small = np.minimum.outer(sizes, sizes) < LIKE_DIGIT * size
    exclusive = near & (across | (small & ~down)) & (union <= MAX_DIGIT * size)
    _, numbers = csgraph.connected_components(exclusive)
    chains = [np.flatnonzero(numbers == number) for number in np.unique(numbers)]
    chains = [chain for chain in chains if np.ptp(boxes[chain].reshape(-1, 2), axis=0).max() <= MAX_PAIR * size]
    groups = np.argwhere(np.triu(exclusive, 1)).tolist() + [chain.tolist() for chain in chains if len(chain) > 2]
    return np.argwhere(np.triu(near & ~exclusive, 1)).tolist(), groups
