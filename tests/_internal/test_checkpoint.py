"""A training that is killed, interrupted or stopped goes on to the same weights and history, bit for bit."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mnist_nn import InterruptedTraining, build_model, load_mnist, load_weights, train
from mnist_nn.__main__ import main
from mnist_nn._internal.tensorflow import keras
from mnist_nn._internal.checkpoint import FILE

EPOCHS = 40  # of a few hundredths of a second
TRAINING = """
import sys, time
from mnist_nn import build_model, load_mnist, train
from mnist_nn._internal.tensorflow import keras
mnist = load_mnist()
slow = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: time.sleep(0.1))  # or it could end before it is killed
train(build_model(3), mnist.train[:2000], mnist.validation[:500], epochs=40, seed=4, verbose=2, callbacks=[slow],
      checkpoint=sys.argv[1])
"""


@pytest.fixture(scope="module")
def run(small, mnist):
    """A short training, to be called with what differs; returns the model and the history."""

    def training(model=None, **settings):
        model = model or build_model(3)
        given = {"epochs": EPOCHS, "seed": 4, "verbose": 0} | settings
        return model, train(model, small, mnist.validation[:500], **given)

    return training


@pytest.fixture(scope="module")
def undisturbed(run):
    return run()


def same(a, b):
    """Whether two trainings ended in the same weights and had the same history, to the last bit."""
    weights = zip(a[0].get_weights(), b[0].get_weights(), strict=True)
    return all(np.array_equal(*pair) for pair in weights) and a[1].history == b[1].history and a[1].epoch == b[1].epoch


@pytest.fixture(scope="module")
def tiny(tmp_path_factory, mnist):
    path = tmp_path_factory.mktemp("data") / "tiny.npz"
    images, labels = mnist.train.images[:2400], mnist.train.labels[:2400]
    np.savez(path, x_train=images, y_train=labels, x_test=images[:500], y_test=labels[:500])
    return path


@pytest.fixture(scope="module", autouse=True)
def begun(tmp_path_factory, tiny):
    """Two processes, begun with this module's first test and run beside the others: one to be killed in the second
    epoch or soon after, one to be interrupted.
    """
    folders = tmp_path_factory.mktemp("killed"), tmp_path_factory.mktemp("interrupted")
    training = [sys.executable, "-c", TRAINING, folders[0]]
    command = [sys.executable, "-m", "mnist_nn", "train", "--data", tiny, "--epochs", "40", "--run", folders[1]]
    with ThreadPoolExecutor() as pool:
        killed = pool.submit(signalled, training, signal.SIGKILL, -signal.SIGKILL)
        interrupted = pool.submit(signalled, command, signal.SIGINT, 130)
        yield folders, killed, interrupted


@pytest.fixture(scope="module")
def ended(begun):
    """The folders of the two processes, and what the interrupted one said."""
    folders, killed, interrupted = begun
    killed.result()
    with zipfile.ZipFile(folders[0] / FILE) as archive:
        assert 1 <= json.loads(archive.read("training.json"))["epochs"] < EPOCHS
    return *folders, interrupted.result()


def signalled(command, number, code) -> str:
    """Send a process a signal in the second epoch, and return what it wrote to stderr."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert any("Epoch 2/" in line for line in process.stdout), "it ended early"
        process.send_signal(number)
        assert process.wait() == code
        return process.stderr.read()


@pytest.fixture
def checkpoint(ended, tmp_path):
    """The folder of the killed process, for one test."""
    return shutil.copytree(ended[0], tmp_path / "checkpoint")


class Disturbing(keras.callbacks.Callback):
    """Does something in the middle of an epoch."""

    def __init__(self, epoch, disturb):
        super().__init__()
        self.epoch, self.disturb = epoch, disturb

    def on_train_batch_end(self, batch, logs=None):
        if len(self.model.history.epoch) == self.epoch:
            self.disturb(self.model)


def interrupt(_):
    os.kill(os.getpid(), signal.SIGINT)  # as Ctrl-C or a notebook's stop button


def test_interrupted_by_hand_it_returns_the_history_and_goes_on_when_run_again(run, undisturbed, tmp_path):
    model = build_model(3)
    for epoch in (0, 7):
        with pytest.warns(InterruptedTraining, match=f"in epoch {epoch + 1} of 40"):
            _, history = run(model, checkpoint=tmp_path, callbacks=[Disturbing(epoch, interrupt)])
        assert history.epoch == list(range(epoch))
        assert all(len(values) == epoch for values in history.history.values())
    assert same(run(model, checkpoint=tmp_path), undisturbed)  # the same model, as in a cell


def test_interrupted_without_a_checkpoint(run, undisturbed):
    with pytest.warns(InterruptedTraining, match="in epoch 3 of 40"):
        _, history = run(callbacks=[Disturbing(2, interrupt)])
    assert history.epoch == [0, 1]
    assert same(run(), undisturbed)  # nothing is left of it


def test_stopped_early_by_a_callback_it_stays_stopped(run, tmp_path):
    stop = Disturbing(3, lambda model: setattr(model, "stop_training", True))
    stopped = run(checkpoint=tmp_path, callbacks=[stop])
    assert stopped[1].epoch == [0, 1, 2, 3]
    assert same(run(checkpoint=tmp_path), stopped)


def test_a_killed_process_goes_on_to_the_same_weights_and_history(run, undisturbed, checkpoint):
    resumed = run(checkpoint=checkpoint)
    assert same(resumed, undisturbed)
    assert same(run(checkpoint=checkpoint), undisturbed)  # finished: returned at once
    assert [path.name for path in checkpoint.iterdir()] == [FILE]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"seed": 5, "epochs": 41}, "other epochs, seed"),
        ({"learning_rate": 0.01, "augmentation": None}, "other learning_rate, augmentation"),
        ({"model": build_model(4)}, "other initial weights"),
        ({"optimizer": keras.optimizers.SGD()}, "other optimizer"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(run, checkpoint, settings, words):
    before = (checkpoint / FILE).read_bytes()
    with pytest.raises(ValueError, match=rf"{FILE}: .* another training \({words}\); remove it, or choose"):
        run(checkpoint=checkpoint, **settings)
    assert (checkpoint / FILE).read_bytes() == before


def test_a_damaged_checkpoint_is_refused(run, checkpoint):
    content = (checkpoint / FILE).read_bytes()
    compressed = checkpoint / "compressed.zip"
    with zipfile.ZipFile(compressed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("training.json", "{}")
        archive.writestr("state", bytes(10**8))
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 1
    without = content.replace(b'"epochs": ', b'"epoch": 1')
    for damaged in (b"", content[:-100], flipped, without, compressed.read_bytes(), content + bytes(20_000_000)):
        (checkpoint / FILE).write_bytes(damaged)
        with pytest.raises(ValueError, match=rf"{FILE}: a damaged checkpoint \(.*\); remove it, or choose [^\n]*$"):
            run(checkpoint=checkpoint)


def test_the_command_line_says_how_to_go_on_and_does(ended, tiny):
    _, folder, said = ended
    assert re.fullmatch(r"mnist_nn: interrupted after \d+ epochs; the same command goes on from there\n", said)
    assert main(["train", "--data", str(tiny), "--epochs", "40", "--run", str(folder)]) == 0
    assert not (folder / FILE).exists()
    assert json.loads((folder / "results.json").read_text())["training_seconds"] is None
    mnist, model = load_mnist(tiny), build_model(0)
    history = train(model, mnist.train, mnist.validation, epochs=40, verbose=0)
    assert json.loads((folder / "history.json").read_text()) == history.history
    weights = zip(
        load_weights(build_model(1), folder / "model.weights.h5").get_weights(), model.get_weights(), strict=True
    )
    assert all(np.array_equal(*pair) for pair in weights)
