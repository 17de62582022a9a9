"""Predict the digit in a picture."""

from dataclasses import replace
from functools import cache

import numpy as np

from ..model import ModelLike, Network, load_network
from .candidates import Candidate, Reading
from .loading import ImageLike, brightness, open_picture
from .normalization import SIDE_PX
from .page import enlarge_small_crop, reduce
from .prediction import Prediction, model_first
from .reading import read_picture

SEARCH_SIDE_PX = 480  # the digit is searched for at this size
MIN_DIGIT_PX = 100  # a digit that is smaller at that size is cut out of the larger picture


@model_first
def predict_digit(model: ModelLike, image: ImageLike) -> Prediction:
    """Predict the digit in a picture.

    Args:
        model: A Keras model from (n, 28, 28) pixels to (n, 10) probabilities, or a Network.
        image: A path, the bytes of a file, a Pillow image or an array; see `prepare_image`.

    Returns:
        A Prediction. For a picture without a digit it is one that is not `sure`.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is not a picture, an array has another form, `model` is not such a model, or the picture
            has more than 300 separate marks.

    Example:
        >>> from mnist_nn import load_mnist, load_network, predict_digit
        >>> predict_digit(load_network(), load_mnist().test.images[0])
        Prediction(7, confidence 100.0 %)
    """
    return _find_digit(model, brightness(open_picture(image)))


def prepare_image(image: ImageLike) -> np.ndarray:
    """Convert the digit in a picture to MNIST's format.

    Args:
        image: A path, the bytes of a file, a Pillow image, or an array: (h, w) grey, (h, w, 3) RGB or (h, w, 4) RGBA,
            uint8 0 to 255 or floats 0 to 1. Dark on light or light on dark, of any size; transparent parts count as
            paper.

    Returns:
        uint8 (28, 28), bright ink on 0; all 0 if the picture is blank.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is not a picture, an array has another form, or the picture has more than 300 separate
            marks.

    Example:
        >>> from mnist_nn import load_mnist, prepare_image
        >>> prepare_image(load_mnist().test.images[0]).shape
        (28, 28)
    """
    return _find_digit(_pretrained(), brightness(open_picture(image))).pixels


@cache
def _pretrained() -> Network:
    """Return the pretrained network, read from its file only once."""
    return load_network()


def _find_digit(model: ModelLike, brightness: np.ndarray) -> Prediction:
    """Return the prediction for the digit that has most ink.

    The digit is searched for at a small size. If it is small there, it is cut out at a larger size,
    or the sheet of paper on which it stands is flattened at full size and read again.
    """
    enlarged, factor = enlarge_small_crop(brightness, max(brightness.shape))
    if factor > 1:
        found = _find_digit(model, enlarged)
        left, top, right, bottom = (round(side / factor) for side in found.box)
        return replace(found, box=(left, top, right, bottom))
    small, scale = reduce(brightness, SEARCH_SIDE_PX)
    reading = read_picture(model, small, single=True)
    if not reading.candidates:
        height, width = brightness.shape
        uniform = np.full(10, 0.1, np.float32)
        return Prediction(uniform, np.zeros((SIDE_PX, SIDE_PX), np.uint8), (0, 0, width, height), clear=False)
    digit = reading.main
    clear = _is_clear(reading, digit)
    left, top, right, bottom = reading.locate(digit, scale)
    if scale == 1 or digit.size >= MIN_DIGIT_PX:
        return Prediction(digit.probabilities, digit.pixels, (left, top, right, bottom), clear)
    if reading.sheet is not None:
        sheet = reading.sheet.scale(1 / scale)
        found = _find_digit(model, sheet.flatten(brightness))
        return replace(found, box=sheet.locate(found.box), clear=clear and found.clear)
    margin = round(max(right - left, bottom - top) / 2)
    y, x = max(0, top - margin), max(0, left - margin)
    found = _find_digit(model, brightness[y : bottom + margin, x : right + margin])
    box = (found.box[0] + x, found.box[1] + y, found.box[2] + x, found.box[3] + y)
    return Prediction(found.probabilities, found.pixels, box, clear and found.clear)


def _is_clear(reading: Reading, digit: Candidate) -> bool:
    """Return True if the picture holds no other digit, and the digit has most of the ink."""
    others = [other for other in reading.digits if other is not digit]
    return not others and reading.has_most_ink(digit)
