"""Weight files (`.weights.h5`), read by name and shape without trusting the file.

Only the expected arrays are looked at, so a file can neither run code nor fill the memory.
"""

from collections.abc import Iterable
from pathlib import Path

import h5py
import numpy as np


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
