"""`import mnist_nn` is light, its names are all there, and of what TensorFlow says only noise is held back."""

import os
import subprocess
import sys

import pytest

import mnist_nn
from mnist_nn._internal import tensorflow as backend


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )


def test_every_public_name_is_there():
    assert set(mnist_nn.__all__) <= set(dir(mnist_nn))
    for name in mnist_nn.__all__:
        assert getattr(mnist_nn, name).__doc__, f"{name} has no docstring"
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = mnist_nn.nothing_like_it


def test_import_loads_nothing_heavy():
    done = run("import mnist_nn, sys; print({'tensorflow', 'keras', 'matplotlib', 'numpy'} & set(sys.modules))")
    assert done.stdout == "set()\n"


def test_counting_and_reading_need_no_tensorflow():
    done = run("import mnist_nn.evaluation, mnist_nn.pictures.drawing_pad, sys; print('tensorflow' in sys.modules)")
    assert done.stdout == "False\n"


NOISE = b"I0000 00:00:1.2 3 port.cc:153] noise\n"
REAL = b"E0000 00:00:1.2 3 disk.cc:1] a real error\n"


def test_what_is_no_noise_is_passed_on(capfd):
    with backend._without_noise():
        os.write(2, NOISE + REAL)
    assert capfd.readouterr().err == REAL.decode()


def test_all_is_passed_on_when_the_import_fails(capfd):
    with pytest.raises(ImportError), backend._without_noise():
        os.write(2, NOISE)
        raise ImportError
    assert capfd.readouterr().err == NOISE.decode()


def test_a_process_without_stderr(monkeypatch):
    def closed(_):
        raise OSError("Bad file descriptor")

    monkeypatch.setattr(os, "dup", closed)
    with backend._without_noise():
        pass


def test_another_keras_backend_is_refused_in_one_sentence():
    done = run("import mnist_nn.model", KERAS_BACKEND="jax")
    assert done.returncode == 1
    assert "KERAS_BACKEND is 'jax'; unset it" in done.stderr.splitlines()[-1]


def test_the_number_of_threads_is_fixed():
    assert backend.tf.config.threading.get_intra_op_parallelism_threads() == 2
