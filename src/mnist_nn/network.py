"""The network without TensorFlow, whose import takes seconds where three matrix products take none; its weight files.

`build_model` makes the same network for Keras, from the same numbers of units.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import h5py
import numpy as np

from .data import check_images

UNITS = (128, 64, 10)  # of the layers: ReLU, ReLU, softmax
PRETRAINED = Path(__file__).parent / "pretrained" / "mnist_nn.weights.h5"


class Network:
    """The network in NumPy: it answers as the Keras model with these weights does, but for the last digits.

    weights: kernel and bias of each layer in turn, float32, as a model's `get_weights()` gives them.
    """

    input_shape, output_shape = (None, 28, 28), (None, UNITS[-1])  # as Keras' models have them

    def __init__(self, weights: Sequence[np.ndarray]):
        self.layers = list(zip(weights[::2], weights[1::2], strict=True))

    def __call__(self, images: np.ndarray, training: bool = False) -> np.ndarray:
        """Return the probabilities of the ten digits, float32 (n, 10), for images (n, 28, 28) of pixels 0 to 255."""
        values = images.reshape(len(images), -1) * np.float32(1 / 255)
        for kernel, bias in self.layers[:-1]:
            values = np.maximum(values @ kernel + bias, 0)
        kernel, bias = self.layers[-1]
        scores = values @ kernel + bias
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)


def load_network(path: str | Path = PRETRAINED) -> Network:
    """Return the Network with the weights of a `.weights.h5` file, by default those that ship.

    Raises FileNotFoundError and ValueError as `read_weights` does.
    """
    sizes = (28 * 28, *UNITS)
    shapes = [shape for inputs, units in zip(sizes, UNITS, strict=False) for shape in [(inputs, units), (units,)]]
    return Network(read_weights(path, ((weight_name(*divmod(i, 2)), shape) for i, shape in enumerate(shapes))))


def check_model(model):
    """Return `model`, a Keras model or a Network, if it maps 28x28 pixels to ten outputs; else raise ValueError."""
    shapes = getattr(model, "input_shape", None), getattr(model, "output_shape", None)
    if shapes != ((None, 28, 28), (None, 10)):
        raise ValueError(
            f"model must be a Keras model from (n, 28, 28) pixels to (n, 10) probabilities, as build_model() returns; "
            f"this {type(model).__name__} goes from {shapes[0]} to {shapes[1]}"
        )
    return model


def predict_probabilities(model, images: np.ndarray) -> np.ndarray:
    """Return the probabilities of the ten digits, float32 (n, 10), for uint8 images (n, 28, 28).

    model: a Keras model or a Network.

    Raises ValueError for another shape, and for outputs that are not probabilities.
    """
    images = check_images(images)
    check_model(model)
    # Called directly, a model computes the same bits whether or not it was compiled, and one image takes 3 ms where
    # model.predict takes 50; 10,000 images at once take 40 MB.
    parts = [model(images[start : start + 10_000], training=False) for start in range(0, len(images), 10_000)]
    probabilities = np.concatenate([np.asarray(part) for part in parts])
    if not np.allclose(probabilities.sum(axis=1), 1, atol=1e-3):  # false for NaN too
        raise ValueError(
            "the model's outputs are not probabilities; train it (NaN: with a lower learning_rate), end it in softmax"
        )
    return probabilities


def read_weights(path: str | Path, names_and_shapes: Iterable[tuple[str, tuple[int, ...]]]) -> list[np.ndarray]:
    """Return these weights, float32, from a `.weights.h5` file, all of them or none.

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
            return [_read_weight(file, name, shape) for name, shape in names_and_shapes]
    except (OSError, RuntimeError, KeyError) as error:
        reason = " ".join(str(error).split())  # HDF5 has messages of several lines
        raise ValueError(
            f"{path}: not a weights file, or damaged ({reason}); save it again with save_weights"
        ) from error
    except _OtherArchitectureError as error:
        raise ValueError(
            f"{path}: weights of another architecture ({error}); build the model they were saved from"
        ) from error


def weight_name(layer: int, number: int) -> str:
    """Return the name in a weights file of the kernel (number 0) or bias (1) of a Dense layer, counted from 0."""
    return f"layers/dense{f'_{layer}' if layer else ''}/vars/{number}"


class _OtherArchitectureError(Exception):
    pass


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
