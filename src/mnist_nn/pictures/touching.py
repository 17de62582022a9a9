"""Split touching digits where the network is confident about both halves."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy import ndimage
from scipy.signal import find_peaks

from ..model import ModelLike
from .candidates import Candidate
from .normalization import MIN_INK
from .prediction import classify
from .segmentation import Box, bounding_slices, margin_around

MIN_WIDTH = 0.8  # of the height; two digits are not narrower
MIN_HALF = 0.1  # of the ink
MIN_HALF_CONFIDENCE = 0.8
SHEARS = (0.0, 0.25, -0.25, 0.5)  # slants of the cuts between touching digits
CUTS = 3  # for each slant
MAX_SPLITS = 40  # candidates that are split, at most


def split_touching(model: ModelLike, candidates: list[Candidate]) -> list[Candidate]:
    """Split the wide candidates that the network rejects: they may be touching digits.

    Args:
        model: A Keras model or a Network.
        candidates: All candidates in a picture.

    Returns:
        The candidates, each wide one replaced by its two halves if the network is confident about both.
    """
    wide = [c for c in candidates if not c.is_digit and c.box[2] - c.box[0] > MIN_WIDTH * (c.box[3] - c.box[1])]
    wide = sorted(wide, key=lambda candidate: -candidate.mass)[:MAX_SPLITS]
    rest = [candidate for candidate in candidates if not any(candidate is other for other in wide)]
    return rest + [part for candidate in wide for part in _split(model, candidate)]


def _split(model: ModelLike, candidate: Candidate) -> list[Candidate]:
    """Return the best two halves of a candidate, or the candidate if the network is unsure about one of them."""
    mass = float(candidate.ink.sum())
    cuts = [(candidate.ink * left, candidate.ink * ~left) for left in _cuts(candidate.ink)]
    cuts = [pair for pair in cuts if all(half.sum() > MIN_HALF * mass and half.max() > 0.5 for half in pair)]
    if not cuts:
        return [candidate]
    halves = [half for pair in cuts for half in pair]
    pixels, probabilities = classify(model, halves)
    shares = np.array([half.sum() for half in halves]) / mass
    confidence = probabilities.max(axis=1)
    best = 2 * int((confidence * shares).reshape(-1, 2).sum(axis=1).argmax())
    if confidence[best : best + 2].min() < MIN_HALF_CONFIDENCE:
        return [candidate]
    return [
        replace(
            candidate,
            ink=halves[k],
            box=_find_box(halves[k], candidate),
            mass=candidate.mass * float(shares[k]),
            pixels=pixels[k],
            probabilities=probabilities[k],
            marks=frozenset(),
        )
        for k in (best, best + 1)
    ]


def _find_box(half: np.ndarray, candidate: Candidate) -> Box:
    """Return the box of a half; its ink has the size of the candidate's, which has a margin around its box."""
    left, top, right, bottom = candidate.box
    margin = margin_around(max(right - left, bottom - top))
    rows, columns = bounding_slices(half > MIN_INK)
    x, y = max(0, left - margin), max(0, top - margin)  # the margin ends at the edge of the picture
    return (x + columns.start, y + rows.start, x + columns.stop, y + rows.stop)


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
