"""Calibration agrees with examples computed by hand, with scikit-learn, and with known temperatures."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from mnist_nn import (
    Evaluation,
    Split,
    apply_temperature,
    build_model,
    evaluate,
    fit_temperature,
    load_pretrained,
    predict_probabilities,
)
from mnist_nn._internal.tensorflow import keras
from mnist_nn.calibration import fold_temperature
from mnist_nn.evaluation import calibration_error, reliability_curve


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def predicting_zero(confidences):
    """Return probabilities (n, 10) that predict 0 with these confidences; the rest goes to digit 1."""
    probabilities = np.zeros((len(confidences), 10), np.float32)
    probabilities[:, 0], probabilities[:, 1] = confidences, 1 - np.array(confidences)
    return probabilities


def test_a_curve_computed_by_hand():
    # Up to 0.5: one image, correct. Above 0.5: four images, three of them correct, mean confidence 0.8.
    labels, probabilities = np.array([0, 0, 0, 5, 0]), predicting_zero([0.5, 0.6, 0.7, 0.9, 1.0])
    table = reliability_curve(labels, probabilities, bins=2)
    assert table["images"].tolist() == [1, 4]
    assert table["confidence"].tolist() == pytest.approx([0.5, 0.8])
    assert table["accuracy"].tolist() == pytest.approx([1, 0.75])
    assert calibration_error(labels, probabilities, bins=2) == pytest.approx((1 * 0.5 + 4 * 0.05) / 5)


def test_empty_bins_do_not_count():
    labels, probabilities = np.array([0, 1]), predicting_zero([0.9, 0.95])
    table = reliability_curve(labels, probabilities, bins=4)
    assert table["images"].tolist() == [0, 0, 0, 2]
    assert table["accuracy"].isna().tolist() == [True, True, True, False]
    assert calibration_error(labels, probabilities, bins=4) == pytest.approx(0.425)


def test_bins_agree_with_scikit_learn(trained, mnist):
    result = evaluate(trained[0], mnist.validation)
    bins = result.reliability_curve.dropna()
    is_correct = result.predicted == result.labels
    accuracy, confidence = calibration_curve(is_correct, result.confidence.clip(0, 1), n_bins=15)
    assert bins["accuracy"].to_numpy() == pytest.approx(accuracy)
    assert bins["confidence"].to_numpy() == pytest.approx(confidence)
    assert result.reliability_curve["images"].sum() == 5000
    error = (bins["images"] / 5000) @ np.abs(accuracy - confidence)
    assert result.calibration_error == pytest.approx(error)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_a_known_temperature_is_found(temperature):
    random = np.random.default_rng(0)
    logits = 4 * random.normal(size=(20_000, 10))
    labels = (softmax(logits / temperature).cumsum(axis=1) < random.random((20_000, 1))).sum(axis=1)
    assert fit_temperature(labels, softmax(logits).astype(np.float32)) == pytest.approx(temperature, rel=0.03)


def test_a_temperature_is_applied_to_the_last_layer(trained, small):
    model = trained[0]
    before = predict_probabilities(model, small.images)
    scaled = apply_temperature(model, 2)
    after = predict_probabilities(scaled, small.images)
    assert after == pytest.approx(softmax(np.log(np.maximum(before, 1e-38)) / 2), abs=1e-4)
    assert np.array_equal(after.argmax(axis=1), before.argmax(axis=1))
    assert np.array_equal(predict_probabilities(model, small.images), before)  # the original model is unchanged
    assert scaled.count_params() == model.count_params() == 109_386


def test_the_pretrained_weights_are_calibrated(mnist):
    """Training folded a temperature into the last layer, so fitting one again finds nothing to change."""
    validation, test = (evaluate(load_pretrained(), split) for split in (mnist.validation, mnist.test))
    assert test.calibration_error < 0.004
    assert fit_temperature(validation.labels, validation.probabilities) == pytest.approx(1, abs=0.001)


def test_the_folded_temperature_is_limited(small):
    """If all validation images are classified correctly, the fitted temperature would be as low as possible."""
    model = build_model()
    before = model.layers[-1].get_weights()[0]
    easy = small[:1]
    agreeing = Split(easy.images, predict_probabilities(model, easy.images).argmax(axis=1))
    fold_temperature(model, agreeing)
    assert model.layers[-1].get_weights()[0] == pytest.approx(before / 0.5)


def test_a_temperature_is_folded_into_dense_softmax_layers_only(small):
    layers = [keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10), keras.layers.Softmax()]
    model = keras.Sequential(layers)
    before = model.get_weights()
    fold_temperature(model, small[:10])
    assert all(map(np.array_equal, model.get_weights(), before))


def test_invalid_arguments_are_refused():
    result = Evaluation(np.array([0]), predicting_zero([1.0]))
    with pytest.raises(ValueError, match="bins must be a whole number"):
        reliability_curve(result.labels, result.probabilities, bins=0)
    with pytest.raises(ValueError, match=r"probabilities must have shape \(2, 10\)"):
        fit_temperature(np.array([0, 1]), result.probabilities)
    with pytest.raises(ValueError, match="temperature must be above 0"):
        apply_temperature(build_model(), 0)
    layers = [keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10), keras.layers.Softmax()]
    with pytest.raises(ValueError, match="must end in a Dense layer with softmax"):
        apply_temperature(keras.Sequential(layers), 2)
