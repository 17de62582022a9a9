"""Training is reproducible, learns, and refuses invalid arguments before anything changes."""

import numpy as np
import pytest

from mnist_nn import Augmentation, NonDigits, Split, build_model, evaluate, load_network, train
from mnist_nn._internal.tensorflow import keras
from mnist_nn.batches import batches
from mnist_nn.training import muon, steps_per_execution, warmup_cosine
from tests.memory import needs_counters
from tests.processes import FINGERPRINT


def test_it_learns_and_returns_the_history(trained):
    _, history = trained
    assert set(history.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert history.epoch == [0, 1, 2, 3]
    assert history.history["val_accuracy"][-1] > 0.88
    assert history.history["loss"][-1] < history.history["loss"][0] / 2


def test_an_epoch_contains_every_image_once(small):
    part = small[:100]
    labels = [labels.numpy() for _, labels in batches(part, 10, 20, seed=0, augmentation=None)]
    images = [image.numpy() for batch, _ in batches(part, 10, 20, seed=0, augmentation=None) for image in batch]
    for epoch in (images[:100], images[100:]):
        assert {image.tobytes() for image in epoch} == {image.tobytes() for image in part.images}
    assert not np.array_equal(labels[:10], labels[10:])  # the second epoch has another order


def test_images_keep_their_labels(small):
    labels = {image.tobytes(): label for image, label in zip(small.images, small.labels, strict=True)}
    for images, given in batches(small, 64, 10, seed=1, augmentation=None):
        assert [labels[image.tobytes()] for image in images.numpy()] == list(given.numpy())


def test_batches_can_start_at_any_step(small):
    whole, rest = (list(batches(small, 100, 10, 0, Augmentation(), first_step=first)) for first in (0, 7))
    for (images, labels), (same_images, same_labels) in zip(whole[7:], rest, strict=True):
        assert np.array_equal(images, same_images)
        assert np.array_equal(labels, same_labels)


def test_the_seed_determines_order_and_distortions(small):
    first, again, other = (next(iter(batches(small, 100, 10, seed, Augmentation()))) for seed in (0, 0, 1))
    assert np.array_equal(first[0], again[0])
    assert not np.array_equal(first[0], other[0])
    assert not np.array_equal(first[1], other[1])


def test_distortions_become_weaker_towards_the_end(small):
    distorted, plain = (
        np.stack([images.numpy().astype(float) for images, _ in batches(small, 100, 40, 0, augmentation)])
        for augmentation in (Augmentation(final_strength=0.1), None)
    )
    change = np.abs(distorted - plain).mean(axis=(1, 2, 3))
    assert change[-3:].mean() < 0.6 * change[:20].mean()


def test_the_callers_optimizer_is_used(small):
    own = keras.optimizers.SGD(0.0)
    model = build_model()
    before = model.get_weights()
    train(model, small, small[:100], epochs=1, optimizer=own, non_digits=None, verbose=0)
    assert model.optimizer is own
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_the_learning_rate_rises_and_falls():
    rates = [float(warmup_cosine(0.5, 100)(step)) for step in (0, 5, 10, 55, 100)]
    assert rates == pytest.approx([0, 0.25, 0.5, 0.25, 0], abs=1e-3)


@pytest.mark.parametrize(("steps", "expected"), [(1, 1), (26, 26), (64, 64), (67, 1), (214, 2), (1875, 25)])
def test_steps_per_execution_are_an_equal_part_of_an_epoch(steps, expected):
    assert steps_per_execution(build_model(), steps) == expected


@pytest.fixture
def convolutional():
    layers = keras.layers
    convolution = [layers.Reshape((28, 28, 1)), layers.Conv2D(2, 5), layers.Flatten()]
    return keras.Sequential([keras.Input((28, 28)), *convolution, layers.Dense(10, activation="softmax")])


def test_models_with_other_layers_run_one_step_at_a_time(convolutional):
    assert steps_per_execution(convolutional, 64) == 1


def test_muon_trains_the_hidden_layers_and_adam_the_rest(convolutional):
    for model in (build_model(), convolutional):
        optimizer = muon(model, 0.01)
        optimizer.build(model.trainable_variables)
        with_adam = [velocity is not None for velocity in optimizer.adam_velocities]
        kernels = [variable.path.endswith("kernel") for variable in model.trainable_variables]
        hidden = sum(kernels) - 1 if model is not convolutional else 0
        assert with_adam.count(False) == hidden
        assert with_adam[-2:] == [True, True]


class Counting(keras.callbacks.Callback):
    """Counts the executions, after each of which Keras calls its callbacks."""

    executions = 0

    def on_train_batch_end(self, batch, logs=None):
        self.executions += 1


def test_steps_per_execution_do_not_change_the_result(monkeypatch, small, mnist):
    results = []
    for number in (1, 4, 2):  # there are three validation batches: fewer than four, and not a multiple of two
        monkeypatch.setattr("mnist_nn.training.steps_per_execution", lambda *_, number=number: number)
        counting = Counting()
        settings = {"epochs": 2, "batch_size": 500, "verbose": 0, "optimizer": keras.optimizers.Adam()}
        model = build_model()
        history = train(model, small, mnist.validation[:2500], callbacks=[counting], **settings)
        assert counting.executions / 2 == 4 / number
        results.append((model.get_weights(), history.history))
    for weights, history in results[1:]:
        assert all(map(np.array_equal, weights, results[0][0]))
        assert history == results[0][1]


def test_the_temperature_changes_confidence_only(small, mnist):
    """Without non-digits none is fitted; with them it lowers the loss on the validation images."""
    validation = mnist.validation[:1000]
    settings = {"epochs": 2, "batch_size": 100, "augmentation": None, "verbose": 0}
    history = train(model := build_model(), small, validation, non_digits=NonDigits(weight=1), **settings)
    result = evaluate(model, validation)
    assert result.accuracy == pytest.approx(history.history["val_accuracy"][-1])
    assert result.loss < history.history["val_loss"][-1]
    history = train(model := build_model(), small, validation, non_digits=None, **settings)
    assert evaluate(model, validation).loss == pytest.approx(history.history["val_loss"][-1], rel=1e-4)


def test_a_split_smaller_than_a_batch_and_its_progress(blank, capsys):
    history = train(build_model(), blank, blank, epochs=2, verbose=2)
    assert len(history.epoch) == 2
    shown = capsys.readouterr().out
    assert "Epoch 2/2" in shown
    assert "val_accuracy" in shown


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"train": np.zeros((3, 28, 28))}, "train must be a Split"),
        ({"validation": None}, "validation must be a Split"),
        ({"model": "model"}, "model must be a Keras model"),
        ({"model": load_network()}, r"must be a Keras model, not a Network; type load_pretrained\(\)"),
        ({"epochs": 0}, "epochs must be a whole number"),
        ({"epochs": 1.5}, "epochs must be a whole number"),
        ({"epochs": True}, "epochs must be a whole number"),
        ({"batch_size": -1}, "batch_size must be a whole number"),
        ({"augmentation": False}, "augmentation must be an Augmentation or None, not False"),
        ({"optimizer": "adam"}, "optimizer must be an optimiser or None, not 'adam'"),
        ({"callbacks": keras.callbacks.TerminateOnNaN()}, "callbacks must be a list"),
        ({"callbacks": [print]}, "callbacks must be a list of Keras callbacks"),
        ({"non_digits": 0.5}, "non_digits must be a NonDigits or None, not 0.5"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"seed": 0.5}, "seed must be a whole number"),
    ],
)
def test_invalid_arguments_are_refused(blank, change, words):
    model = build_model()
    before = model.get_weights()
    arguments = {"model": model, "train": blank, "validation": blank, "verbose": 0} | change
    with pytest.raises(ValueError, match=words):
        train(**arguments)
    assert all(map(np.array_equal, model.get_weights(), before))
    assert not model.compiled


def test_a_model_without_softmax_is_refused_before_the_training(blank):
    model = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10)])
    with pytest.raises(ValueError, match="outputs are not probabilities; end it in softmax"):
        train(model, Split(blank.images + 9, blank.labels), blank, verbose=0)
    assert not model.compiled


def test_the_same_seed_gives_the_same_weights_in_another_process_with_other_threads(elsewhere):
    here = {}
    exec(FINGERPRINT, here)
    weights, package = elsewhere[0][:2]
    assert here["fingerprint"](5) == weights
    assert "Übung mit Leerzeichen" in package


def test_tensorflow_prints_nothing_of_its_own(elsewhere):
    output, errors = elsewhere
    assert len(output) == 4  # what the process printed itself
    assert errors == ""


@needs_counters
def test_repeated_trainings_keep_little_memory(elsewhere):
    """About 10 MB are known (see `train`). A copy of the images would add another 24 MB."""
    assert float(elsewhere[0][2]) < 25


def test_two_devices_give_the_accuracy_of_one(elsewhere, trained):
    assert float(elsewhere[0][3]) == pytest.approx(trained[1].history["val_accuracy"][-1], abs=0.01)
