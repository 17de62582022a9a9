"""Looking inside: what the hidden units answer to, which pixels decide, and which would change the network's mind.

The margin of a reading is how far it is ahead: the logarithm of how many times as probable as the next digit it is.
"""

import numpy as np

from .._internal.tensorflow import keras, tf
from ..data import check_images
from ..network import check_model, predict_probabilities

FLOOR = 1e-30  # a probability of 0 has no logarithm


def activations(model: keras.Model, images: np.ndarray) -> list[np.ndarray]:
    """Return what the units of each hidden dense layer answer to images: a float32 (n, units) for each layer.

    images: uint8 (n, 28, 28). Raises ValueError for others, and for a model without hidden dense layers.
    """
    images, dense = check_images(images), keras.layers.Dense
    hidden = [layer.output for layer in check_model(model).layers[:-1] if isinstance(layer, dense)]
    if not hidden:
        raise ValueError("model must have a hidden Dense layer, as that of build_model() has; this one has none")
    return [part.numpy() for part in keras.Model(model.inputs[0], hidden)(images, training=False)]


def gradients(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return how the margin of each image would grow with each of its pixels, float32 (n, 28, 28), per grey value.

    K. Simonyan, A. Vedaldi and A. Zisserman, arXiv:1312.6034. images: uint8 (n, 28, 28); ValueError for others.
    """
    logs, slopes = _slopes(check_model(model), check_images(images).astype(np.float32))
    each = np.arange(len(images))
    rival, read = logs.argsort(axis=1)[:, -2:].T
    return slopes[each, read] - slopes[each, rival]


def occlusion(model: keras.Model, images: np.ndarray, side: int = 5) -> np.ndarray:
    """Return how far the margin of each image falls where a square is erased, float32 (n, 28, 28), in nats.

    The square, of `side` pixels, an odd number, is centred on each pixel in turn. Positive: the ink there speaks for
    the digit read and against the next; negative: the other way round (M. Zeiler and R. Fergus, arXiv:1311.2901).
    images: uint8 (n, 28, 28). Raises ValueError for others, and for another side.
    """
    if side not in range(1, 28, 2):
        raise ValueError(f"side must be an odd number of pixels from 1 to 27, not {side!r}")
    return np.stack([_occlusion(model, image, side) for image in check_images(images)])


def smallest_change(model: keras.Model, images: np.ndarray, steps: int = 50) -> np.ndarray:
    """Return images changed as little as was found to be enough for another reading, uint8 (n, 28, 28).

    Steps towards the nearest digit, as if the network were linear, until the answer changes (S.-M. Moosavi-Dezfooli,
    A. Fawzi and P. Frossard, "DeepFool", arXiv:1511.04599), here within the grey values 0 to 255. Little is meant as
    the sum of squares. Where `steps` are not enough, the image is as far as it came.
    images: uint8 (n, 28, 28); each takes about 100 kB of memory. Raises ValueError for others.
    """
    start = check_images(images).astype(np.float32)
    read = predict_probabilities(model, images).argmax(axis=1)
    changed, result = start.copy(), images.copy()
    active = np.arange(len(images))
    for _ in range(steps):
        logs, slopes = _slopes(model, changed[active])
        each = np.arange(len(active))
        ahead = logs[each, read[active]][:, None] - logs
        towards = slopes - slopes[each, read[active]][:, None]
        now = changed[active][:, None]
        towards[((now <= 0) & (towards < 0)) | ((now >= 255) & (towards > 0))] = 0  # there is no way on
        power = np.maximum((towards**2).sum(axis=(2, 3)), 1e-12)
        distance = ahead / np.sqrt(power)
        distance[each, read[active]] = np.inf
        nearest = distance.argmin(axis=1)
        # A little beyond the boundary, here and below: rounding shall not undo it.
        length = (ahead[each, nearest] + 0.02) / power[each, nearest]
        step = length[:, None, None] * towards[each, nearest]
        changed[active] = (changed[active] + step).clip(0, 255)
        further = start[active] + 1.02 * (changed[active] - start[active])
        result[active] = further.round().clip(0, 255).astype(np.uint8)
        active = active[predict_probabilities(model, result[active]).argmax(axis=1) == read[active]]
        if not len(active):
            break
    return result


def fewest_pixels(model: keras.Model, images: np.ndarray, most: int = 100) -> np.ndarray:
    """Return images with as few pixels changed as was found to be enough for another reading, uint8 (n, 28, 28).

    One pixel after the other is made ink or background, each time the one that by its slope brings the next digit
    nearest (in the manner of N. Papernot et al., arXiv:1511.07528). Where `most` are not enough, that many are changed.
    images: uint8 (n, 28, 28). Raises ValueError for others.
    """
    result = check_images(images).copy()
    read = predict_probabilities(model, images).argmax(axis=1)
    active, used = np.arange(len(images)), np.zeros(images.shape, bool)
    for _ in range(most):
        logs, slopes = _slopes(model, result[active].astype(np.float32))
        each, own = np.arange(len(active)), read[active]
        logs[each, own] = -np.inf
        towards = slopes[each, logs.argmax(axis=1)] - slopes[each, own]
        room = np.where(towards > 0, 255.0 - result[active], -1.0 * result[active])
        gain = np.where(used[active], -np.inf, towards * room).reshape(len(active), -1)
        place = (active, *np.unravel_index(gain.argmax(axis=1), (28, 28)))
        result[place] = np.where(towards[each, place[1], place[2]] > 0, 255, 0)
        used[place] = True
        active = active[predict_probabilities(model, result[active]).argmax(axis=1) == own]
        if not len(active):
            break
    return result


def _occlusion(model, image: np.ndarray, side: int) -> np.ndarray:
    covered = np.repeat(image[None], 784, axis=0)
    for place, copy in enumerate(covered):
        top, left = place // 28 - side // 2, place % 28 - side // 2
        copy[max(0, top) : top + side, max(0, left) : left + side] = 0
    logs = np.log(predict_probabilities(model, np.concatenate([image[None], covered])) + FLOOR)
    rival, read = logs[0].argsort()[-2:]
    margins = logs[:, read] - logs[:, rival]
    return (margins[0] - margins[1:]).reshape(28, 28)


def _slopes(model, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the log-probabilities, (n, 10), of float32 images and how each grows with each pixel, (n, 10, 28, 28)."""
    pixels = tf.constant(images)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(pixels)
        logs = tf.math.log(model(pixels, training=False) + FLOOR)
        digits = tf.unstack(logs, axis=1)
    slopes = [tape.gradient(digit, pixels) for digit in digits]
    return logs.numpy(), np.stack([slope.numpy() for slope in slopes], axis=1)
