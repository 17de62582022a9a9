"""The two file formats of MNIST and similar data sets, read without trusting the file.

A `.npz` file in Keras' layout is a zip of `.npy` arrays; an IDX file is a header followed by the numbers. Nothing is
unpickled, sizes are checked before memory is allocated, checksums are compared, and every error is one sentence that
names the file.
"""

import gzip
import hashlib
import io
import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np

MAX_READ_BYTES = 8_000_000  # read at once
MAX_IMAGES = 1_000_000  # in one file; the largest data set in this format, EMNIST by class, has 697,932


class DataError(ValueError):
    """A data file is damaged or not in the expected format; the message names the file."""


@contextmanager
def naming(path: object) -> Iterator[None]:
    """Turn any exception that a library raises for a malformed file into one DataError that names the file."""
    try:
        yield
    except (DataError, FileNotFoundError, PermissionError):
        raise
    except Exception as error:
        reason = " ".join(str(error).split())  # NumPy's messages span several lines
        raise DataError(f"{path}: cannot be read ({reason}); it may be damaged: get it again") from error


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def _read_array(stream: _Readable, dtype: np.dtype, shape: tuple[int, ...], name: object) -> np.ndarray:
    """Return the array that makes up the rest of `stream`, after checking its declared size."""
    if not shape or not 0 < shape[0] <= MAX_IMAGES or math.prod(shape[1:]) > 28 * 28:
        raise DataError(f"{name}: declares an array of shape {shape}; expected up to {MAX_IMAGES:,} images of 28x28")
    size = math.prod(shape) * dtype.itemsize
    data = bytearray()
    # Read in parts: read(n) allocates n bytes even if the file is shorter. Asking for one byte too many detects
    # trailing bytes, and makes zipfile and gzip compare their checksums.
    while part := stream.read(min(MAX_READ_BYTES, size + 1 - len(data))):
        data += part
    if len(data) != size:
        problem = "cut short" if len(data) < size else "longer than its header says"
        raise DataError(f"{name}: {problem}; get it again")
    # TensorFlow uses an array in place, without a copy, if it is aligned to 64 bytes.
    buffer = np.empty(size + 64, np.uint8)
    array = buffer[-buffer.ctypes.data % 64 :][:size]
    array[:] = np.frombuffer(data, np.uint8)
    return array.view(dtype).reshape(shape)


# Keras' layout: a zip of .npy files.

NPZ_ARRAYS = ["x_train", "y_train", "x_test", "y_test"]


def read_npz(path: Path, sha256: str | None = None) -> list[np.ndarray]:
    """Return the four arrays of a `.npz` file in Keras' layout; nothing in it is ever unpickled."""
    with naming(path), _BoundedReader(io.FileIO(path)) as file:
        if sha256 and hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            raise DataError(f"{path}: the bundled copy is damaged (its checksum differs); `git restore` it")
        if not zipfile.is_zipfile(file):
            raise DataError(
                f"{path}: is not a .npz file, or is damaged; get it again, or give a .npz file in Keras' layout or the "
                "folder with the four IDX files"
            )
        with zipfile.ZipFile(file) as archive:
            missing = [name for name in NPZ_ARRAYS if f"{name}.npy" not in archive.namelist()]
            if missing:
                expected = ", ".join(NPZ_ARRAYS)
                raise DataError(f"{path}: has no {', '.join(missing)}; a file in Keras' layout has {expected}")
            return [_read_npy(archive, f"{name}.npy", path) for name in NPZ_ARRAYS]


class _BoundedReader(io.BufferedReader):
    """A file that refuses to read more than MAX_READ_BYTES at once, whatever sizes it declares."""

    def read(self, size: int | None = -1) -> bytes:
        size = -1 if size is None else size
        if size > MAX_READ_BYTES:
            raise ValueError(f"it declares a part of {size:,} bytes, more than {MAX_READ_BYTES:,}")
        return super().read(MAX_READ_BYTES if size < 0 else size)


def _read_npy(archive: zipfile.ZipFile, name: str, path: Path) -> np.ndarray:
    if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{path}: {name} is not compressed as numpy.savez does it; save it again with numpy.savez")
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
        return _read_array(stream, dtype, shape, f"{path}: {name}")


# IDX, the original format: two zero bytes, a type code, the number of dimensions, the dimensions, the numbers.

IDX_TYPES = {0x08: np.dtype(np.uint8), 0x0C: np.dtype(">i4")}
IDX_MAGIC = {"images": {b"\0\0\x08\x03"}, "labels": {b"\0\0\x08\x01", b"\0\0\x0c\x02"}}
MNIST_MD5 = {
    "6bbc9ace898e44ae57da46a324031adb",
    "a25bea736e30d166cdddb491f175f624",
    "2646ac647ad5339dbf082846283269ea",
    "27ae3e4e09519cfbb04c329615203637",
}


def read_idx_folder(folder: Path) -> list[np.ndarray]:
    """Return the four arrays in a folder of IDX files; refuse MNIST if some of its files are damaged."""
    parts = [("train", "images"), ("train", "labels"), ("test", "images"), ("test", "labels")]
    paths = [_find_idx(folder, part, kind) for part, kind in parts]
    arrays, checksums = zip(*[_read_idx(path, kind) for path, (_, kind) in zip(paths, parts, strict=True)], strict=True)
    genuine = [checksum in MNIST_MD5 for checksum in checksums]
    if any(genuine) and not all(genuine):
        damaged = ", ".join(str(path) for path, good in zip(paths, genuine, strict=True) if not good)
        raise DataError(f"{damaged}: differs from MNIST's, although the other files are MNIST's (MD5); get it again")
    return list(arrays)


def _find_idx(folder: Path, part: str, kind: str) -> Path:
    words = {"train": ("train",), "test": ("t10k", "test")}[part]
    found = {}
    for path in sorted(folder.iterdir(), reverse=True):  # reversed: a plain file wins over its .gz
        name = path.name.lower()
        if name.startswith(".") or not path.is_file():
            continue
        if "idx" in name and kind in name and any(word in name for word in words):
            found[name.removesuffix(".gz")] = path
    if not found:
        name = f"{words[0]}-{kind}-idx{3 if kind == 'images' else 1}-ubyte"
        raise FileNotFoundError(
            f"{folder}: no file like {name} or {name}.gz in it; put the four IDX files there, "
            "or give the path of a .npz file"
        )
    if len(found) > 1:
        names = ", ".join(sorted(path.name for path in found.values()))
        raise DataError(f"{folder}: several files hold {part} {kind} ({names}); leave one data set in the folder")
    return found.popitem()[1]


def _read_idx(path: Path, kind: str) -> tuple[np.ndarray, str]:
    """Return the array of an IDX file and the MD5 checksum of its uncompressed content."""
    with naming(path), open(path, "rb") as file:
        compressed = file.peek(2)[:2] == b"\x1f\x8b"
        stream = gzip.GzipFile(fileobj=file) if compressed else file
        magic = stream.read(4)
        if magic not in IDX_MAGIC[kind]:
            raise DataError(f"{path}: does not begin like an IDX file of {kind}; get it again")
        sizes = stream.read(4 * magic[3])
        if len(sizes) != 4 * magic[3]:
            raise DataError(f"{path}: cut short; get it again")
        shape = tuple(int(size) for size in np.frombuffer(sizes, ">u4"))
        array = _read_array(stream, IDX_TYPES[magic[2]], shape, path)
        checksum = hashlib.md5(magic + sizes + array.tobytes(), usedforsecurity=False).hexdigest()
    if array.ndim == 2:  # QMNIST: the label is the first of eight columns
        array = array[:, 0]
    if array.ndim == 3 and path.name.lower().startswith("emnist-"):  # EMNIST stores its images transposed
        array = array.swapaxes(1, 2)
    return array, checksum
