"""Training is reproducible, learns, and refuses invalid arguments before anything changes."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import mnist_nn
from mnist_nn import Augmentation, build_model, train
from mnist_nn._internal.tensorflow import keras
from mnist_nn.pretrained.__main__ import build_teacher
from mnist_nn.training import batches, steps_per_execution, warmup_cosine
from tests.memory import needs_counters

FINGERPRINT = """
import hashlib
from mnist_nn import build_model, load_mnist, train

mnist = load_mnist()

def fingerprint(seed):
    model = build_model(seed=0)
    train(model, mnist.train[:8000], mnist.validation[:100], epochs=2, seed=seed, verbose=0)
    return hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()
"""

# A process with two devices trains on one of them first, and then on both.
TWO_DEVICES = """
from mnist_nn._internal.tensorflow import tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
"""
REPEATED = """
import gc, pathlib
status, growth = pathlib.Path("/proc/self/status"), []
for seed in range(4 if status.exists() else 0):
    train(build_model(seed), mnist.train[:30_000], mnist.validation[:100], epochs=1, seed=seed, verbose=0)
    gc.collect()
    resident = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    growth.append(int(resident.split()[1]) / 1024)
print(growth[3] - growth[1] if growth else None)
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
def started(tmp_path_factory):
    """The other process, started with the first test of this module so that it runs beside the others."""
    folder = tmp_path_factory.mktemp("Übung mit Leerzeichen")
    with ThreadPoolExecutor() as pool:
        yield pool.submit(train_elsewhere, folder)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755)


def train_elsewhere(folder):
    """Train in a new process with another number of threads, from a read-only copy of the package."""
    package = Path(mnist_nn.__file__).parent
    copy = shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in [*copy.rglob("*"), copy]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    nowhere = "/dev/null/none"
    unusual = {
        "LC_ALL": "C",
        "HOME": nowhere,
        "TMPDIR": nowhere,
        "MPLCONFIGDIR": str(folder),
        "PYTHONPATH": str(folder),
    }
    first = "import mnist_nn; print(fingerprint(5), mnist_nn.__file__, sep='\\n')"
    return subprocess.run(
        [sys.executable, "-X", "utf8", "-c", TWO_DEVICES + FINGERPRINT + first + REPEATED + MIRRORED],
        env=os.environ | unusual | {"TF_NUM_INTRAOP_THREADS": "4", "TF_NUM_INTEROP_THREADS": "1"},
        capture_output=True,
        encoding="utf8",
        check=False,
        cwd=folder,
    )


@pytest.fixture(scope="module")
def elsewhere(started):
    """The lines that the other process printed."""
    process = started.result()
    assert process.returncode == 0, process.stderr
    return process.stdout.splitlines()


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
    train(model, small, small[:100], epochs=1, optimizer=own, verbose=0)
    assert model.optimizer is own
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_the_learning_rate_rises_and_falls():
    rates = [float(warmup_cosine(0.5, 100)(step)) for step in (0, 5, 10, 55, 100)]
    assert rates == pytest.approx([0, 0.25, 0.5, 0.25, 0], abs=1e-3)


@pytest.mark.parametrize(("steps", "expected"), [(1, 1), (26, 26), (64, 64), (67, 1), (214, 2), (1875, 25)])
def test_steps_per_execution_are_an_equal_part_of_an_epoch(steps, expected):
    assert steps_per_execution(build_model(), steps) == expected


def test_models_with_other_layers_run_one_step_at_a_time():
    assert steps_per_execution(build_teacher(), 64) == 1


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
        model, settings = build_model(), {"epochs": 2, "batch_size": 500, "verbose": 0}
        history = train(model, small, mnist.validation[:2500], callbacks=[counting], **settings)
        assert counting.executions / 2 == 4 / number
        results.append((model.get_weights(), history.history))
    for weights, history in results[1:]:
        assert all(map(np.array_equal, weights, results[0][0]))
        assert history == results[0][1]


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
        ({"epochs": 0}, "epochs must be a whole number"),
        ({"epochs": 1.5}, "epochs must be a whole number"),
        ({"batch_size": -1}, "batch_size must be a whole number"),
        ({"learning_rate": 0}, "learning_rate must be a number"),
        ({"learning_rate": float("nan")}, "learning_rate must be a number"),
        ({"learning_rate": "0.01"}, "learning_rate must be a number"),
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


def test_the_same_seed_gives_the_same_weights_in_another_process_with_other_threads(elsewhere):
    here = {}
    exec(FINGERPRINT, here)
    weights, package = elsewhere[:2]
    assert here["fingerprint"](5) == weights
    assert here["fingerprint"](6) != weights
    assert "Übung mit Leerzeichen" in package


def test_tensorflow_prints_nothing_of_its_own(started, elsewhere):
    assert len(elsewhere) == 4  # what the process printed itself
    assert started.result().stderr == ""


@needs_counters
def test_repeated_trainings_keep_little_memory(elsewhere):
    """About 10 MB each are known (see `train`). One more copy of these images would add 24 MB to each."""
    assert float(elsewhere[2]) < 2 * 20


def test_two_devices_give_the_accuracy_of_one(elsewhere, trained):
    assert float(elsewhere[3]) == pytest.approx(trained[1].history["val_accuracy"][-1], abs=0.01)
