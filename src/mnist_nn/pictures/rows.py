"""Predict several digits in one picture: a phone number, a postal code, several lines."""

import numpy as np
from scipy import ndimage
from scipy.signal import find_peaks

from ..model import ModelLike
from .digit import Prediction, mean_probabilities
from .loading import ImageLike, brightness, open_picture
from .normalization import normalize
from .segmentation import Marks, find_ink, find_marks, reduce

SEARCH_SIDE_PX = 1_400
MIN_INK = 0.4  # fraction of the darkest stroke; fainter ink does not connect digits
MAX_MARKS = 300  # a picture with more is a texture, not rows of digits
MAX_CUTS = 6  # positions at which a wide mark may be split into two touching digits

Box = tuple[int, int, int, int]  # left, top, right, bottom


def read_digits(model: ModelLike, image: ImageLike) -> list[Prediction]:
    """Predict the digits in a picture, line by line from top to bottom, each line from left to right.

    Touching digits are split where this makes the model more confident in both.

    Args:
        model: A Keras model from (n, 28, 28) pixels to (n, 10) probabilities, or a Network.
        image: A path, the bytes of a file, a Pillow image or an array; see `prepare_image`.

    Returns:
        One Prediction per digit; an empty list for a blank picture.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is not a picture, an array has another form, `model` is not such a model, or the picture
            has more than 300 separate marks.

    Example:
        >>> import numpy as np
        >>> from mnist_nn import load_mnist, load_network, read_digits
        >>> row = np.concatenate(load_mnist().test.images[:4], axis=1)
        >>> [prediction.digit for prediction in read_digits(load_network(), row)]
        [7, 2, 1, 0]
    """
    small, scale = reduce(brightness(open_picture(image)), SEARCH_SIDE_PX)
    marks = find_marks(find_ink(small), MIN_INK)
    pieces = []
    for line in _find_lines(marks):
        height = float(np.median([_size(marks, group)[0] for group in line]))
        for group in line:
            pieces += _split(model, *marks.cut_out(group), height)
    if not pieces:
        return []
    pixels = np.stack([normalize(ink) for ink, _ in pieces])
    probabilities = mean_probabilities(model, pixels)
    boxes = [tuple(round(side / scale) for side in box) for _, box in pieces]
    return list(map(Prediction, probabilities, pixels, boxes))


def _find_lines(marks: Marks) -> list[list[list[int]]]:
    """Return lines of groups of marks in reading order; a group is one digit, or several that touch."""
    sizes = marks.sizes
    if not len(sizes):
        return []
    is_line = (sizes[:, 0] < 0.1 * sizes[:, 1]) & (sizes[:, 1] > 0.5 * marks.ink.shape[1])
    possible = ~is_line & (sizes.max(axis=1) >= 4)
    if possible.sum() > MAX_MARKS:
        raise ValueError(
            f"image holds {possible.sum():,} marks, more than {MAX_MARKS} digits; cut out the part with digits"
        )
    usual = float(np.quantile(sizes[possible, 0], 0.75)) if possible.any() else 0.0
    # Marks of less than 0.4 times the usual height are specks or parts of a digit.
    tall = np.flatnonzero(possible & (sizes[:, 0] >= 0.4 * usual))
    lines: list[list[int]] = []
    for mark in sorted(tall.tolist(), key=lambda i: -sizes[i, 0]):
        middle = marks.boxes[mark, [0, 2]].mean()
        for line in lines:
            top, bottom = marks.boxes[line[0], [0, 2]]
            if top <= middle <= bottom:
                line.append(mark)
                break
        else:
            lines.append([mark])
    lines = _join_wavy_lines(marks, sorted(lines, key=lambda line: marks.boxes[line[0], 0]), usual)
    groups = [_join_stacked_marks(marks, sorted(line, key=lambda i: marks.boxes[i, 1])) for line in lines]
    for mark in np.flatnonzero(possible & (sizes[:, 0] < 0.4 * usual)).tolist():
        _assign_small_mark(marks, mark, groups, usual)
    return groups


def _join_wavy_lines(marks: Marks, lines: list[list[int]], usual: float) -> list[list[int]]:
    """Join two lines if the marks of one fill gaps of the other: together they are one wavy line."""
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


def _join_stacked_marks(marks: Marks, line: list[int]) -> list[list[int]]:
    """Group the marks of a line: marks above one another belong to one digit."""
    groups: list[list[int]] = []
    for mark in line:
        if groups:
            left, right = marks.boxes[groups[-1], 1].min(), marks.boxes[groups[-1], 3].max()
            own_left, own_right = marks.boxes[mark, [1, 3]]
            if min(right, own_right) - own_left > 0.6 * min(right - left, own_right - own_left):
                groups[-1].append(mark)
                continue
        groups.append([mark])
    return groups


def _assign_small_mark(marks: Marks, mark: int, lines: list[list[list[int]]], usual: float) -> None:
    """Add a small mark to the nearest digit, if that is close enough and the mark is not a speck."""
    top, left, bottom, right = marks.boxes[mark]
    nearest, smallest_gap = None, 0.25 * usual
    for group in (group for line in lines for group in line):
        boxes = marks.boxes[group]
        gap = max(left - boxes[:, 3].max(), boxes[:, 1].min() - right, 0) + max(
            top - boxes[:, 2].max(), boxes[:, 0].min() - bottom, 0
        )
        if gap <= smallest_gap and marks.mass[mark] > 0.03 * marks.mass[group].sum():
            nearest, smallest_gap = group, gap
    if nearest is not None:
        nearest.append(mark)


def _size(marks: Marks, group: list[int]) -> np.ndarray:
    """Return the height and width of a group of marks."""
    return marks.boxes[group, 2:].max(axis=0) - marks.boxes[group, :2].min(axis=0)


def _split(model: ModelLike, ink: np.ndarray, box: Box, height: float) -> list[tuple[np.ndarray, Box]]:
    """Split touching digits where the model is most confident in all parts; return the ink and box of each digit."""
    left, top, right, bottom = box
    if right - left < 0.7 * height:
        return [(ink, box)]
    column_ink = ndimage.gaussian_filter1d(ink.sum(axis=0), 1 + height / 40)
    margin = max(3, round(0.2 * height))
    valleys = margin + find_peaks(-column_ink[margin:-margin])[0]
    cuts = sorted(valleys, key=lambda x: column_ink[x])[:MAX_CUTS]
    halves = [(ink[:, :cut], ink[:, cut:]) for cut in cuts if ink[:, :cut].max() > 0.5 and ink[:, cut:].max() > 0.5]
    if not halves:
        return [(ink, box)]
    candidates = np.stack([normalize(ink)] + [normalize(half) for pair in halves for half in pair])
    confidence = mean_probabilities(model, candidates).max(axis=1)
    pairs = confidence[1:].reshape(-1, 2).min(axis=1)
    too_wide = (right - left) > 1.3 * height  # wider than any digit
    if (not too_wide and confidence[0] >= 0.5) or pairs.max() <= confidence[0]:
        return [(ink, box)]
    first, second = halves[int(pairs.argmax())]
    middle = left - (ink.shape[1] - (right - left)) // 2 + first.shape[1]
    return [
        *_split(model, first, (left, top, middle, bottom), height),
        *_split(model, second, (middle, top, right, bottom), height),
    ]
