"""Non-digits are reproducible, look like no digit, and teach the network to be unsure."""

import numpy as np
import pytest

from mnist_nn import (
    Augmentation,
    InterruptedTraining,
    NonDigits,
    Split,
    apply_temperature,
    build_model,
    predict_probabilities,
    train,
)
from mnist_nn._internal.tensorflow import keras
from mnist_nn.batches import batches
from mnist_nn.non_digits import KINDS, NON_DIGIT, DigitAccuracy, DigitLoss, draw_figures


def test_the_seed_determines_the_images(small):
    first, again, other = (NonDigits(different=64).images(small, seed) for seed in (0, 0, 1))
    assert first.dtype == np.uint8
    assert first.shape == (64, 28, 28)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_nearly_all_images_differ_and_none_is_a_training_image(small):
    images = NonDigits(different=500).images(small, seed=0)
    assert len({image.tobytes() for image in images}) > 490  # two halves of the same digit may be equal
    assert not {image.tobytes() for image in images} & {image.tobytes() for image in small.images}


def test_images_are_scaled_and_centred_like_mnist(small):
    images = NonDigits(different=500).images(small, seed=0)
    mass = images.sum(axis=(1, 2), dtype=float)
    middles = [(images.sum(axis=axis, dtype=float) @ np.arange(28)) / mass for axis in (1, 2)]
    assert np.abs(np.median(middles, axis=1) - 14).max() < 0.3
    ink = images.astype(int).reshape(500, -1).sum(axis=1) / 255
    assert 0.4 < np.median(ink) / np.median(small.images.reshape(len(small), -1).sum(axis=1) / 255) < 1.5


def test_figures_are_not_narrow_like_a_one():
    ink = draw_figures(np.random.default_rng(0), 500) > 100
    heights, widths = (np.array([np.ptp(np.flatnonzero(image.any(axis=axis))) for image in ink]) for axis in (1, 0))
    assert len(ink) == 500
    assert np.mean(widths > 0.4 * heights) > 0.95  # the pen's width counts too
    assert (ink.any(axis=(1, 2))).all()


@pytest.mark.parametrize(("make", "originals"), [(make, list(digits)) for make, _, digits in KINDS])
def test_a_digit_is_changed(make, originals, small):
    random = np.random.default_rng(0)
    chosen = small.images[np.isin(small.labels, originals)]
    for i in range(20):
        made = make(random, chosen[i : i + 2])
        assert made.shape == (28, 28)
        assert made.any()
        assert not any(np.array_equal(made, digit) for digit in chosen[i : i + 2])


def test_splits_that_lack_digits_or_ink(small, blank):
    only_ones = Split(small.images[small.labels == 1], small.labels[small.labels == 1])
    for split in (only_ones, only_ones[:1], blank):
        assert NonDigits(different=40).images(split, seed=0).shape == (40, 28, 28)
    assert NonDigits(different=1).images(small, seed=0).shape == (1, 28, 28)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"share": 0}, "share must be a number above 0 and at most 1, not 0"),
        ({"share": 1.5}, "share must be"),
        ({"share": "much"}, "share must be"),
        ({"weight": -0.1}, "weight must be a number from 0 to 10, not -0.1"),
        ({"weight": float("nan")}, "weight must be"),
        ({"weight": None}, "weight must be"),
        ({"different": 0}, "different must be a whole number from 1 to 100,000, not 0"),
        ({"different": 2.5}, "different must be"),
        ({"different": 10**9}, "different must be"),
    ],
)
def test_impossible_settings_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        NonDigits(**settings)


def test_batches_end_with_non_digits_that_depend_on_seed_and_step(small):
    def read(seed, first):
        return list(batches(small, 100, 10, seed, Augmentation(), NonDigits(share=0.1), first_step=first))

    whole, rest, other = read(0, 0), read(0, 7), read(1, 0)
    plain = list(batches(small, 100, 10, 0, None))
    for (images, labels), (_, digit_labels) in zip(whole, plain, strict=True):
        assert images.shape == (110, 28, 28)
        assert np.array_equal(labels[:100], digit_labels)
        assert np.all(labels[100:] == NON_DIGIT)
    for step, (images, _) in enumerate(rest, start=7):
        assert np.array_equal(images, whole[step][0])
    assert not np.array_equal(whole[0][0][100:], whole[1][0][100:])
    assert not np.array_equal(whole[0][0][100:], other[0][0][100:])


def test_the_loss_is_cross_entropy_for_digits_and_weighted_divergence_for_non_digits():
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(10), 6).astype(np.float32)
    labels = np.array([3, 0, 9, NON_DIGIT, NON_DIGIT, NON_DIGIT], np.uint8)
    each = [-np.log(p[label]) if label < 10 else 0.25 * np.mean(np.log(0.1 / p)) for p, label in
            zip(probabilities, labels, strict=True)]  # fmt: skip
    assert float(DigitLoss(0.25)(labels, probabilities)) == pytest.approx(np.mean(each), rel=1e-5)
    assert float(DigitLoss(0.25)(labels[3:], np.full((3, 10), 0.1, np.float32))) == pytest.approx(0, abs=1e-6)


def test_the_accuracy_counts_digits_only():
    accuracy = DigitAccuracy()
    accuracy.update_state(np.array([0, 1, 2, NON_DIGIT], np.uint8), np.eye(10, dtype=np.float32)[[0, 1, 7, 0]])
    assert float(accuracy.result()) == pytest.approx(2 / 3)


@pytest.fixture(scope="module")
def with_and_without(small, mnist):
    """Two models that were trained with and without non-digits."""
    models = []
    for non_digits in (NonDigits(), None):
        models.append(build_model(seed=0))
        settings = {"epochs": 4, "batch_size": 100, "augmentation": None, "non_digits": non_digits, "verbose": 0}
        train(models[-1], small, mnist.validation[:1000], **settings)
    return models


def test_the_network_becomes_unsure_about_non_digits(with_and_without, small):
    figures = NonDigits(different=500).images(small, seed=99)  # other ones than in training
    sure, sure_without = (predict_probabilities(model, figures).max(axis=1).mean() for model in with_and_without)
    assert sure < 0.6 < sure_without


def test_the_model_can_be_saved_and_evaluated_with_keras_alone(with_and_without, small, tmp_path):
    model = with_and_without[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert np.array_equal(loaded.predict(small.images[:50], verbose=0), model.predict(small.images[:50], verbose=0))
    assert loaded.evaluate(small.images, small.labels, verbose=0)[1] > 0.9


def test_a_model_can_be_copied_after_an_interrupted_training(small):
    def interrupt(batch, logs=None):
        raise KeyboardInterrupt

    model = build_model()
    callbacks = [keras.callbacks.LambdaCallback(on_train_batch_end=interrupt)]
    with pytest.warns(InterruptedTraining, match="in epoch 1 of 2"):
        train(model, small, small[:100], epochs=2, augmentation=None, callbacks=callbacks, verbose=0)
    assert apply_temperature(model, 2).count_params() == model.count_params()


def test_other_models_learn_from_non_digits_too(small):
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((28, 28)), layers.Rescaling(1 / 255), layers.Reshape((28, 28, 1)), layers.Conv2D(4, 5, strides=3),
         layers.Flatten(), layers.Dense(10), layers.Softmax()]
    )  # fmt: skip
    history = train(model, small[:600], small[600:700], epochs=2, batch_size=100, verbose=0)
    assert history.history["loss"][1] < history.history["loss"][0]
    assert predict_probabilities(model, small.images[:3]).shape == (3, 10)
