"""What is said of the network's inside is what its weights do."""

import numpy as np
import pytest

from mnist_nn import (
    activations,
    build_model,
    fewest_pixels,
    gradients,
    load_pretrained,
    occlusion,
    predict_probabilities,
    smallest_change,
)
from mnist_nn._internal.tensorflow import keras


@pytest.fixture(scope="module")
def shipped():
    return load_pretrained()


@pytest.fixture(scope="module")
def images(mnist):
    return mnist.validation.images[:12]


def margins(model, images, read, rival):
    """How far the digit `read` is ahead of `rival`, in nats, by NumPy alone and in float64."""
    values = images.reshape(-1, 784) / 255
    *hidden, last = [layer.get_weights() for layer in model.layers if layer.weights]
    for kernel, bias in hidden:
        values = np.maximum(values @ kernel.astype(float) + bias, 0)
    logits = values @ last[0].astype(float) + last[1]
    each = np.arange(len(logits))
    return logits[each, read] - logits[each, rival]


@pytest.fixture(scope="module")
def order(shipped, images):
    return predict_probabilities(shipped, images).argsort(axis=1)[:, ::-1]


def test_activations_agree_with_numpy(shipped, images):
    first, second = activations(shipped, images)
    values = images.reshape(-1, 784) / 255
    for layer, answers in zip(("hidden_1", "hidden_2"), (first, second), strict=True):
        kernel, bias = shipped.get_layer(layer).get_weights()
        values = np.maximum(values @ kernel + bias, 0)
        assert answers == pytest.approx(values, abs=1e-3)
    assert (first.shape, second.shape) == ((12, 128), (12, 64))


def test_gradients_agree_with_differences(shipped, images, order):
    slopes = gradients(shipped, images)
    read, rival = order[:, 0], order[:, 1]
    for place in [(14, 14), (8, 12), (20, 10)]:
        step = np.zeros((28, 28))
        step[place] = 1e-3  # grey values; so small that no unit goes off or on
        up, down = (margins(shipped, images + sign * step, read, rival) for sign in (1, -1))
        assert slopes[:, place[0], place[1]] == pytest.approx((up - down) / 2e-3, abs=1e-4)


def test_occlusion_is_what_erasing_does(shipped, images, order):
    maps = occlusion(shipped, images[:3], side=3)
    read, rival = order[:3, 0], order[:3, 1]
    for y, x in [(0, 0), (14, 14), (10, 17), (27, 27)]:
        erased = images[:3].copy()
        erased[:, max(0, y - 1) : y + 2, max(0, x - 1) : x + 2] = 0
        fall = margins(shipped, images[:3], read, rival) - margins(shipped, erased, read, rival)
        assert maps[:, y, x] == pytest.approx(fall, abs=1e-3)
    assert maps[:, 0, 0] == pytest.approx(0, abs=1e-4)  # nothing there to erase


@pytest.mark.parametrize("change", [smallest_change, fewest_pixels])
def test_a_change_changes_the_answer(change, shipped, images, order):
    before = images.copy()
    changed = change(shipped, images)
    assert (changed.dtype, changed.shape) == (np.uint8, images.shape)
    assert (predict_probabilities(shipped, changed).argmax(axis=1) != order[:, 0]).all()
    assert np.array_equal(images, before)


def test_the_smallest_change_is_small_and_less_is_not_enough(shipped, images, order):
    change = smallest_change(shipped, images) - images.astype(float)
    size = np.sqrt((change**2).sum(axis=(1, 2))) / 255
    # No farther than by the greedy pixels, and near to what would do if the network were linear.
    other = fewest_pixels(shipped, images) - images.astype(float)
    assert (size < np.sqrt((other**2).sum(axis=(1, 2))) / 255).all()
    shorter = np.round(images + 0.9 * change).astype(np.uint8)
    assert (predict_probabilities(shipped, shorter).argmax(axis=1) == order[:, 0]).mean() > 0.9


def test_few_pixels_are_made_ink_or_background_each_once(shipped, images):
    changed = fewest_pixels(shipped, images)
    places = changed != images
    assert (places.sum(axis=(1, 2)) <= 40).all()
    assert set(changed[places]) <= {0, 255}
    limited = fewest_pixels(shipped, images, most=2)
    assert ((limited != images).sum(axis=(1, 2)) <= 2).all()


def test_a_network_of_another_form(images):
    model = build_model(seed=3)
    assert len(activations(model, images)) == 2
    assert (predict_probabilities(model, smallest_change(model, images)).argmax(axis=1) >= 0).all()


def test_what_it_refuses(shipped, images):
    for look in (activations, gradients, occlusion, smallest_change, fewest_pixels):
        with pytest.raises(ValueError, match="images must be uint8"):
            look(shipped, images / 255)
        with pytest.raises(ValueError, match="model must be a Keras model"):
            look("weights", images)
    with pytest.raises(ValueError, match="side must be an odd number"):
        occlusion(shipped, images, side=4)
    flat = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    with pytest.raises(ValueError, match="must have a hidden Dense layer"):
        activations(flat, images)
