"""Predict several digits in one picture: a phone number, a postal code, several lines."""

from ..model import ModelLike
from .candidates import Candidate
from .loading import ImageLike, brightness, open_picture
from .page import enlarge_small_crop, reduce
from .prediction import Prediction, model_first
from .reading import TooManyMarksError, read_picture

PAGE_SIDE_PX = 1_400  # rows are read at this size
MAX_STEP = 0.95  # of the height of a digit; the next one of the same line is at most so much higher or lower


@model_first
def read_digits(model: ModelLike, image: ImageLike) -> list[Prediction]:
    """Predict the digits in a picture, line by line from top to bottom, each line from left to right.

    Touching digits are split where the model is confident about all of the parts. If a large mark of a line cannot be
    read, none of its digits is `clear`, because digits may be missing.

    Args:
        model: A Keras model from (n, 28, 28) pixels to (n, 10) probabilities, or a Network.
        image: A path, the bytes of a file, a Pillow image or an array; see `prepare_image`.

    Returns:
        One Prediction per digit; an empty list for a blank picture, and for one that shows mostly something else.

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
    small, scale = reduce(brightness(open_picture(image)), PAGE_SIDE_PX)
    small, factor = enlarge_small_crop(small, min(small.shape))
    reading, predictions = read_picture(model, small, single=False), []
    digits = reading.digits if reading.shows_digits else []
    for number, line in enumerate(_sort_into_lines(digits)):
        highest, lowest = min(digit.box[1] for digit in line), max(digit.box[3] for digit in line)
        clear = not any(highest <= _middle(mark) <= lowest for mark in reading.unread)
        for digit in line:
            box = reading.locate(digit, scale * factor)
            predictions.append(Prediction(digit.probabilities, digit.pixels, box, clear, number))
    return predictions


def count_digits(model: ModelLike, image: ImageLike, prediction: Prediction) -> int:
    """Return how many digits a picture holds.

    Args:
        model: A Keras model or a Network.
        image: The picture.
        prediction: What `predict_digit` returned for it. If it is clear, the picture is not read again.

    Returns:
        The number of digits: 1 for a clear picture, 0 for one that `read_digits` refuses because it has too many marks.
    """
    if prediction.clear:
        return 1
    try:
        return len(read_digits(model, image))
    except TooManyMarksError:
        return 0


def _sort_into_lines(digits: list[Candidate]) -> list[list[Candidate]]:
    """Return the digits line by line; a line may slope or be wavy, so each digit continues the nearest line."""
    lines: list[list[Candidate]] = []
    for digit in sorted(digits, key=lambda digit: digit.box[0]):
        steps = [_step(line[-1], digit) for line in lines]
        if steps and min(steps) <= MAX_STEP:
            lines[steps.index(min(steps))].append(digit)
        else:
            lines.append([digit])
    merged: list[list[Candidate]] = []
    for line in lines:
        same = next((other for other in merged if _is_same_line(line, other)), None)
        if same:
            same.extend(line)
            same.sort(key=lambda digit: digit.box[0])
        else:
            merged.append(line)
    return sorted(merged, key=lambda line: sum(_middle(digit) for digit in line) / len(line))


def _is_same_line(line: list[Candidate], other: list[Candidate]) -> bool:
    """Return True if two lines overlap vertically, and no digit of one stands above a digit of the other."""
    (top, bottom), (other_top, other_bottom) = (
        (min(digit.box[1] for digit in digits), max(digit.box[3] for digit in digits)) for digits in (line, other)
    )
    pairs = [(digit.box, another.box) for digit in line for another in other]
    above = any(a[0] <= (b[0] + b[2]) / 2 <= a[2] or b[0] <= (a[0] + a[2]) / 2 <= b[2] for a, b in pairs)
    return not above and min(bottom, other_bottom) > max(top, other_top)


def _middle(digit: Candidate) -> float:
    return (digit.box[1] + digit.box[3]) / 2


def _step(last: Candidate, digit: Candidate) -> float:
    """Return how much higher or lower a digit is than the last one of a line, relative to the taller one."""
    height = max(candidate.box[3] - candidate.box[1] for candidate in (last, digit))
    return abs(_middle(digit) - _middle(last)) / height
