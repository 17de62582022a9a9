"""Hidden activations, pixel attributions and adversarial changes.

The margin of a prediction is the log-probability of the predicted digit minus that of the runner-up.
"""

import numpy as np

from .._internal.tensorflow import keras, tf
from ..data import check_images
from ..model import ModelLike, check_keras_model, predict_probabilities

FLOOR = 1e-30  # added to probabilities, because 0 has no logarithm
OVERSHOOT = 1.02  # go slightly past the boundary, so that rounding to uint8 does not undo the change


def activations(model: keras.Model, images: np.ndarray) -> list[np.ndarray]:
    """Return the activations of every hidden Dense layer.

    Args:
        model: A Keras model from (n, 28, 28) pixels to (n, 10) probabilities.
        images: uint8 (n, 28, 28).

    Returns:
        One float32 array (n, units) per hidden layer.

    Raises:
        ValueError: The images have another shape or type, or the model has no hidden Dense layer.

    Example:
        >>> from mnist_nn import activations, load_mnist, load_pretrained
        >>> [layer.shape for layer in activations(load_pretrained(), load_mnist().test.images[:5])]
        [(5, 128), (5, 64)]
    """
    images, dense = check_images(images), keras.layers.Dense
    outputs = [layer.output for layer in check_keras_model(model).layers if isinstance(layer, dense)]
    if len(outputs) < 2:
        raise ValueError("model must have a hidden Dense layer, like the one of build_model(); this one has none")
    # With the last layer, which is dropped, there are several outputs, so Keras returns a list.
    return [np.asarray(part) for part in keras.Model(model.inputs[0], outputs)(images, training=False)[:-1]]


def saliency(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return the gradient of the margin with respect to every pixel.

    Args:
        model: A Keras model from (n, 28, 28) pixels to (n, 10) probabilities.
        images: uint8 (n, 28, 28).

    Returns:
        float32 (n, 28, 28), in nats per grey value. Positive: more ink there would favour the predicted digit.

    Raises:
        ValueError: The images have another shape or type.

    Example:
        >>> from mnist_nn import load_mnist, load_pretrained, saliency
        >>> saliency(load_pretrained(), load_mnist().test.images[:5]).shape
        (5, 28, 28)

    Notes:
        K. Simonyan, A. Vedaldi and A. Zisserman, arXiv:1312.6034.
    """
    log_probabilities, gradients = _gradients(model, check_images(images).astype(np.float32))
    each = np.arange(len(images))
    runner_up, predicted = log_probabilities.argsort(axis=1)[:, -2:].T
    return gradients[each, predicted] - gradients[each, runner_up]


def occlusion_sensitivity(model: ModelLike, images: np.ndarray, side: int = 5) -> np.ndarray:
    """Return how much the margin falls when a square around each pixel is erased.

    Args:
        model: A Keras model from (n, 28, 28) pixels to (n, 10) probabilities, or a Network.
        images: uint8 (n, 28, 28).
        side: The side of the square, an odd number of pixels from 1 to 27.

    Returns:
        float32 (n, 28, 28), in nats. Positive: the ink there favours the predicted digit over the runner-up.

    Raises:
        ValueError: The images have another shape or type, or `side` is not an odd number from 1 to 27.

    Example:
        >>> from mnist_nn import load_mnist, load_network, occlusion_sensitivity
        >>> occlusion_sensitivity(load_network(), load_mnist().test.images[:5]).shape
        (5, 28, 28)

    Notes:
        M. Zeiler and R. Fergus, arXiv:1311.2901.
    """
    if not isinstance(side, int | np.integer) or side not in range(1, 28, 2):
        raise ValueError(f"side must be an odd number of pixels from 1 to 27, not {side!r}")
    return np.stack([_occlusion_sensitivity(model, image, side) for image in check_images(images)])


def _occlusion_sensitivity(model: ModelLike, image: np.ndarray, side: int) -> np.ndarray:
    occluded = np.repeat(image[None], 784, axis=0)
    for pixel, copy in enumerate(occluded):
        top, left = pixel // 28 - side // 2, pixel % 28 - side // 2
        copy[max(0, top) : top + side, max(0, left) : left + side] = 0
    log_probabilities = np.log(predict_probabilities(model, np.concatenate([image[None], occluded])) + FLOOR)
    runner_up, predicted = log_probabilities[0].argsort()[-2:]
    margins = log_probabilities[:, predicted] - log_probabilities[:, runner_up]
    return (margins[0] - margins[1:]).reshape(28, 28)


def deepfool(model: keras.Model, images: np.ndarray, max_steps: int = 50) -> np.ndarray:
    """Change images by as little as the search can find so that the prediction changes.

    Each step goes to the nearest decision boundary as if the model were linear, within the grey values 0 to 255, until
    the prediction changes. "Little" means a small sum of squares.

    Args:
        model: A Keras model from (n, 28, 28) pixels to (n, 10) probabilities.
        images: uint8 (n, 28, 28). Each takes about 100 kB of memory.
        max_steps: The largest number of steps. An image that needs more keeps its old prediction. So does one whose
            changes make the model unsure about all digits before another one is more probable.

    Returns:
        The changed images, uint8 (n, 28, 28).

    Raises:
        ValueError: The images have another shape or type.

    Example:
        >>> from mnist_nn import deepfool, load_mnist, load_pretrained, predict_probabilities
        >>> model, images = load_pretrained(), load_mnist().test.images[:5]
        >>> before, after = (predict_probabilities(model, x).argmax(axis=1) for x in (images, deepfool(model, images)))
        >>> bool((before != after).all())
        True

    Notes:
        S.-M. Moosavi-Dezfooli, A. Fawzi and P. Frossard, "DeepFool", arXiv:1511.04599.
    """
    images = check_images(images)
    start = images.astype(np.float32)
    predicted = predict_probabilities(model, images).argmax(axis=1)
    changed, result = start.copy(), images.copy()
    active = np.arange(len(images))
    for _ in range(max_steps):
        changed[active] += _step_to_boundary(model, changed[active], predicted[active])
        changed[active] = changed[active].clip(0, 255)
        further = start[active] + OVERSHOOT * (changed[active] - start[active])
        result[active] = further.round().clip(0, 255).astype(np.uint8)
        active = active[predict_probabilities(model, result[active]).argmax(axis=1) == predicted[active]]
        if not len(active):
            break
    return result


def _step_to_boundary(model: keras.Model, images: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return the step from each image, float32, slightly past the nearest boundary of the linearised model."""
    log_probabilities, gradients = _gradients(model, images)
    each, now = np.arange(len(images)), images[:, None]
    margins = log_probabilities[each, predicted][:, None] - log_probabilities
    direction = gradients - gradients[each, predicted][:, None]
    direction[((now <= 0) & (direction < 0)) | ((now >= 255) & (direction > 0))] = 0  # cannot move further
    squares = np.maximum((direction**2).sum(axis=(2, 3)), 1e-12)
    distance = margins / np.sqrt(squares)
    distance[each, predicted] = np.inf
    nearest = distance.argmin(axis=1)
    length = (margins[each, nearest] + 0.02) / squares[each, nearest]
    return length[:, None, None] * direction[each, nearest]


def jsma(model: keras.Model, images: np.ndarray, max_pixels: int = 100) -> np.ndarray:
    """Change as few pixels as the search can find so that the prediction changes.

    One pixel after the other becomes ink or background: always the one whose gradient brings the runner-up closest.

    Args:
        model: A Keras model from (n, 28, 28) pixels to (n, 10) probabilities.
        images: uint8 (n, 28, 28).
        max_pixels: The largest number of pixels to change. An image that needs more keeps its old prediction.

    Returns:
        The changed images, uint8 (n, 28, 28).

    Raises:
        ValueError: The images have another shape or type.

    Example:
        >>> from mnist_nn import jsma, load_mnist, load_pretrained
        >>> images = load_mnist().test.images[:5]
        >>> int((jsma(load_pretrained(), images) != images).sum(axis=(1, 2)).max()) <= 100
        True

    Notes:
        In the manner of the Jacobian-based saliency map attack: N. Papernot et al., arXiv:1511.07528.
    """
    images = check_images(images)
    result = images.copy()
    predicted = predict_probabilities(model, images).argmax(axis=1)
    active, used = np.arange(len(images)), np.zeros(images.shape, bool)
    for _ in range(max_pixels):
        log_probabilities, gradients = _gradients(model, result[active].astype(np.float32))
        each, own = np.arange(len(active)), predicted[active]
        log_probabilities[each, own] = -np.inf
        direction = gradients[each, log_probabilities.argmax(axis=1)] - gradients[each, own]
        room = np.where(direction > 0, 255.0 - result[active], -1.0 * result[active])
        gain = np.where(used[active], -np.inf, direction * room).reshape(len(active), -1)
        pixel = (active, *np.unravel_index(gain.argmax(axis=1), (28, 28)))
        result[pixel] = np.where(direction[each, pixel[1], pixel[2]] > 0, 255, 0)
        used[pixel] = True
        active = active[predict_probabilities(model, result[active]).argmax(axis=1) == own]
        if not len(active):
            break
    return result


def _gradients(model: keras.Model, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the log-probabilities (n, 10) of float32 images and their gradients per pixel (n, 10, 28, 28)."""
    check_keras_model(model)
    pixels = tf.constant(images)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(pixels)
        log_probabilities = tf.math.log(model(pixels, training=False) + FLOOR)
        digits = tf.unstack(log_probabilities, axis=1)
    gradients = [tape.gradient(digit, pixels) for digit in digits]
    return np.array(log_probabilities), np.stack([np.asarray(gradient) for gradient in gradients], axis=1)
