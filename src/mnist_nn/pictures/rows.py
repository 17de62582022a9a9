"""Several digits in one picture: a phone number, a postal code, a column of sums."""

import numpy as np
from scipy import ndimage
from scipy.signal import find_peaks

from .normalization import to_mnist
from .digit import Prediction, mean_probabilities
from .segmentation import Marks, ink_of, marks_of, reduced
from .loading import grey, open_picture

WORKING = 1_400  # pixels a side
FAINT = 0.4  # share of the darkest stroke; fainter ones do not join digits
MOST = 300  # marks; a picture with more is a texture rather than rows of digits
CUTS = 6  # places at which a wide mark may be two digits that touch


def read_digits(model, image) -> list[Prediction]:
    """Return the digits in a picture, line by line from top to bottom, each line from left to right.

    Each Prediction's box tells where it is, in the pixels of the upright picture that `open_picture` gives. Digits
    that touch are cut apart where that makes the network surer of both. None are found in a blank picture.
    image: whatever `prepare_image` takes.

    Raises ValueError or FileNotFoundError as `prepare_image` does, and ValueError for a picture of over 300 marks.
    """
    brightness = grey(open_picture(image))
    small, scale = reduced(brightness, WORKING)
    marks = marks_of(ink_of(small), FAINT)
    pieces = []
    for line in _lines(marks):
        height = np.median([_side(marks, group)[0] for group in line])
        for group in line:
            pieces += _apart(model, *marks.only(group), height)
    if not pieces:
        return []
    pixels = np.stack([to_mnist(ink) for ink, _ in pieces])
    boxes = [tuple(round(side / scale) for side in box) for _, box in pieces]
    return list(map(Prediction, mean_probabilities(model, pixels), pixels, boxes))


def _lines(marks: Marks) -> list[list[list[int]]]:
    """Return lines of groups of marks, a group for each digit (or several that touch), in reading order."""
    sizes = marks.boxes[:, 2:] - marks.boxes[:, :2]
    if not len(sizes):
        return []
    ruled = (sizes[:, 0] < 0.1 * sizes[:, 1]) & (sizes[:, 1] > 0.5 * marks.ink.shape[1])
    real = ~ruled & (sizes.max(axis=1) >= 4)
    if real.sum() > MOST:
        raise ValueError(f"image holds {real.sum():,} marks, more than {MOST} digits; cut out the part with digits")
    usual = np.quantile(sizes[real, 0], 0.75) if real.any() else 0
    # A digit's own size, or half of it: what is smaller is a speck or a part of a digit.
    tall = np.flatnonzero(real & (sizes[:, 0] >= 0.4 * usual))
    lines: list[list[int]] = []
    for number in sorted(tall, key=lambda i: -sizes[i, 0]):
        middle = marks.boxes[number, [0, 2]].mean()
        for line in lines:
            top, bottom = marks.boxes[line[0], [0, 2]]
            if top <= middle <= bottom:
                line.append(number)
                break
        else:
            lines.append([number])
    lines = _unwavy(marks, sorted(lines, key=lambda line: marks.boxes[line[0], 0]), usual)
    short = np.flatnonzero(real & (sizes[:, 0] < 0.4 * usual))
    groups = [_joined(marks, sorted(line, key=lambda i: marks.boxes[i, 1])) for line in lines]
    for number in short:
        _give(marks, number, groups, usual)
    return groups


def _unwavy(marks: Marks, lines: list[list[int]], usual: float) -> list[list[int]]:
    """Return the lines, those joined of which one fills gaps of the other: a row that goes up and down."""
    joined = lines[:1]
    for line in lines[1:]:
        above, below = marks.boxes[joined[-1]], marks.boxes[line]
        overlap = np.minimum.outer(above[:, 3], below[:, 3]) - np.maximum.outer(above[:, 1], below[:, 1])
        width = np.minimum.outer(above[:, 3] - above[:, 1], below[:, 3] - below[:, 1])
        if (overlap <= 0.5 * width).all() and below[:, 0].min() - above[:, 2].max() < 0.5 * usual:
            joined[-1] = joined[-1] + line
        else:
            joined.append(line)
    return joined


def _joined(marks: Marks, line: list[int]) -> list[list[int]]:
    """Return the marks of a line in groups: those above one another belong to one digit."""
    groups: list[list[int]] = []
    for number in line:
        if groups:
            left, right = marks.boxes[groups[-1], 1].min(), marks.boxes[groups[-1], 3].max()
            own_left, own_right = marks.boxes[number, [1, 3]]
            if min(right, own_right) - own_left > 0.6 * min(right - left, own_right - own_left):
                groups[-1].append(number)
                continue
        groups.append([number])
    return groups


def _give(marks: Marks, number: int, lines: list[list[list[int]]], usual: float) -> None:
    """Add a small mark to the digit it is part of: the nearest, if it is near enough and the mark no speck."""
    top, left, bottom, right = marks.boxes[number]
    nearest, gap = None, 0.25 * usual
    for group in (group for line in lines for group in line):
        boxes = marks.boxes[group]
        apart = max(left - boxes[:, 3].max(), boxes[:, 1].min() - right, 0) + max(
            top - boxes[:, 2].max(), boxes[:, 0].min() - bottom, 0
        )
        if apart <= gap and marks.mass[number] > 0.03 * marks.mass[group].sum():
            nearest, gap = group, apart
    if nearest is not None:
        nearest.append(number)


def _side(marks: Marks, group: list[int]) -> np.ndarray:
    """Return the height and width of a group of marks."""
    return marks.boxes[group, 2:].max(axis=0) - marks.boxes[group, :2].min(axis=0)


def _apart(model, ink: np.ndarray, box: tuple[int, int, int, int], height: float) -> list:
    """Return [(ink, box)] of one digit, or of several that touch, cut where the network is surest of all of them."""
    left, top, right, bottom = box
    if right - left < 0.7 * height:
        return [(ink, box)]
    across = ndimage.gaussian_filter1d(ink.sum(axis=0), 1 + height / 40)
    room = max(3, round(0.2 * height))
    valleys = room + find_peaks(-across[room:-room])[0]
    cuts = sorted(valleys, key=lambda x: across[x])[:CUTS]
    halves = [(ink[:, :cut], ink[:, cut:]) for cut in cuts if ink[:, :cut].max() > 0.5 and ink[:, cut:].max() > 0.5]
    if not halves:
        return [(ink, box)]
    candidates = np.stack([to_mnist(ink)] + [to_mnist(half) for pair in halves for half in pair])
    confidence = mean_probabilities(model, candidates).max(axis=1)
    pairs = confidence[1:].reshape(-1, 2).min(axis=1)
    wide = (right - left) > 1.3 * height  # wider than any digit
    if (not wide and confidence[0] >= 0.5) or pairs.max() <= confidence[0]:
        return [(ink, box)]
    first, second = halves[int(pairs.argmax())]
    offset = left - (ink.shape[1] - (right - left)) // 2
    middle = offset + first.shape[1]
    return [
        *_apart(model, first, (left, top, middle, bottom), height),
        *_apart(model, second, (middle, top, right, bottom), height),
    ]
