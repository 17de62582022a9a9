"""Weight files (`.weights.h5`): written by Keras, and read by name and shape without trusting the file.

Only the expected arrays are looked at, so a file can neither run code nor fill the memory.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np

if TYPE_CHECKING:
    from .tensorflow import keras


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
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: no such weights file; make one with `python -m mnist_nn train` or save_weights"
        )
    try:
        with h5py.File(path, "r") as file:
            return [_read_weight(file, name, shape) for name, shape in names_and_shapes]
    except (OSError, RuntimeError, KeyError) as error:
        reason = " ".join(str(error).split())  # HDF5's messages span several lines
        raise ValueError(
            f"{path}: not a weights file, or damaged ({reason}); save it again with save_weights"
        ) from error
    except _OtherArchitectureError as error:
        raise ValueError(
            f"{path}: weights of another architecture ({error}); build the model they were saved from"
        ) from error


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


def _read_weight(file: h5py.File, name: str, shape: tuple[int, ...]) -> np.ndarray:
    place = file
    for part in name.split("/"):
        if not isinstance(place, h5py.Group) or part not in place:
            raise _OtherArchitectureError(f"it has no {name}")
        if not isinstance(place.get(part, getlink=True), h5py.HardLink):
            raise _OtherArchitectureError(f"{name} is a link")
        place = place[part]
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
