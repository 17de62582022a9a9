"""Weight files (`.weights.h5`): written by Keras, and read by name and shape without trusting the file.

Only the expected arrays are looked at, so a file can neither run code nor fill the memory.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

if TYPE_CHECKING:
    from .tensorflow import keras

MAX_LAYERS, MAX_UNITS = 8, 2_048  # hidden layers of a network, and units in each; more than 130 MB are never read


class _FileInMemory(io.BytesIO):
    """Keras writes here first, because HDF5 crashes the process when the disk is full."""

    def __str__(self) -> str:
        return "model.weights.h5"  # Keras checks the file name's suffix


def serialize_weights(model: keras.Model) -> bytes:
    """Return the content of a weights file, without the optimiser's state."""
    bare = model.from_config(model.get_config())  # a copy without an optimiser
    bare.set_weights(model.get_weights())
    file = _FileInMemory()
    bare.save_weights(file)
    return file.getvalue()


def read_weights(path: str | Path, names_and_shapes: Iterable[tuple[str, tuple[int, ...]]]) -> list[np.ndarray]:
    """Return the named weights, float32, from a `.weights.h5` file: all of them or none.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not a weights file, is damaged, or belongs to another architecture.
    """
    with _opened(path) as file:
        return [_read_weight(file, name, shape) for name, shape in names_and_shapes]


def read_network(path: str | Path, inputs: int, outputs: int) -> list[np.ndarray]:
    """Return kernel and bias of each Dense layer in turn, float32; the file decides how many hidden layers there are.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not a weights file, is damaged, or belongs to another architecture.
    """
    with _opened(path) as file:
        sizes = [inputs, *_hidden_sizes(file), outputs]
        shapes = [shape for pair in pairwise(sizes) for shape in (pair, pair[1:])]
        return [_read_weight(file, weight_name(*divmod(i, 2)), shape) for i, shape in enumerate(shapes)]


@contextmanager
def _opened(path: str | Path) -> Iterator[h5py.File]:
    """Open a weights file; errors in the block become one sentence that names it."""
    path = Path(path)
    if path.is_dir():
        raise ValueError(
            f"{path}: this is a folder, not a weights file; type the path of a file in it, as in "
            f"{path / 'model.weights.h5'}"
        )
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: no such weights file; make one with `python -m mnist_nn train` or save_weights"
        )
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, RuntimeError, KeyError) as error:
        reason = " ".join(str(error).split())  # HDF5's messages span several lines
        raise ValueError(
            f"{path}: not a weights file, or damaged ({reason}); save it again with save_weights"
        ) from error
    except _OtherArchitectureError as error:
        raise ValueError(
            f"{path}: weights of another architecture ({error}); build the model they were saved from, "
            "for example with build_model(hidden=...)"
        ) from error


def _hidden_sizes(file: h5py.File) -> Iterator[int]:
    """Yield the number of units of each Dense layer but the last, as its bias has it."""
    layers = sum(bool(re.fullmatch(r"dense(_\d+)?", str(name))) for name in _find(file, "layers"))
    if not 1 <= layers <= MAX_LAYERS + 1:
        raise _OtherArchitectureError(f"it has {layers} Dense layers instead of 1 to {MAX_LAYERS + 1}")
    for name in (weight_name(layer, 1) for layer in range(layers - 1)):
        shape = getattr(_find(file, name), "shape", None) or (0,)
        if not 0 < shape[0] <= MAX_UNITS:
            raise _OtherArchitectureError(f"{name} is not float32 of shape (n,) for 1 to {MAX_UNITS:,} units")
        yield shape[0]


def weight_name(layer: int, index: int) -> str:
    """Return the name of the kernel (index 0) or bias (index 1) of a Dense layer, counted from 0."""
    return f"layers/dense{f'_{layer}' if layer else ''}/vars/{index}"


def names_and_shapes(model: keras.Model) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the name in a weights file and the shape of every weight, in the order of `model.get_weights()`."""
    from .tensorflow import keras

    for number, layer in enumerate(layer for layer in model.layers if layer.weights):
        if not isinstance(layer, keras.layers.Dense):
            raise ValueError(
                f"model must hold its weights in Dense layers, not in a {type(layer).__name__}; use Keras to load it"
            )
        for index, weight in enumerate(layer.weights):
            yield weight_name(number, index), tuple(weight.shape)


class _OtherArchitectureError(Exception):
    pass


def _find(file: h5py.File, name: str) -> Any:
    """Return an array, not yet read, or a group in the file, without following links."""
    place: Any = file
    for part in name.split("/"):
        if not isinstance(place, h5py.Group) or part not in place:
            raise _OtherArchitectureError(f"it has no {name}")
        if not isinstance(place.get(part, getlink=True), h5py.HardLink):
            raise _OtherArchitectureError(f"{name} is a link")
        place = place[part]
    return place


def _read_weight(file: h5py.File, name: str, shape: tuple[int, ...]) -> np.ndarray:
    place = _find(file, name)
    if not isinstance(place, h5py.Dataset) or place.shape != shape or place.dtype != np.float32:
        raise _OtherArchitectureError(f"{name} is not float32 of shape {shape}")
    if place.external or place.is_virtual:
        raise _OtherArchitectureError(f"{name} is stored in another file")
    if place.id.get_create_plist().get_layout() != h5py.h5d.CONTIGUOUS:
        # Keras never writes chunks, and a small compressed chunk could unpack to any size or ask for a plug-in.
        raise _OtherArchitectureError(f"{name} is stored in chunks")
    weight = place[...]
    if not np.isfinite(weight).all():
        raise _OtherArchitectureError(f"{name} has values that are not finite")
    return weight
