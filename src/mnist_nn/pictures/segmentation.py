"""Ink: from the brightness of a picture to strokes on an empty background, and to separate marks.

Brightness and ink are float32 (h, w). Ink is the contrast with the paper (or board) around it, 0 to 1.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

FAINTEST = 0.1  # contrast with the paper; what is fainter is not ink
COARSE = 64  # pixels a side at which the paper is looked at
WIDEST_STROKE = 0.45  # of the picture's shorter side; what is darker over a wider stretch is a shadow, not a stroke


def ink_of(grey: np.ndarray) -> np.ndarray:
    """Return the ink in a picture of strokes on paper, dark or light: shadows, uneven light and noise levelled."""
    coarse, scale = reduced(grey, COARSE)
    if not _is_dark_on_light(coarse):
        grey, coarse = 1 - grey, 1 - coarse
    paper = _paper(coarse, smooth=scale < 1)
    if scale < 1:
        paper = paper - np.median(paper - coarse)  # closing noise makes it brighter than it is
        paper = resized(paper, grey.shape) if paper.ndim else paper
    # A shadow dims paper and ink alike, so their ratio stays.
    ink = np.maximum(paper - grey, 0) / np.maximum(paper, FAINTEST)
    if max(grey.shape) > 150:
        part = part_with(ink > 0, margin=2)  # the rest is 0 and stays so
        ink[part] = ndimage.gaussian_filter(ink[part], 0.7, truncate=2)
    return ink


def _is_dark_on_light(coarse: np.ndarray) -> bool:
    """An even edge is paper. Else strokes are few and stand out: contrast with the neighbourhood is skewed to them."""
    low, middle, high = _edge(coarse)
    darkest, lightest = coarse.min(), coarse.max()
    if high - low < 0.1 * (lightest - darkest):
        return bool(middle >= (darkest + lightest) / 2)
    contrast = coarse - ndimage.gaussian_filter(coarse, 0.1 * max(coarse.shape))
    return bool((contrast**3).mean() <= 0)


def _edge(coarse: np.ndarray) -> np.ndarray:
    """Return the 10 %, 50 % and 90 % quantiles of the brightness along the edge of the picture."""
    return np.quantile(np.concatenate([coarse[0], coarse[-1], coarse[:, 0], coarse[:, -1]]), [0.1, 0.5, 0.9])


def _paper(coarse: np.ndarray, smooth: bool) -> np.ndarray | np.float32:
    """Return the brightness of the paper under dark ink, one number if it is evenly lit.

    Ink is closed over by the paper around it.
    """
    surface = ndimage.gaussian_filter(coarse, 1) if smooth else coarse
    widest = max(3, round(max(WIDEST_STROKE * min(coarse.shape), 0.2 * max(coarse.shape))))
    paper = ndimage.grey_closing(surface, size=(widest, widest), mode="nearest")
    low, middle, high = _edge(paper)
    if high - low < 0.25 * (paper.max() - coarse.min()):
        return np.float32(middle)  # evenly lit: then even the widest blot is ink
    return paper


@dataclass(frozen=True, eq=False)
class Marks:
    """Connected marks of ink: which pixel belongs to which, and where each one is.

    ink: float32 (h, w). labels: int (h, w), 0 for paper, else the number of the mark.
    boxes: top, left, bottom, right of each mark, int (n, 4). mass: sum of the ink of each, float (n,).
    """

    ink: np.ndarray
    labels: np.ndarray
    boxes: np.ndarray
    mass: np.ndarray

    @property
    def at_edge(self) -> np.ndarray:
        """Which marks touch the edge of the picture, bool (n,)."""
        return (self.boxes[:, :2] == 0).any(axis=1) | (self.boxes[:, 2:] == self.ink.shape).any(axis=1)

    def only(self, numbers) -> tuple[np.ndarray, tuple[int, int, int, int]]:
        """Return the ink around the marks of these numbers (from 0), others left out, and their common box.

        The ink is scaled so that their darkest strokes are 1.
        """
        chosen = np.zeros(len(self.boxes) + 1, bool)
        chosen[np.asarray(numbers) + 1] = True
        top, left = self.boxes[numbers, :2].min(axis=0)
        bottom, right = self.boxes[numbers, 2:].max(axis=0)
        margin = 2 + max(bottom - top, right - left) // 32
        part = np.s_[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin]
        ink, labels = self.ink[part], self.labels[part]
        mine = chosen.take(labels)  # faster than chosen[labels]
        ink = (ink / np.quantile(ink[mine], 0.95)).clip(0, 1)
        others = (labels > 0) & ~mine
        if others.any():
            ink[ndimage.binary_dilation(others, iterations=2) & ~mine] = 0
        return ink, (int(left), int(top), int(right), int(bottom))


def marks_of(ink: np.ndarray, faintest: float) -> Marks:
    """Return the connected marks in a picture's ink; none if it is blank.

    faintest: share of the darkest ink; what is fainter is not part of a mark.
    """
    # Half of the paper is a little darker than its mean. If 65 % or more of a picture is paper, the 65th percentile
    # of its ink is 0.385 standard deviations of the noise; 0 if most of the paper has none.
    some = ink[::2, ::2]
    noise = np.quantile(some, 0.65) / 0.385 if np.count_nonzero(some) > 0.34 * some.size else 0.0
    peak = ink.max()
    threshold = max(faintest * peak, min(4 * noise, 0.5 * peak)) if peak >= FAINTEST else np.inf
    marked = ink > threshold
    part, labels = part_with(marked), np.zeros(ink.shape, np.int32)
    labels[part], n = ndimage.label(marked[part], np.ones((3, 3)))
    boxes = [(y.start, x.start, y.stop, x.stop) for y, x in ndimage.find_objects(labels[part])]
    boxes = np.array(boxes, int).reshape(n, 4) + [axis.start or 0 for axis in part] * 2
    mass = np.bincount(labels[part][marked[part]], ink[part][marked[part]], n + 1)[1:]
    return Marks(ink, labels, boxes, mass)


def part_with(chosen: np.ndarray, margin: int = 0) -> tuple[slice, ...]:
    """Return the rows and columns that hold all chosen pixels, bool (h, w), and a margin around them.

    If there are none, the first of each.
    """
    found = (np.flatnonzero(chosen.any(axis=axis)) for axis in (1, 0))
    return tuple(slice(max(0, f[0] - margin), f[-1] + 1 + margin) if len(f) else slice(1) for f in found)


def resized(values: np.ndarray, shape: tuple[int, int], filter=Image.Resampling.BILINEAR) -> np.ndarray:
    """Return float32 (h, w) resized to another shape."""
    return np.asarray(Image.fromarray(values.astype(np.float32, copy=False)).resize(shape[::-1], filter))


def reduced(values: np.ndarray, side: int) -> tuple[np.ndarray, float]:
    """Return float32 (h, w) with its longer side reduced to `side` pixels if need be, and the factor, at most 1."""
    if max(values.shape) <= side:
        return values, 1.0
    scale = side / max(values.shape)
    height, width = (max(1, round(length * scale)) for length in values.shape)
    return resized(values, (height, width), Image.Resampling.BOX), scale
