"""Training repeats exactly, learns, and refuses what it cannot use before anything changes."""

import os
import resource
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import mnist_nn
from mnist_nn import Augmentation, Split, build_model, predict_probabilities, train
from mnist_nn._internal.tensorflow import keras
from mnist_nn.pretrained.__main__ import build_teacher
from mnist_nn.training import batches, steps_at_once, warmup_cosine

SOME_TRAINING = """
import hashlib
from mnist_nn import build_model, load_mnist, train

mnist = load_mnist()

def fingerprint(seed):
    model = build_model(seed=0)
    train(model, mnist.train[:8000], mnist.validation[:100], epochs=2, seed=seed, verbose=0)
    return hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()
"""


TWO_DEVICES = """
from mnist_nn._internal.tensorflow import tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
"""
MIRRORED = """
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert strategy.num_replicas_in_sync == 2
with strategy.scope():
    model = build_model(seed=0)
settings = dict(epochs=4, batch_size=64, augmentation=None, verbose=0)
history = train(model, mnist.train[:2000], mnist.validation[:1000], **settings)
assert model.distribute_strategy is strategy
print(history.history["val_accuracy"][-1])
"""


@pytest.fixture(scope="module", autouse=True)
def begun(tmp_path_factory):
    """The training of `elsewhere`, begun with this module's first test and run beside the others."""
    folder = tmp_path_factory.mktemp("Übung mit Leerzeichen")
    with ThreadPoolExecutor() as pool:
        yield pool.submit(trained_elsewhere, folder)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755)


def trained_elsewhere(folder):
    """Train in a fresh process with other threads, in odd surroundings, from a read-only install.

    The process has two devices; it trains on one of them, and then on both.
    """
    package = Path(mnist_nn.__file__).parent
    copy = shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in [*copy.rglob("*"), copy]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    nowhere = "/dev/null/none"
    odd = {"LC_ALL": "C", "HOME": nowhere, "TMPDIR": nowhere, "MPLCONFIGDIR": str(folder), "PYTHONPATH": str(folder)}
    code = (
        TWO_DEVICES + SOME_TRAINING + "import mnist_nn; print(fingerprint(5), mnist_nn.__file__, sep='\\n')" + MIRRORED
    )
    return subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code],
        env=os.environ | odd | {"TF_NUM_INTRAOP_THREADS": "4", "TF_NUM_INTEROP_THREADS": "1"},
        capture_output=True,
        encoding="utf8",
        check=True,
        cwd=folder,
    )


@pytest.fixture(scope="module")
def elsewhere(begun):
    return begun.result()


def test_it_learns_and_returns_the_history(trained):
    _, history = trained
    assert set(history.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert history.epoch == [0, 1, 2, 3]
    assert history.history["val_accuracy"][-1] > 0.88
    assert history.history["loss"][-1] < history.history["loss"][0] / 2


def test_an_epoch_shows_every_image_once(small):
    part = small[:100]
    seen = [labels.numpy() for _, labels in batches(part, 10, 20, seed=0, augmentation=None)]
    images = [image.numpy() for batch, _ in batches(part, 10, 20, seed=0, augmentation=None) for image in batch]
    for epoch in (images[:100], images[100:]):
        assert {image.tobytes() for image in epoch} == {image.tobytes() for image in part.images}
    assert not np.array_equal(seen[:10], seen[10:])  # in another order


def test_images_keep_their_labels(small):
    labels = {image.tobytes(): label for image, label in zip(small.images, small.labels, strict=True)}
    for images, given in batches(small, 64, 10, seed=1, augmentation=None):
        assert [labels[image.tobytes()] for image in images.numpy()] == list(given.numpy())


def test_batches_are_warped_more_weakly_towards_the_end(small):
    warped, plain = (
        np.stack([images.numpy().astype(float) for images, _ in batches(small, 100, 40, 0, augmentation)])
        for augmentation in (Augmentation(final_strength=0.1), None)
    )
    change = np.abs(warped - plain).mean(axis=(1, 2, 3))
    assert change[-3:].mean() < 0.6 * change[:20].mean()


def test_a_teacher_is_learned_from_instead_of_the_labels(trained, small, mnist):
    wrong = Split(small.images, (small.labels + 1) % 10)  # never looked at
    student = build_model(seed=1)
    part = mnist.validation[:1000]
    history = train(student, wrong, part, epochs=8, batch_size=64, augmentation=None, teacher=trained[0], verbose=0)
    agreement = predict_probabilities(student, part.images).argmax(axis=1) == predict_probabilities(
        trained[0], part.images
    ).argmax(axis=1)
    assert agreement.mean() > 0.9
    assert history.history["val_accuracy"][-1] > 0.85


def test_an_optimizer_of_ones_own(small):
    own = keras.optimizers.SGD(0.0)
    model = build_model()
    before = model.get_weights()
    train(model, small, small[:100], epochs=1, optimizer=own, verbose=0)
    assert model.optimizer is own
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_trainings_after_the_second_take_no_more_memory(small):
    """Each took 30 MB that TensorFlow never gave back, and the images once more."""
    images = Split(np.repeat(small.images, 5, axis=0), np.repeat(small.labels, 5))
    peaks = []
    for seed in range(5):
        train(build_model(seed), images, small[:100], epochs=1, seed=seed, verbose=0)
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000)  # MB
    assert peaks[-1] - peaks[1] < 30


def test_the_learning_rate_rises_and_falls():
    rates = [float(warmup_cosine(0.5, 100)(step)) for step in (0, 5, 10, 55, 100)]
    assert rates == pytest.approx([0, 0.25, 0.5, 0.25, 0], abs=1e-3)


@pytest.mark.parametrize(("steps", "at_once"), [(1, 1), (26, 26), (64, 64), (67, 1), (214, 2), (1875, 25)])
def test_steps_are_taken_at_once_in_equal_parts_of_an_epoch(steps, at_once):
    assert steps_at_once(build_model(), steps) == at_once


def test_steps_of_other_layers_are_taken_one_at_a_time():
    assert steps_at_once(build_teacher(), 64) == 1


class Counting(keras.callbacks.Callback):
    """Counts how often Keras looks at its callbacks."""

    executions = 0

    def on_train_batch_end(self, batch, logs=None):
        self.executions += 1


def test_steps_at_once_change_nothing(monkeypatch, small, mnist):
    results = []
    for at_once in (1, 4, 2):  # three batches to validate: fewer than four, and not a multiple of two
        monkeypatch.setattr("mnist_nn.training.steps_at_once", lambda *_, at_once=at_once: at_once)
        counted = Counting()
        model, settings = build_model(), {"epochs": 2, "batch_size": 500, "verbose": 0}
        history = train(model, small, mnist.validation[:2500], callbacks=[counted], **settings)
        assert counted.executions / 2 == 4 / at_once
        results.append((model.get_weights(), history.history))
    for weights, history in results[1:]:
        assert all(map(np.array_equal, weights, results[0][0]))
        assert history == results[0][1]


def test_a_training_set_smaller_than_a_batch_with_its_progress_shown(blank, capsys):
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
        ({"epochs": 0}, "epochs must be a whole number"),
        ({"epochs": 1.5}, "epochs must be a whole number"),
        ({"batch_size": -1}, "batch_size must be a whole number"),
        ({"learning_rate": 0}, "learning_rate must be a number"),
        ({"learning_rate": float("nan")}, "learning_rate must be a number"),
        ({"learning_rate": "0.01"}, "learning_rate must be a number"),
        ({"weight_decay": -0.1}, "weight_decay must be a number"),
        ({"teacher": "teacher"}, "model must be a Keras model"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"seed": 0.5}, "seed must be a whole number"),
    ],
)
def test_what_it_refuses(blank, change, words):
    arguments = {"model": build_model(), "train": blank, "validation": blank, "verbose": 0} | change
    with pytest.raises(ValueError, match=words):
        train(**arguments)


def test_the_same_seed_gives_the_same_weights_in_another_process_with_other_threads(elsewhere):
    here = {}
    exec(SOME_TRAINING, here)
    weights, package, _ = elsewhere.stdout.splitlines()
    assert here["fingerprint"](5) == weights
    assert here["fingerprint"](6) != weights
    assert "Übung mit Leerzeichen" in package


def test_tensorflow_starts_and_trains_without_a_word_of_its_own(elsewhere):
    assert len(elsewhere.stdout.splitlines()[0]) == 64
    assert elsewhere.stderr == ""


def test_two_devices_give_the_accuracy_of_one(elsewhere, trained):
    accuracy = float(elsewhere.stdout.splitlines()[2])
    assert accuracy == pytest.approx(trained[1].history["val_accuracy"][-1], abs=0.01)
