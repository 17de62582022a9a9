"""The network is the textbook's, and its weight files are read by name and shape or not at all."""

import h5py
import numpy as np
import pytest

from mnist_nn import build_model, load_weights, predict_probabilities, save_weights
from mnist_nn._internal.tensorflow import keras


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


def test_the_network_is_three_matrix_products(model, mnist):
    images = mnist.test.images[:100]
    w1, b1, w2, b2, w3, b3 = (w.astype(np.float64) for w in model.get_weights())
    x = images.reshape(100, 784) / 255
    x = np.maximum(np.maximum(x @ w1 + b1, 0) @ w2 + b2, 0) @ w3 + b3
    expected = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(predict_probabilities(model, images), expected, atol=1e-5)


def test_seeds(model):
    assert weights_equal(model, build_model(seed=1))
    assert not weights_equal(model, build_model(seed=2))
    first, second, last = (layer.kernel.numpy() for layer in model.layers if layer.weights)
    for kernel in (first, second, last):  # He initialisation, cut off at two standard deviations
        assert kernel.std() == pytest.approx(np.sqrt(2 / len(kernel)), rel=0.1)
    with pytest.raises(ValueError, match="seed must be a whole number"):
        build_model(seed=-1)


def test_saved_weights_come_back(model, saved):
    assert weights_equal(load_weights(build_model(seed=2), saved), model)
    assert saved.stat().st_size < 500_000


def test_keras_reads_the_same_file(model, saved):
    other = build_model(seed=2)
    other.load_weights(saved)
    assert weights_equal(other, model)


def test_a_file_that_keras_saved_is_read(trained, tmp_path):
    trained[0].save_weights(tmp_path / "with_optimizer.weights.h5")
    assert weights_equal(load_weights(build_model(), tmp_path / "with_optimizer.weights.h5"), trained[0])


def test_the_optimizers_state_is_not_saved(trained, tmp_path):
    path = save_weights(trained[0], tmp_path / "bare.weights.h5")
    assert path.stat().st_size < 500_000
    with h5py.File(path) as file:
        assert not file.get("optimizer/vars")


def test_the_same_weights_make_the_same_file(model, saved, tmp_path):
    assert save_weights(model, tmp_path / "b.weights.h5").read_bytes() == saved.read_bytes()


def refused(path, words, error=ValueError):
    """Loading raises one sentence that holds the words, and leaves the model as it was."""
    model = build_model(seed=3)
    with pytest.raises(error) as caught:
        load_weights(model, path)
    assert "\n" not in str(caught.value)
    for word in [str(path), *words]:
        assert word in str(caught.value)
    assert weights_equal(model, build_model(seed=3))


def test_missing_weights(tmp_path):
    refused(tmp_path / "none.weights.h5", ["no such", "python -m mnist_nn train"], FileNotFoundError)


def test_a_file_that_is_no_weights_file(tmp_path):
    path = tmp_path / "text.weights.h5"
    path.write_text("these are no weights")
    refused(path, ["not a weights file"])


@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_truncated_weights(saved, share):
    saved.write_bytes(saved.read_bytes()[: int(share * saved.stat().st_size)])
    refused(saved, ["damaged"])


def test_weights_of_another_architecture(tmp_path):
    other = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    refused(save_weights(other, tmp_path / "other.weights.h5"), ["another architecture", "(784, 128)"])


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
def test_hostile_weights(saved, make, words):
    replaced(saved, "layers/dense/vars/0", make)
    refused(saved, words)


def test_a_chunk_that_unpacks_to_more_than_it_should_is_not_unpacked(saved):
    """Two kilobytes that HDF5 would unpack to gigabytes, and a chunk that calls for a plug-in."""
    for filters in ({"compression": "gzip"}, {"chunks": (784, 128)}, {"fletcher32": True}):
        replaced(
            saved,
            "layers/dense/vars/0",
            lambda file, filters=filters: file.create_dataset("layers/dense/vars/0", (784, 128), "f4", **filters),
        )
        refused(saved, ["in chunks"])


def test_the_name_of_a_weights_file(model, tmp_path):
    with pytest.raises(ValueError, match=r"a\.h5: .* end in \.weights\.h5"):
        save_weights(model, tmp_path / "a.h5")


@pytest.mark.parametrize(
    "images",
    [np.zeros((28, 28), np.uint8), np.zeros((2, 28, 28)), np.zeros((0, 28, 28), np.uint8), np.zeros(784)],
)
def test_images_of_another_form(model, images):
    with pytest.raises(ValueError, match=r"images must be uint8 of shape \(n, 28, 28\)"):
        predict_probabilities(model, images)


def test_models_of_another_form(blank):
    with pytest.raises(ValueError, match="model must be a Keras model"):
        predict_probabilities("model.weights.h5", blank.images)
    flat = keras.Sequential([keras.Input((784,)), keras.layers.Dense(10, "softmax")])
    with pytest.raises(ValueError, match=r"goes from \(None, 784\)"):
        predict_probabilities(flat, blank.images)
    logits = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10)])
    with pytest.raises(ValueError, match="not probabilities"):
        predict_probabilities(logits, blank.images + 255)


def test_a_network_that_has_diverged(model, blank):
    model.set_weights([np.full_like(w, np.nan) for w in model.get_weights()])
    with pytest.raises(ValueError, match="lower learning_rate"):
        predict_probabilities(model, blank.images)
