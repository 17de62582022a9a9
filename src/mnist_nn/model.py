"""The network: 28x28 = 784 inputs, 128 and 64 ReLU units, 10 probabilities; 109,386 parameters. Its weight files."""

import io
from pathlib import Path

import h5py
import numpy as np

from .backend import keras
from .data import check_images
from .files import replacing

PRETRAINED = Path(__file__).parent / "pretrained" / "mnist_nn.weights.h5"


def build_model(seed: int = 0) -> keras.Model:
    """Return the untrained 784-128-64-10 network.

    Input: raw pixels 0 to 255, (n, 28, 28), any numeric type; scaling to 0..1 and flattening happen inside.
    Output: probabilities of the ten digits, float32 (n, 10).
    seed: determines the initial weights (K. He et al., "Delving deep into rectifiers", 2015), a whole number from 0.

    Raises ValueError for another seed.
    """
    check_seed(seed)
    # Keras takes seeds of 31 bits.
    seeds = [int(state) // 2 for state in np.random.SeedSequence(seed).generate_state(3)]
    first, second, last = (keras.initializers.HeNormal(each) for each in seeds)
    return keras.Sequential(
        [
            keras.Input((28, 28), name="pixels"),
            keras.layers.Rescaling(1 / 255, name="scaled"),
            keras.layers.Flatten(name="flat"),
            keras.layers.Dense(128, activation="relu", kernel_initializer=first, name="hidden_1"),
            keras.layers.Dense(64, activation="relu", kernel_initializer=second, name="hidden_2"),
            keras.layers.Dense(10, activation="softmax", kernel_initializer=last, name="digits"),
        ],
        name="mnist_nn",
    )


def check_seed(seed: int) -> None:
    """Raise ValueError if `seed` is not a whole number from 0 to 4,294,967,295."""
    if not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise ValueError(f"seed must be a whole number from 0 to 4,294,967,295, not {seed!r}")


def load_pretrained() -> keras.Model:
    """Return the network with the weights that ship; pretrained/README.md beside them is their model card."""
    return load_weights(build_model(), PRETRAINED)


def check_model(model: keras.Model) -> keras.Model:
    """Return `model` if it maps 28x28 pixels to ten outputs; else raise ValueError."""
    shapes = getattr(model, "input_shape", None), getattr(model, "output_shape", None)
    if shapes != ((None, 28, 28), (None, 10)):
        raise ValueError(
            f"model must be a Keras model from (n, 28, 28) pixels to (n, 10) probabilities, as build_model() returns; "
            f"this {type(model).__name__} goes from {shapes[0]} to {shapes[1]}"
        )
    return model


def predict_probabilities(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return the probabilities of the ten digits, float32 (n, 10), for uint8 images (n, 28, 28).

    Raises ValueError for another shape, and for outputs that are not probabilities.
    """
    images = check_images(images)
    check_model(model)
    # Called directly, a model computes the same bits whether or not it was compiled, and one image takes 3 ms where
    # model.predict takes 50; 10,000 images at once take 40 MB.
    parts = [model(images[start : start + 10_000], training=False) for start in range(0, len(images), 10_000)]
    probabilities = np.concatenate([part.numpy() for part in parts])
    if not np.allclose(probabilities.sum(axis=1), 1, atol=1e-3):  # false for NaN too
        raise ValueError(
            "the model's outputs are not probabilities; train it (NaN: with a lower learning_rate), end it in softmax"
        )
    return probabilities


def save_weights(model: keras.Model, path: str | Path) -> Path:
    """Write the weights to `path` in Keras' format, whole or not at all, and return the path.

    The optimizer's state is left out. path: ends in `.weights.h5`; its folder is made if need be.
    """
    path = Path(path)
    if not path.name.endswith(".weights.h5"):
        raise ValueError(f"{path}: Keras' weight files end in .weights.h5; name it so")
    bare = model.from_config(check_model(model).get_config())  # a copy has no optimizer to be saved with it
    bare.set_weights(model.get_weights())
    file = _WeightsFile()
    bare.save_weights(file)
    with replacing(path) as written:
        written.write_bytes(file.getvalue())
    return path


class _WeightsFile(io.BytesIO):
    """A file in memory, where Keras may write: HDF5 crashes the process when it finds the disk full."""

    def __str__(self) -> str:
        return "model.weights.h5"  # Keras looks at the ending


def load_weights(model: keras.Model, path: str | Path) -> keras.Model:
    """Return `model` with its weights read from a `.weights.h5` file, all of them or none.

    Read by name and shape: nothing else in the file is looked at, so it can neither run code nor fill the memory.

    Raises FileNotFoundError if there is no such file, ValueError if it is not one or is of another architecture.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: no such weights file; make one with `python -m mnist_nn train` or save_weights"
        )
    try:
        with h5py.File(path, "r") as file:
            weights = [_read_weight(file, name, shape) for name, shape in _names_and_shapes(check_model(model))]
    except (OSError, RuntimeError, KeyError) as error:
        reason = " ".join(str(error).split())  # HDF5 has messages of several lines
        raise ValueError(
            f"{path}: not a weights file, or damaged ({reason}); save it again with save_weights"
        ) from error
    except _OtherArchitectureError as error:
        raise ValueError(
            f"{path}: weights of another architecture ({error}); build the model they were saved from"
        ) from error
    model.set_weights(weights)
    return model


class _OtherArchitectureError(Exception):
    pass


def _names_and_shapes(model):
    """Yield the name in a weights file and the shape of every weight, in the order of `model.get_weights()`."""
    layers = [layer for layer in model.layers if layer.weights]
    for number, layer in enumerate(layers):
        if not isinstance(layer, keras.layers.Dense):
            raise ValueError(
                f"model must hold its weights in Dense layers, not in a {type(layer).__name__}; use Keras to load it"
            )
        for i, weight in enumerate(layer.weights):
            yield f"layers/dense{f'_{number}' if number else ''}/vars/{i}", tuple(weight.shape)


def _read_weight(file: h5py.File, name: str, shape: tuple[int, ...]) -> np.ndarray:
    place = file
    for part in name.split("/"):
        if not isinstance(place, h5py.Group) or part not in place:
            raise _OtherArchitectureError(f"it has no {name}")
        if not isinstance(place.get(part, getlink=True), h5py.HardLink):
            raise _OtherArchitectureError(f"{name} is a link elsewhere")
        place = place[part]
    if not isinstance(place, h5py.Dataset) or place.shape != shape or place.dtype != np.float32:
        raise _OtherArchitectureError(f"{name} is not float32 of shape {shape}")
    if place.external or place.is_virtual:
        raise _OtherArchitectureError(f"{name} is stored in another file")
    if place.id.get_create_plist().get_layout() != h5py.h5d.CONTIGUOUS:
        # Keras does not; and a small compressed chunk can unpack to any size, or call for a plug-in.
        raise _OtherArchitectureError(f"{name} is stored in chunks")
    weight = place[...]
    if not np.isfinite(weight).all():
        raise _OtherArchitectureError(f"{name} has values that are not finite")
    return weight
