"""The two formats that MNIST and sets like it come in, read without trusting the file.

A `.npz` in Keras' layout is a zip of `.npy` arrays; an IDX file is a header and the numbers. Nothing is unpickled,
sizes are bounded before memory is taken, checksums are compared, and each error is one sentence that names the file.
"""

import gzip
import hashlib
import io
import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

PART = 8_000_000  # bytes read at once
LARGEST = 1_000_000  # images in one file; the largest set in this format, EMNIST by class, has 697,932


class DataError(ValueError):
    """A data file that is damaged or not in the expected format."""


@contextmanager
def reading(path) -> Iterator[None]:
    """Turn whatever a library says of a malformed file into one DataError that names it."""
    try:
        yield
    except (DataError, FileNotFoundError, PermissionError):
        raise
    except Exception as error:
        reason = " ".join(str(error).split())  # NumPy has messages of several lines
        raise DataError(f"{path}: cannot be read ({reason}); it may be damaged: get it again") from error


def _read_exactly(stream: BinaryIO, dtype: np.dtype, shape: tuple[int, ...], path) -> np.ndarray:
    """Return the array that makes up the rest of `stream`, bounded before any memory is taken for it."""
    if not shape or not 0 < shape[0] <= LARGEST or math.prod(shape[1:]) > 28 * 28:
        raise DataError(f"{path}: says it holds an array of shape {shape}; expected up to {LARGEST:,} images of 28x28")
    size = math.prod(shape) * dtype.itemsize
    data = bytearray()
    # In parts, since a read of n bytes takes n bytes of memory even of a short file. The byte too many finds trailing
    # bytes, and makes zip and gzip compare checksums.
    while part := stream.read(min(PART, size + 1 - len(data))):
        data += part
    if len(data) != size:
        problem = "cut short" if len(data) < size else "longer than its header says"
        raise DataError(f"{path}: {problem}; get it again")
    # TensorFlow uses an array where it lies, without a copy of its own, if it begins at a multiple of 64 bytes.
    room = np.empty(size + 64, np.uint8)
    array = room[-room.ctypes.data % 64 :][:size]
    array[:] = np.frombuffer(data, np.uint8)
    return array.view(dtype).reshape(shape)


# Keras layout: a zip of .npy members.


def read_npz(path: Path, sha256: str | None = None) -> list[np.ndarray]:
    """Return the four arrays of a Keras-layout `.npz`; nothing in it is ever unpickled."""
    names = ["x_train", "y_train", "x_test", "y_test"]
    with reading(path), _InParts(io.FileIO(path)) as file:
        if sha256 and hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            raise DataError(f"{path}: the bundled copy is damaged (its checksum differs); `git restore` it")
        with zipfile.ZipFile(file) as archive:
            missing = [name for name in names if f"{name}.npy" not in archive.namelist()]
            if missing:
                raise DataError(f"{path}: has no {', '.join(missing)}; a Keras-layout file has {', '.join(names)}")
            return [_read_npy(archive, f"{name}.npy", path) for name in names]


class _InParts(io.BufferedReader):
    """A file of which no more than `PART` bytes are read at once, whatever it says of itself."""

    def read(self, size: int = -1) -> bytes:
        if size > PART:
            raise ValueError(f"a part of {size:,} bytes, where {PART:,} is the most")
        return super().read(PART if size < 0 else size)


def _read_npy(archive: zipfile.ZipFile, name: str, path: Path) -> np.ndarray:
    if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{path}: {name} is compressed as numpy.savez does not do; save it again with numpy.savez")
    with archive.open(name) as stream:
        version = np.lib.format.read_magic(stream)
        if version != (1, 0):
            raise DataError(f"{path}: {name} has .npy version {version}; save it again with numpy.savez")
        shape, column_major, dtype = np.lib.format.read_array_header_1_0(stream)
        if dtype.hasobject:
            raise DataError(
                f"{path}: {name} holds Python objects (a pickle), which are never loaded; save plain integers"
            )
        if dtype.kind not in "iu" or column_major:
            raise DataError(f"{path}: {name} holds {dtype}; save row-major integers (images as uint8)")
        return _read_exactly(stream, dtype, shape, f"{path}: {name}")


# IDX, the format of the original distribution: two zero bytes, a type code, the number of dimensions, the dimensions.

IDX_TYPES = {0x08: np.dtype(np.uint8), 0x0C: np.dtype(">i4")}
MNIST_MD5 = {
    "6bbc9ace898e44ae57da46a324031adb",
    "a25bea736e30d166cdddb491f175f624",
    "2646ac647ad5339dbf082846283269ea",
    "27ae3e4e09519cfbb04c329615203637",
}


def read_idx_folder(folder: Path) -> list[np.ndarray]:
    """Return the four arrays of a folder of IDX files; a folder of MNIST in which some files are damaged is refused."""
    parts = [("train", "images"), ("train", "labels"), ("test", "images"), ("test", "labels")]
    paths = [_find_idx(folder, part, kind) for part, kind in parts]
    arrays, checksums = zip(*[_read_idx(path, kind) for path, (_, kind) in zip(paths, parts, strict=True)], strict=True)
    genuine = [checksum in MNIST_MD5 for checksum in checksums]
    if any(genuine) and not all(genuine):
        damaged = ", ".join(str(path) for path, good in zip(paths, genuine, strict=True) if not good)
        raise DataError(f"{damaged}: not MNIST's own, though the other files are (by MD5); get it again")
    return list(arrays)


def _find_idx(folder: Path, part: str, kind: str) -> Path:
    words = {"train": ("train",), "test": ("t10k", "test")}[part]
    found = {}
    for path in sorted(folder.iterdir(), reverse=True):  # reverse: of a file and its .gz the plain one stays
        name = path.name.lower()
        if "idx" in name and kind in name and any(word in name for word in words):
            found[name.removesuffix(".gz")] = path
    if not found:
        name = f"{words[0]}-{kind}-idx{3 if kind == 'images' else 1}-ubyte"
        raise FileNotFoundError(f"{folder}: no file like {name} or {name}.gz in it; put the four IDX files there")
    if len(found) > 1:
        names = ", ".join(sorted(path.name for path in found.values()))
        raise DataError(f"{folder}: several files hold {part} {kind} ({names}); leave one data set in the folder")
    return found.popitem()[1]


def _read_idx(path: Path, kind: str) -> tuple[np.ndarray, str]:
    """Return the array of an IDX file, and the MD5 checksum of the file's uncompressed content."""
    with reading(path), open(path, "rb") as file:
        compressed = file.peek(2)[:2] == b"\x1f\x8b"
        stream = gzip.GzipFile(fileobj=file) if compressed else file
        magic = stream.read(4)
        expected = {"images": {b"\0\0\x08\x03"}, "labels": {b"\0\0\x08\x01", b"\0\0\x0c\x02"}}[kind]
        if magic not in expected:
            raise DataError(f"{path}: does not begin as an IDX file of {kind} does; get it again")
        sizes = stream.read(4 * magic[3])
        shape = tuple(int(size) for size in np.frombuffer(sizes, ">u4"))
        if len(shape) != magic[3]:
            raise DataError(f"{path}: cut short; get it again")
        array = _read_exactly(stream, IDX_TYPES[magic[2]], shape, path)
        checksum = hashlib.md5(magic + sizes + array.tobytes(), usedforsecurity=False).hexdigest()
    if array.ndim == 2:  # QMNIST: the class is the first of eight columns
        array = array[:, 0]
    if array.ndim == 3 and path.name.lower().startswith("emnist-"):  # EMNIST stores its images transposed
        array = array.swapaxes(1, 2)
    return array, checksum
