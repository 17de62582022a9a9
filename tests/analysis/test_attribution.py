"""Attributions agree with NumPy and finite differences; adversarial changes are small and change the prediction."""

import numpy as np
import pytest

from mnist_nn import (
    activations,
    build_model,
    deepfool,
    jsma,
    load_pretrained,
    occlusion_sensitivity,
    predict_probabilities,
    saliency,
)
from mnist_nn._internal.tensorflow import keras


@pytest.fixture(scope="module")
def pretrained():
    return load_pretrained()


@pytest.fixture(scope="module")
def images(mnist):
    return mnist.validation.images[:12]


@pytest.fixture(scope="module")
def ranking(pretrained, images):
    """The digits from most to least probable for each image, int (12, 10)."""
    return predict_probabilities(pretrained, images).argsort(axis=1)[:, ::-1]


def margins(model, images, predicted, runner_up):
    """Return how far `predicted` is ahead of `runner_up`, in nats, computed with NumPy in float64."""
    values = images.reshape(-1, 784) / 255
    *hidden, last = [layer.get_weights() for layer in model.layers if layer.weights]
    for kernel, bias in hidden:
        values = np.maximum(values @ kernel.astype(float) + bias, 0)
    logits = values @ last[0].astype(float) + last[1]
    each = np.arange(len(logits))
    return logits[each, predicted] - logits[each, runner_up]


def test_activations_agree_with_numpy(pretrained, images):
    first, second = activations(pretrained, images)
    values = images.reshape(-1, 784) / 255
    for name, activation in zip(("hidden_1", "hidden_2"), (first, second), strict=True):
        kernel, bias = pretrained.get_layer(name).get_weights()
        values = np.maximum(values @ kernel + bias, 0)
        assert activation == pytest.approx(values, abs=1e-3)
    assert (first.shape, second.shape) == ((12, 128), (12, 64))


def test_activations_are_those_of_hidden_layers_only(images):
    (only,) = activations(build_model(hidden=(32,)), images)
    assert only.shape == (12, 32)
    layers = [keras.layers.Flatten(), keras.layers.Dense(32), keras.layers.Dense(10), keras.layers.Softmax()]
    separate = keras.Sequential([keras.Input((28, 28)), *layers])
    assert [part.shape for part in activations(separate, images)] == [(12, 32)]


def test_a_list_of_images_is_changed_like_an_array(pretrained, images):
    for attack in (deepfool, jsma):
        assert np.array_equal(attack(pretrained, list(images[:2])), attack(pretrained, images[:2]))


def test_saliency_agrees_with_finite_differences(pretrained, images, ranking):
    gradients = saliency(pretrained, images)
    predicted, runner_up = ranking[:, 0], ranking[:, 1]
    for pixel in [(14, 14), (8, 12), (20, 10)]:
        step = np.zeros((28, 28))
        step[pixel] = 1e-3  # grey values; small enough that no ReLU unit switches on or off
        up, down = (margins(pretrained, images + sign * step, predicted, runner_up) for sign in (1, -1))
        assert gradients[:, pixel[0], pixel[1]] == pytest.approx((up - down) / 2e-3, abs=1e-4)


def test_occlusion_sensitivity_agrees_with_erasing_by_hand(pretrained, images, ranking):
    maps = occlusion_sensitivity(pretrained, images[:3], side=3)
    predicted, runner_up = ranking[:3, 0], ranking[:3, 1]
    for y, x in [(0, 0), (14, 14), (10, 17), (27, 27)]:
        erased = images[:3].copy()
        erased[:, max(0, y - 1) : y + 2, max(0, x - 1) : x + 2] = 0
        before, after = (margins(pretrained, shown, predicted, runner_up) for shown in (images[:3], erased))
        assert maps[:, y, x] == pytest.approx(before - after, abs=1e-3)
    assert maps[:, 0, 0] == pytest.approx(0, abs=1e-4)  # the corner is background: there is no ink to erase


@pytest.mark.parametrize("attack", [deepfool, jsma])
def test_an_attack_changes_every_prediction_or_makes_the_network_unsure(attack, pretrained, images, ranking):
    before = images.copy()
    changed = attack(pretrained, images)
    assert (changed.dtype, changed.shape) == (np.uint8, images.shape)
    probabilities = predict_probabilities(pretrained, changed)
    is_changed = probabilities.argmax(axis=1) != ranking[:, 0]
    assert is_changed.mean() > 0.9
    assert (probabilities[~is_changed].max(axis=1) < 0.11).all()  # all digits are equally probable
    assert np.array_equal(images, before)


def test_deepfool_changes_images_no_more_than_necessary(pretrained, images, ranking):
    change = deepfool(pretrained, images) - images.astype(float)
    length = np.sqrt((change**2).sum(axis=(1, 2))) / 255
    other = jsma(pretrained, images) - images.astype(float)
    assert (length < np.sqrt((other**2).sum(axis=(1, 2))) / 255).all()
    # 90 % of the change is not enough for nearly all images.
    smaller = np.round(images + 0.9 * change).astype(np.uint8)
    assert (predict_probabilities(pretrained, smaller).argmax(axis=1) == ranking[:, 0]).mean() > 0.9


def test_jsma_turns_few_pixels_into_ink_or_background(pretrained, images):
    changed = jsma(pretrained, images)
    pixels = changed != images
    assert (pixels.sum(axis=(1, 2)) <= 40).all()
    assert set(changed[pixels]) <= {0, 255}
    limited = jsma(pretrained, images, max_pixels=2)
    assert ((limited != images).sum(axis=(1, 2)) <= 2).all()


def test_an_untrained_network_is_accepted(images):
    model = build_model(seed=3)
    assert len(activations(model, images)) == 2
    before, after = (predict_probabilities(model, x).argmax(axis=1) for x in (images, deepfool(model, images)))
    assert (before != after).all()


def test_invalid_arguments_are_refused(pretrained, images):
    for function in (activations, saliency, occlusion_sensitivity, deepfool, jsma):
        with pytest.raises(ValueError, match="images must be uint8"):
            function(pretrained, images / 255)
        with pytest.raises(ValueError, match="model must be a Keras model"):
            function("weights", images)
    with pytest.raises(ValueError, match="side must be an odd number"):
        occlusion_sensitivity(pretrained, images, side=4)
    no_hidden_layer = [keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")]
    with pytest.raises(ValueError, match="must have a hidden Dense layer"):
        activations(keras.Sequential(no_hidden_layer), images)
