"""Split touching digits where the network is confident about all parts."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy import ndimage
from scipy.signal import find_peaks

from ..model import ModelLike
from .candidates import MIN_MASS, Candidate
from .joining import Judge
from .normalization import VISIBLE_INK
from .prediction import classify
from .segmentation import bounding_slices, margin_around

MIN_WIDTH = 0.8  # of the height; two digits are not narrower
MIN_HALF = 0.1  # of the ink
MIN_PART_CONFIDENCE = 0.8  # in each part
SHEARS = (0.0, 0.25, -0.25, 0.5)  # slants of the cuts between touching digits
CUTS = 3  # for each slant
MAX_WIDE = 20  # candidates that may be touching digits; a picture with more is a texture or a page of text


def split_touching(judge: Judge, candidates: list[Candidate]) -> list[Candidate]:
    """Split the wide candidates that the network rejects: they may be touching digits.

    Args:
        judge: Asks the network about groups of marks.
        candidates: All candidates in a picture.

    Returns:
        The candidates, each wide one replaced by its parts if the network is confident about all of them; the same
        candidates if more than 20 are wide.
    """
    wide = sorted(filter(_may_touch, candidates), key=lambda candidate: -candidate.mass)
    if len(wide) > MAX_WIDE and wide[MAX_WIDE].mass > MIN_MASS * wide[MAX_WIDE // 2].mass:  # no specks
        return candidates
    wide = wide[:MAX_WIDE]
    rest = [candidate for candidate in candidates if not any(candidate is other for other in wide)]
    return rest + [part for candidate in wide for part in _split_marks(judge, candidate)]


def _split_marks(judge: Judge, candidate: Candidate) -> list[Candidate]:
    """Return the parts of a candidate, or those of its marks: a sign may have been joined to touching digits."""
    parts = _split(judge.model, candidate, *_find_origin(candidate))
    if len(parts) > 1 or len(candidate.marks) < 2:
        return parts
    marks = judge([frozenset([mark]) for mark in sorted(candidate.marks)])
    split = [_split(judge.model, mark, *_find_origin(mark)) if _may_touch(mark) else [mark] for mark in marks]
    parts = [part for mark in split for part in mark]
    return parts if len(parts) > len(marks) else [candidate]


def _may_touch(candidate: Candidate) -> bool:
    left, top, right, bottom = candidate.box
    return not candidate.is_likely and right - left > MIN_WIDTH * (bottom - top)


def _find_origin(candidate: Candidate) -> tuple[int, int]:
    """Return where the ink of a candidate begins, left and top; it has a margin around its box."""
    margin = margin_around(candidate.size)
    return max(0, candidate.box[0] - margin), max(0, candidate.box[1] - margin)  # the picture may end there


def _split(model: ModelLike, candidate: Candidate, x: int, y: int) -> list[Candidate]:
    """Return the parts of a candidate, or the candidate if the network is unsure about one of them.

    If no cut leaves two digits, the clearest digit is cut off, and the rest is split again.

    Args:
        model: A Keras model or a Network.
        candidate: May be touching digits.
        x: Where its ink begins in the picture, from the left.
        y: The same from the top.
    """
    mass = float(candidate.ink.sum())
    cuts = [(candidate.ink * left, candidate.ink * ~left) for left in _cuts(candidate.ink)]
    cuts = [pair for pair in cuts if all(half.sum() > MIN_HALF * mass and half.max() > 0.5 for half in pair)]
    if not cuts:
        return [candidate]
    pixels, probabilities = classify(model, [half for pair in cuts for half in pair])
    confidence = probabilities.max(axis=1).reshape(-1, 2)
    shares = np.array([[half.sum() / mass for half in pair] for pair in cuts])
    best = int((confidence * shares).sum(axis=1).argmax())
    if confidence[best].min() < MIN_PART_CONFIDENCE:
        best = int(confidence.max(axis=1).argmax())
    parts = []
    for k, half in enumerate(cuts[best]):
        rows, columns = bounding_slices(half > VISIBLE_INK)
        box = (x + columns.start, y + rows.start, x + columns.stop, y + rows.stop)
        opinion = {"pixels": pixels[2 * best + k], "probabilities": probabilities[2 * best + k]}
        size = {"ink": half[rows, columns], "box": box, "mass": candidate.mass * float(shares[best, k])}
        parts.append(replace(candidate, **size, **opinion, marks=frozenset()))
    parts.sort(key=lambda part: part.confidence)
    if parts[0].confidence >= MIN_PART_CONFIDENCE:
        return parts
    if parts[1].confidence < MIN_PART_CONFIDENCE or not _may_touch(parts[0]):
        return [candidate]
    others = _split(model, parts[0], *parts[0].box[:2])
    return [parts[1], *others] if len(others) > 1 else [candidate]


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
