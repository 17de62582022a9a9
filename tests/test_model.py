"""The network in Keras and in NumPy; weight files are read by name and shape, completely or not at all."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pytest

from mnist_nn import (
    activations,
    apply_temperature,
    build_model,
    deepfool,
    jsma,
    load_network,
    load_pretrained,
    load_weights,
    predict_probabilities,
    saliency,
    save_weights,
    train,
)
from mnist_nn._internal.tensorflow import keras
from mnist_nn.model import PRETRAINED, Network

SAMPLE = Path(__file__).parent.parent / "notebooks" / "samples" / "5-marker.png"


@pytest.fixture
def model():
    return build_model(seed=1)


@pytest.fixture
def saved(model, tmp_path):
    return save_weights(model, tmp_path / "a.weights.h5")


def weights_equal(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a.get_weights(), b.get_weights(), strict=True))


def test_the_architecture(model):
    assert model.count_params() == 109_386
    assert [w.shape for w in model.get_weights()] == [(784, 128), (128,), (128, 64), (64,), (64, 10), (10,)]
    assert (model.input_shape, model.output_shape) == ((None, 28, 28), (None, 10))


def test_the_model_computes_three_matrix_products(model, mnist):
    images = mnist.test.images[:100]
    w1, b1, w2, b2, w3, b3 = (w.astype(np.float64) for w in model.get_weights())
    x = images.reshape(100, 784) / 255
    x = np.maximum(np.maximum(x @ w1 + b1, 0) @ w2 + b2, 0) @ w3 + b3
    expected = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(predict_probabilities(model, images), expected, atol=1e-5)


def test_the_seed_determines_the_initial_weights(model):
    assert weights_equal(model, build_model(seed=1))
    assert not weights_equal(model, build_model(seed=2))
    first, second, last = (layer.kernel.numpy() for layer in model.layers if layer.weights)
    for kernel in (first, second, last):  # He initialisation, truncated at two standard deviations
        assert kernel.std() == pytest.approx(np.sqrt(2 / len(kernel)), rel=0.1)
    with pytest.raises(ValueError, match="seed must be a whole number"):
        build_model(seed=-1)


@pytest.mark.parametrize("hidden", [(), (32,), [300, 100], (16,) * 8])
def test_other_sizes(hidden, tmp_path, mnist):
    model, images = build_model(hidden=hidden), mnist.validation.images[:20]
    sizes = [784, *hidden, 10]
    assert model.count_params() == sum((n + 1) * m for n, m in pairwise(sizes))
    network = load_network(save_weights(model, tmp_path / "other.weights.h5"))
    assert repr(network) == f"Network({'-'.join(map(str, sizes))})"
    assert np.allclose(network(images), predict_probabilities(model, images), atol=1e-5)
    history = train(model, mnist.train[:200], mnist.validation[:100], epochs=1, verbose=0, checkpoint=tmp_path)
    assert history.epoch == [0]


@pytest.mark.parametrize("hidden", [128, (0,), (3000,), (128.0,), "ab", (16,) * 9])
def test_invalid_sizes_are_refused(hidden):
    with pytest.raises(ValueError, match=r"hidden must be at most 8 whole numbers from 1 to 2,048, .*; not "):
        build_model(hidden=hidden)


def test_saved_weights_can_be_loaded(model, saved):
    assert weights_equal(load_weights(build_model(seed=2), saved), model)
    assert saved.stat().st_size < 500_000


def test_keras_reads_the_same_file(model, saved):
    other = build_model(seed=2)
    other.load_weights(saved)
    assert weights_equal(other, model)


def test_a_file_that_keras_saved_can_be_loaded(trained, tmp_path):
    trained[0].save_weights(tmp_path / "with_optimizer.weights.h5")
    assert weights_equal(load_weights(build_model(), tmp_path / "with_optimizer.weights.h5"), trained[0])


def test_the_state_of_the_optimizer_is_not_saved(trained, tmp_path):
    path = save_weights(trained[0], tmp_path / "bare.weights.h5")
    assert path.stat().st_size < 500_000
    with h5py.File(path) as file:
        assert not file.get("optimizer/vars")


def test_the_same_weights_make_the_same_file(model, saved, tmp_path):
    assert save_weights(model, tmp_path / "b.weights.h5").read_bytes() == saved.read_bytes()


def refused(path, words, error=ValueError):
    """Check that loading fails with one sentence that contains the words, and leaves the model unchanged."""
    model = build_model(seed=3)
    with pytest.raises(error) as caught:
        load_weights(model, path)
    assert "\n" not in str(caught.value)
    for word in [str(path), *words]:
        assert word in str(caught.value)
    assert weights_equal(model, build_model(seed=3))


def test_a_missing_file_is_refused(tmp_path):
    refused(tmp_path / "none.weights.h5", ["no such", "python -m mnist_nn train"], FileNotFoundError)


def test_another_kind_of_file_is_refused(tmp_path):
    path = tmp_path / "text.weights.h5"
    path.write_text("this is not a weights file")
    refused(path, ["not a weights file"])


@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_truncated_weights_are_refused(saved, share):
    saved.write_bytes(saved.read_bytes()[: int(share * saved.stat().st_size)])
    refused(saved, ["damaged"])


def test_weights_of_another_architecture_are_refused(tmp_path):
    other = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    path = save_weights(other, tmp_path / "other.weights.h5")
    refused(path, ["another architecture", "(784, 128)", "build_model(hidden=...)"])


def replaced(path, name, make):
    with h5py.File(path, "r+") as file:
        del file[name]
        make(file)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda file: None, ["has no"]),
        (lambda file: file.create_group("layers/dense/vars/0"), ["float32"]),
        (lambda file: file.create_dataset("layers/dense/vars/0", (784, 128), "f8"), ["float32"]),
        (
            lambda file: file.create_dataset("layers/dense/vars/0", (2**40, 2**20), "f4", chunks=(8, 8)),
            ["(784, 128)"],
        ),
        (
            lambda file: file.create_dataset("layers/dense/vars/0", data=np.full((784, 128), np.nan, "f4")),
            ["finite"],
        ),
        (lambda file: file.__setitem__("layers/dense/vars/0", h5py.ExternalLink("b.h5", "x")), ["link"]),
        (
            lambda file: file.__setitem__("layers/dense/vars/0", h5py.SoftLink("/layers/dense/vars/0")),
            ["link"],
        ),
        (
            lambda file: file.create_dataset(
                "layers/dense/vars/0", (784, 128), "f4", external=[("b.raw", 0, h5py.h5f.UNLIMITED)]
            ),
            ["another file"],
        ),
    ],
)
def test_hostile_weights_are_refused(saved, make, words):
    replaced(saved, "layers/dense/vars/0", make)
    refused(saved, words)


def test_chunks_are_not_unpacked(saved):
    """HDF5 would unpack two kilobytes to gigabytes, or load a plug-in that a chunk asks for."""
    for filters in ({"compression": "gzip"}, {"chunks": (784, 128)}, {"fletcher32": True}):
        replaced(
            saved,
            "layers/dense/vars/0",
            lambda file, filters=filters: file.create_dataset("layers/dense/vars/0", (784, 128), "f4", **filters),
        )
        refused(saved, ["in chunks"])


def test_weights_files_need_the_right_suffix(model, tmp_path):
    with pytest.raises(ValueError, match=r"a\.h5: .* must end in \.weights\.h5"):
        save_weights(model, tmp_path / "a.h5")


@pytest.mark.parametrize(
    "images",
    [np.zeros((28, 28), np.uint8), np.zeros((2, 28, 28)), np.zeros((0, 28, 28), np.uint8), np.zeros(784)],
)
def test_images_of_another_shape_or_type_are_refused(model, images):
    with pytest.raises(ValueError, match=r"images must be uint8 of shape \(n, 28, 28\)"):
        predict_probabilities(model, images)


def test_models_of_another_shape_are_refused(blank):
    with pytest.raises(ValueError, match=r"a Network, not 'model.weights.h5'; type load_network\('model.weights.h5'\)"):
        predict_probabilities("model.weights.h5", blank.images)
    with pytest.raises(ValueError, match=r"a Network, not a function; type load_network\(\) for the pretrained one"):
        predict_probabilities(load_network, blank.images)
    flat = keras.Sequential([keras.Input((784,)), keras.layers.Dense(10, "softmax")])
    with pytest.raises(ValueError, match=r"goes from \(None, 784\)"):
        predict_probabilities(flat, blank.images)
    logits = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10)])
    with pytest.raises(ValueError, match="not probabilities"):
        predict_probabilities(logits, blank.images + 255)


def test_a_diverged_model_is_refused(model, blank):
    model.set_weights([np.full_like(w, np.nan) for w in model.get_weights()])
    with pytest.raises(ValueError, match="lower learning_rate"):
        predict_probabilities(model, blank.images)


# The network in NumPy.


def test_the_network_in_numpy_predicts_like_keras(mnist):
    images = mnist.test.images
    ours, reference = (predict_probabilities(model, images) for model in (load_network(), load_pretrained()))
    assert (ours.dtype, ours.shape) == (reference.dtype, reference.shape) == (np.float32, (10_000, 10))
    assert np.allclose(ours, reference, atol=1e-5)
    assert np.array_equal(ours.argmax(axis=1), reference.argmax(axis=1))


def test_the_network_in_numpy_reads_any_saved_weights(saved, model, mnist):
    images = mnist.validation.images[:100]
    assert np.allclose(load_network(saved)(images), predict_probabilities(model, images), atol=1e-5)


def test_the_network_in_numpy_can_be_made_from_a_models_weights(mnist):
    images = mnist.validation.images[:100]
    network = Network(load_pretrained().get_weights())
    assert repr(network) == "Network(784-128-64-10)"
    assert np.array_equal(network(images), load_network()(images))


def test_load_network_refuses_missing_and_damaged_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.weights\.h5: no such weights file"):
        load_network(tmp_path / "none.weights.h5")
    (tmp_path / "cut.weights.h5").write_bytes(PRETRAINED.read_bytes()[:5000])
    with pytest.raises(ValueError, match=r"cut\.weights\.h5: not a weights file, or damaged"):
        load_network(tmp_path / "cut.weights.h5")


def test_a_folder_is_no_weights_file(model, tmp_path):
    for load in (load_network, lambda path: load_weights(model, path)):
        with pytest.raises(ValueError, match=r"this is a folder, .* as in .*model\.weights\.h5"):
            load(tmp_path)
    with pytest.raises(ValueError, match=r"must end in \.weights\.h5; type .*model\.weights\.h5"):
        save_weights(model, tmp_path)


@pytest.mark.parametrize(
    "call",
    [
        lambda network: load_weights(network, "a.weights.h5"),
        lambda network: save_weights(network, "a.weights.h5"),
        lambda network: activations(network, np.zeros((1, 28, 28), np.uint8)),
        lambda network: saliency(network, np.zeros((1, 28, 28), np.uint8)),
        lambda network: deepfool(network, np.zeros((1, 28, 28), np.uint8)),
        lambda network: jsma(network, np.zeros((1, 28, 28), np.uint8)),
        lambda network: apply_temperature(network, 1.1),
    ],
)
def test_functions_that_need_a_keras_model_say_so(call):
    with pytest.raises(ValueError, match=r"must be a Keras model, not a Network; type load_pretrained\(\)"):
        call(load_network())


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("layers", lambda file: None, "has no layers"),
        ("layers/dense_1/vars/1", lambda file: file.create_dataset("layers/dense_1/vars/1", (2**30,), "f4"), "2,048"),
        ("layers/dense_1/vars/1", lambda file: file.create_group("layers/dense_1/vars/1"), "2,048"),
        ("layers", lambda file: [file.create_group(f"layers/dense_{i}") for i in range(99)], "99 Dense layers"),
        ("layers", lambda file: file.__setitem__("layers", h5py.ExternalLink("b.h5", "x")), ""),
    ],
)
def test_load_network_refuses_hostile_sizes(saved, name, make, words):
    replaced(saved, name, make)
    with pytest.raises(ValueError, match=rf"a\.weights\.h5: [^\n]*{words}"):
        load_network(saved)


@pytest.mark.end_to_end
def test_predicting_a_picture_needs_no_tensorflow():
    code = "import sys; from mnist_nn.__main__ import main; main(sys.argv[1:]); print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, "predict", SAMPLE], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"{SAMPLE}: 5 (100.0 %)", "False"]
