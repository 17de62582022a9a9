"""The network in NumPy is the network of Keras, and needs no TensorFlow."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mnist_nn import build_model, load_network, load_pretrained, predict_probabilities, save_weights
from mnist_nn.network import PRETRAINED, Network

SAMPLE = Path(__file__).parent.parent / "notebooks" / "samples" / "5-marker.png"


def test_it_answers_as_keras_does(mnist):
    images = mnist.test.images
    ours, keras = (predict_probabilities(model, images) for model in (load_network(), load_pretrained()))
    assert (ours.dtype, ours.shape) == (keras.dtype, keras.shape) == (np.float32, (10_000, 10))
    assert np.allclose(ours, keras, atol=1e-5)
    assert np.array_equal(ours.argmax(axis=1), keras.argmax(axis=1))


def test_any_weights_that_were_saved(tmp_path, mnist):
    model = build_model(seed=3)
    network = load_network(save_weights(model, tmp_path / "a.weights.h5"))
    images = mnist.validation.images[:100]
    assert np.allclose(network(images), predict_probabilities(model, images), atol=1e-5)


def test_it_is_made_of_a_models_weights(mnist):
    images = mnist.validation.images[:100]
    assert np.array_equal(Network(load_pretrained().get_weights())(images), load_network()(images))


def test_what_it_refuses(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.weights\.h5: no such weights file"):
        load_network(tmp_path / "none.weights.h5")
    (tmp_path / "cut.weights.h5").write_bytes(PRETRAINED.read_bytes()[:5000])
    with pytest.raises(ValueError, match=r"cut\.weights\.h5: not a weights file, or damaged"):
        load_network(tmp_path / "cut.weights.h5")


def test_a_picture_is_read_without_tensorflow():
    code = "import sys; from mnist_nn.__main__ import main; main(sys.argv[1:]); print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, "predict", SAMPLE], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"{SAMPLE}: 5 (100.0%)", "False"]
