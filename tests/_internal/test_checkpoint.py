"""A training that was killed, interrupted or stopped continues to the same weights and history, bit for bit."""

import json
import os
import re
import shutil
import signal

import numpy as np
import pytest

import mnist_nn
from mnist_nn import InterruptedTraining, build_model, train
from mnist_nn.__main__ import main
from mnist_nn._internal.checkpoint import CHECKPOINT, digest
from mnist_nn._internal.tensorflow import keras

EPOCHS = 8


@pytest.fixture(scope="module")
def run(small, mnist):
    """A short training, to be called with the settings that differ; returns the model and the history."""

    def run(model=None, **settings):
        model = model or build_model(3)
        settings = {"epochs": EPOCHS, "seed": 4, "verbose": 0} | settings
        return model, train(model, small, mnist.validation[:500], **settings)

    return run


@pytest.fixture(scope="module")
def undisturbed(run):
    return run()


def simple():
    """Settings that Keras traces in less time than the default ones."""
    return {"optimizer": keras.optimizers.Adam(0.01), "augmentation": None}


@pytest.fixture(scope="module")
def undisturbed_simple(run):
    return run(**simple())


def same(a, b):
    """Return True if two trainings ended with the same weights and history, bit for bit."""
    weights = zip(a[0].get_weights(), b[0].get_weights(), strict=True)
    return all(np.array_equal(*pair) for pair in weights) and a[1].history == b[1].history and a[1].epoch == b[1].epoch


def described(path):
    """Return the description in a checkpoint."""
    return json.loads(path.read_bytes()[64:].partition(b"\n")[0])


@pytest.fixture
def checkpoint(killed, tmp_path):
    """A copy of the folder of the killed process, for one test."""
    assert described(killed / CHECKPOINT)["epochs"] == 3
    return shutil.copytree(killed, tmp_path / "checkpoint")


class During(keras.callbacks.Callback):
    """Calls a function with the model in the middle of an epoch."""

    def __init__(self, epoch, call):
        super().__init__()
        self.epoch, self.call = epoch, call

    def on_train_batch_end(self, batch, logs=None):
        if len(self.model.history.epoch) == self.epoch:
            self.call(self.model)


def interrupt(_=None):
    """Do what Ctrl-C or a notebook's stop button does."""
    signal.raise_signal(signal.SIGINT)


def test_an_interrupted_training_returns_its_history_and_continues_when_run_again(run, undisturbed_simple, tmp_path):
    model = build_model(3)
    for epoch in (0, 5):
        with pytest.warns(InterruptedTraining, match=f"in epoch {epoch + 1} of 8"):
            _, history = run(model, checkpoint=tmp_path, callbacks=[During(epoch, interrupt)], **simple())
        assert history.epoch == list(range(epoch))
        assert all(len(values) == epoch for values in history.history.values())
    # the same model, as in a notebook
    assert same(run(model, checkpoint=tmp_path, **simple()), undisturbed_simple)


def test_a_finished_training_is_not_repeated_for_the_same_model(run, tmp_path):
    """As when a cell of a notebook is run twice; the default settings change the weights after the last epoch."""
    first = run(epochs=2, checkpoint=tmp_path)
    weights = [part.copy() for part in first[0].get_weights()]
    for _ in range(2):
        again = run(first[0], epochs=2, checkpoint=tmp_path)
        assert all(np.array_equal(*pair) for pair in zip(weights, again[0].get_weights(), strict=True))
        assert again[1].history == first[1].history


def test_an_interrupted_training_without_a_checkpoint(run, undisturbed_simple):
    with pytest.warns(InterruptedTraining, match="in epoch 3 of 8"):
        _, history = run(callbacks=[During(2, interrupt)], **simple())
    assert history.epoch == [0, 1]
    assert same(run(**simple()), undisturbed_simple)  # it leaves no trace


def test_a_training_that_a_callback_stopped_stays_stopped(run, tmp_path):
    stop = During(3, lambda model: setattr(model, "stop_training", True))
    stopped = run(checkpoint=tmp_path, callbacks=[stop], **simple())
    assert stopped[1].epoch == [0, 1, 2, 3]
    assert same(run(checkpoint=tmp_path, **simple()), stopped)


def test_a_killed_process_continues_to_the_same_weights_and_history(run, undisturbed, checkpoint):
    assert same(run(checkpoint=checkpoint), undisturbed)
    assert same(run(checkpoint=checkpoint), undisturbed)  # a finished training is returned at once
    assert os.listdir(checkpoint) == [CHECKPOINT]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"seed": 5, "epochs": 9}, "other epochs, seed"),
        ({"augmentation": None, "non_digits": None}, "other augmentation, non_digits"),
        ({"model": build_model(4)}, "other model, initial weights"),
        ({"optimizer": keras.optimizers.SGD()}, "other optimizer"),
    ],
)
def test_the_checkpoint_of_another_training_is_refused(run, checkpoint, settings, words):
    before = (checkpoint / CHECKPOINT).read_bytes()
    with pytest.raises(ValueError, match=rf"{CHECKPOINT}: .* another training \({words}\); remove it, or choose"):
        run(checkpoint=checkpoint, **settings)
    assert (checkpoint / CHECKPOINT).read_bytes() == before


def with_checksum(content):
    return digest(content).encode() + content


DAMAGES = {
    "empty": lambda content: b"",
    "cut short": lambda content: content[:-100],
    "one bit flipped": lambda content: content[:5000] + bytes([content[5000] ^ 1]) + content[5001:],
    "without epochs": lambda content: with_checksum(content[64:].replace(b'"epochs": ', b'"epoch": 1')),
    "without a history": lambda content: with_checksum(content[64:].replace(b'"history": {', b'"history": 1, "h": {')),
    "another number of epochs": lambda content: with_checksum(content[64:].replace(b'"epochs": 3', b'"epochs": 4')),
    "another size": lambda content: with_checksum(content[64:] + b"more"),
    "deeply nested": lambda content: with_checksum(b"[" * 1_000_000),
    "gigantic": lambda content: content + bytes(20_000_000),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_refused(run, checkpoint, damage):
    path = checkpoint / CHECKPOINT
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    said = rf"{CHECKPOINT}: damaged checkpoint \([^\n]*\); remove it, or choose [^\n]*$"
    with pytest.raises(ValueError, match=said):
        run(checkpoint=checkpoint)


def test_the_command_line_says_how_to_continue_and_does(tmp_path, mnist, monkeypatch, capsys):
    source, folder = tmp_path / "tiny.npz", tmp_path / "run"
    images, labels = mnist.train.images[:2400], mnist.train.labels[:2400]
    np.savez(source, x_train=images, y_train=labels, x_test=images[:500], y_test=labels[:500])
    command = ["train", "--data", str(source), "--epochs", "8", "--run", str(folder)]
    with monkeypatch.context() as patch:
        interrupted = During(5, interrupt)
        patch.setattr(mnist_nn, "train", lambda *args, **kwargs: train(*args, callbacks=[interrupted], **kwargs))
        assert main(command) == 130
    interrupted_history = described(folder / CHECKPOINT)["history"]
    said = "mnist_nn: interrupted after 5 epochs; run the same command again to continue\n"
    assert re.fullmatch(said, capsys.readouterr().err)
    assert main(command) == 0
    assert not (folder / CHECKPOINT).exists()
    assert json.loads((folder / "results.json").read_text())["training_seconds"] > 0
    history = json.loads((folder / "history.json").read_text())
    assert {name: values[:5] for name, values in history.items()} == interrupted_history
    assert all(len(values) == 8 for values in history.values())
