"""The bundled copy is MNIST; other sources load alike; damaged ones are refused in one sentence."""

import gzip
import hashlib
import struct
import subprocess
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest

from mnist_nn import DataError, Split, data, load_mnist

NAMES = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
]
MD5 = [
    "6bbc9ace898e44ae57da46a324031adb",
    "a25bea736e30d166cdddb491f175f624",
    "2646ac647ad5339dbf082846283269ea",
    "27ae3e4e09519cfbb04c329615203637",
]


def idx(array, code=0x08):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture(scope="module")
def arrays():
    """A tiny data set: 60 training and 20 test images, as the four arrays of the IDX files."""
    random = np.random.default_rng(0)
    return [
        random.integers(0, 256, (60, 28, 28), np.uint8),
        random.integers(0, 10, 60, np.uint8),
        random.integers(0, 256, (20, 28, 28), np.uint8),
        random.integers(0, 10, 20, np.uint8),
    ]


@pytest.fixture
def folder(tmp_path, arrays):
    for name, array in zip(NAMES, arrays, strict=True):
        (tmp_path / name).write_bytes(idx(array))
    return tmp_path


@pytest.fixture
def npz(tmp_path, arrays):
    path = tmp_path / "tiny.npz"
    np.savez_compressed(path, **dict(zip(["x_train", "y_train", "x_test", "y_test"], arrays, strict=True)))
    return path


def refused(source, words, error=DataError):
    """`load_mnist(source)` raises one sentence of one line that holds each of the words."""
    with pytest.raises(error) as caught:
        load_mnist(source)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def same(mnist, arrays):
    train_images, train_labels, test_images, test_labels = arrays
    assert len(mnist.validation) == len(train_images) // 12
    assert np.array_equal(np.concatenate([mnist.train.images, mnist.validation.images]), train_images)
    assert np.array_equal(np.concatenate([mnist.train.labels, mnist.validation.labels]), train_labels)
    assert np.array_equal(mnist.test.images, test_images)
    assert np.array_equal(mnist.test.labels, test_labels)


# The bundled copy.


def test_splits_have_the_promised_sizes_and_types(mnist):
    assert [len(split) for split in (mnist.train, mnist.validation, mnist.test)] == [55_000, 5_000, 10_000]
    for split in (mnist.train, mnist.validation, mnist.test):
        assert split.images.dtype == split.labels.dtype == np.uint8
        assert split.images.shape == (len(split), 28, 28)
        assert set(split.labels) == set(range(10))


def test_the_bundled_arrays_have_the_published_checksums(mnist):
    images = np.concatenate([mnist.train.images, mnist.validation.images])
    labels = np.concatenate([mnist.train.labels, mnist.validation.labels])
    files = [idx(array) for array in (images, labels, mnist.test.images, mnist.test.labels)]
    assert [hashlib.md5(file).hexdigest() for file in files] == MD5


def test_loading_needs_neither_tensorflow_nor_matplotlib_nor_a_network():
    code = """
import socket, sys
def closed(*_): raise AssertionError("the network was used")
socket.socket.connect = closed
import mnist_nn
assert len(mnist_nn.load_mnist().train) == 55_000
mnist_nn.prepare_image
loaded = {"tensorflow", "keras", "matplotlib"} & set(sys.modules)
assert not loaded, loaded
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_damaged_bundled_copy_is_refused(monkeypatch, tmp_path):
    content = bytearray(data.BUNDLED.read_bytes())
    content[5_000_000] ^= 1
    damaged = tmp_path / "mnist.npz"
    damaged.write_bytes(content)
    monkeypatch.setattr(data, "BUNDLED", damaged)
    refused(None, ["mnist.npz", "checksum", "restore"])


# Other sources.


def test_idx_files(folder, arrays):
    same(load_mnist(folder), arrays)
    same(load_mnist(str(folder)), arrays)


def test_idx_files_compressed(folder, arrays):
    for name in NAMES:
        plain = folder / name
        (folder / f"{name}.gz").write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()
    same(load_mnist(folder), arrays)


def test_of_a_file_and_its_gz_the_plain_one_is_read(folder, arrays):
    (folder / f"{NAMES[0]}.gz").write_bytes(b"not read")
    same(load_mnist(folder), arrays)


def test_emnist_images_are_turned_upright(tmp_path, arrays):
    for name, array in zip(NAMES, arrays, strict=True):
        stored = array.swapaxes(1, 2) if array.ndim == 3 else array
        (tmp_path / f"emnist-digits-{name.replace('t10k', 'test')}.gz").write_bytes(
            gzip.compress(idx(np.ascontiguousarray(stored)))
        )
    same(load_mnist(tmp_path), arrays)


def test_qmnist_labels_are_the_first_of_eight_columns(tmp_path, arrays):
    for part, images, labels in [("train", *arrays[:2]), ("test", *arrays[2:])]:
        (tmp_path / f"qmnist-{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
        table = np.full((len(labels), 8), 77, ">i4")
        table[:, 0] = labels
        (tmp_path / f"qmnist-{part}-labels-idx2-int.gz").write_bytes(gzip.compress(idx(table, 0x0C)))
    same(load_mnist(tmp_path), arrays)


def test_keras_layout_npz(npz, arrays):
    same(load_mnist(npz), arrays)


def test_the_bundled_file_as_a_path(mnist):
    assert np.array_equal(load_mnist(data.BUNDLED).test.images, mnist.test.images)


def test_keras_source(monkeypatch, arrays):
    from mnist_nn._internal.tensorflow import keras

    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: (tuple(arrays[:2]), tuple(arrays[2:])))
    same(load_mnist("keras"), arrays)


def test_keras_source_without_a_network(monkeypatch):
    from mnist_nn._internal.tensorflow import keras

    def fail():
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.datasets.mnist, "load_data", fail)
    refused("keras", ["Keras", "URL fetch failure", "load_mnist()"], FileNotFoundError)


# What is refused.


def test_missing_source(tmp_path):
    refused(tmp_path / "none.npz", ["none.npz", "load_mnist()"], FileNotFoundError)


@pytest.mark.parametrize("name", NAMES)
def test_missing_idx_file(folder, name):
    (folder / name).unlink()
    refused(folder, [str(folder), "no file like"], FileNotFoundError)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [0, 3, 6, 12, 25, -1])
def test_truncated_idx(folder, name, size):
    path = folder / name
    path.write_bytes(path.read_bytes()[:size])
    refused(folder, [name, "get it again"])


@pytest.mark.parametrize("name", NAMES)
def test_idx_with_trailing_bytes(folder, name):
    with open(folder / name, "ab") as file:
        file.write(b"x")
    refused(folder, [name, "longer"])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("byte", [0, 2, 3, 4, 7])
def test_idx_with_a_wrong_magic_or_size(folder, name, byte):
    path = folder / name
    content = bytearray(path.read_bytes())
    content[byte] ^= 0x40
    path.write_bytes(content)
    refused(folder, [name])


def test_images_in_the_place_of_labels(folder):
    (folder / NAMES[1]).write_bytes((folder / NAMES[0]).read_bytes())
    refused(folder, [NAMES[1], "labels"])


@pytest.mark.parametrize("position", [0.1, 0.5, 0.99])
def test_bit_flipped_gz(folder, position):
    content = bytearray(gzip.compress((folder / NAMES[0]).read_bytes()))
    content[int(position * len(content))] ^= 0x10
    (folder / NAMES[0]).unlink()
    (folder / f"{NAMES[0]}.gz").write_bytes(content)
    refused(folder, [NAMES[0], "again"])


def test_one_flipped_pixel_in_plain_mnist(tmp_path, mnist):
    images = np.concatenate([mnist.train.images, mnist.validation.images])
    labels = np.concatenate([mnist.train.labels, mnist.validation.labels])
    images[30_000, 14, 14] ^= 1
    for name, array in zip(NAMES, [images, labels, mnist.test.images, mnist.test.labels], strict=True):
        (tmp_path / name).write_bytes(idx(array))
    refused(tmp_path, [NAMES[0], "MD5"])


def test_two_data_sets_in_one_folder(folder):
    (folder / f"emnist-{NAMES[0]}").write_bytes((folder / NAMES[0]).read_bytes())
    refused(folder, ["several", NAMES[0], "leave one"])


@pytest.mark.parametrize("position", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_bit_flipped_npz(npz, position):
    content = bytearray(npz.read_bytes())
    for i in range(40):  # some of these hit what matters wherever they fall
        content[min(int(position * len(content)) + i, len(content) - 1)] ^= 0x55
    npz.write_bytes(content)
    refused(npz, ["tiny.npz"])


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.9999])
def test_truncated_npz(npz, share):
    npz.write_bytes(npz.read_bytes()[: int(share * npz.stat().st_size)])
    refused(npz, ["tiny.npz", "again"])


def test_npz_without_an_array(tmp_path, arrays):
    np.savez(tmp_path / "some.npz", x_train=arrays[0], y_train=arrays[1])
    refused(tmp_path / "some.npz", ["some.npz", "x_test", "y_test"])


class Bomb:
    def __reduce__(self):
        return (exec, ("raise SystemExit('unpickled')",))


def test_a_pickle_is_never_loaded(tmp_path, arrays):
    path = tmp_path / "pickle.npz"
    np.savez(path, x_train=np.array([Bomb()], object), y_train=arrays[1], x_test=arrays[2], y_test=arrays[3])
    refused(path, ["pickle.npz", "pickle", "never loaded"])


def test_gigantic_declared_sizes_take_no_memory(tmp_path, folder, npz):
    header = struct.pack(">4B3I", 0, 0, 8, 3, 900_000, 28, 28)
    (folder / NAMES[0]).write_bytes(header + bytes(1000))
    bomb = tmp_path / "bomb.npz"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ["x_train", "y_train", "x_test", "y_test"]:
            text = b"{'descr': '|u1', 'fortran_order': False, 'shape': (4000000000, 28, 28), }"
            archive.writestr(f"{name}.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text)
    tracemalloc.start()
    refused(folder, [NAMES[0], "cut short"])
    refused(bomb, ["bomb.npz", "x_train", "4000000000"])
    assert tracemalloc.get_traced_memory()[1] < 10e6
    tracemalloc.stop()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_bomb_is_not_unpacked(tmp_path, method):
    """zipfile unpacks these methods without a bound: 100 MB from a few kilobytes at the first read."""
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name in ["x_train", "y_train", "x_test", "y_test"]:
            archive.writestr(f"{name}.npy", bytes(1000))
    refused(path, ["bomb.npz", "x_train", "numpy.savez"])


def test_a_header_of_which_numpy_says_more_than_a_line(tmp_path):
    path = tmp_path / "header.npz"
    text = b"{'descr': '|u1', 'fortran_order': False, 'shape': (60, 28, 28)}" + b" " * 20_000
    with zipfile.ZipFile(path, "w") as archive:
        for name in ["x_train", "y_train", "x_test", "y_test"]:
            archive.writestr(f"{name}.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text)
    refused(path, ["header.npz", "large"])


def test_a_gigantic_table_of_contents_takes_no_memory(tmp_path):
    path = tmp_path / "sparse.npz"
    size = 1_000_000_000
    with open(path, "wb") as file:
        file.seek(size)
        file.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, size, 0, 0))
    tracemalloc.start()
    refused(path, ["sparse.npz", "1,000,000,000 bytes"])
    assert tracemalloc.get_traced_memory()[1] < 10e6
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x, y: (x, y + 10), ["0 to 9"]),
        (lambda x, y: (x, y[:-1]), ["60 images", "59 labels"]),
        (lambda x, y: (x[:0], y[:0]), ["28x28"]),
        (lambda x, y: (x[:, :20], y), ["(n, 28, 28)"]),
        (lambda x, y: (x.astype(np.int32), y), ["uint8", "int32"]),
        (lambda x, y: (x / 255, y), ["float64"]),
        (lambda x, y: (x[:11], y[:11]), ["too few"]),
    ],
)
def test_npz_of_another_content(tmp_path, arrays, change, words):
    path = tmp_path / "other.npz"
    x, y = change(*arrays[:2])
    np.savez(path, x_train=x, y_train=y, x_test=arrays[2], y_test=arrays[3])
    refused(path, ["other.npz", *words])


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        (np.zeros((2, 28, 28)), [0, 1], "uint8"),
        (np.zeros((2, 784), np.uint8), [0, 1], "(n, 28, 28)"),
        (np.zeros((2, 28, 28), np.uint8), [0.0, 1.0], "integers"),
        (np.zeros((2, 28, 28), np.uint8), [0, 1, 2], "2 images"),
        (np.zeros((2, 28, 28), np.uint8), [0, 10], "0 to 9"),
        (np.zeros((2, 28, 28), np.uint8), [-1, 0], "0 to 9"),
        (np.zeros((0, 28, 28), np.uint8), np.zeros(0, int), "empty"),
    ],
)
def test_a_split_checks_itself(images, labels, words):
    with pytest.raises(ValueError, match="^[^\n]+$") as caught:
        Split(images, labels)
    assert words in str(caught.value)


def test_parts_of_a_split(mnist):
    part = mnist.test[mnist.test.labels == 7]
    assert len(part) == 1028
    assert set(part.labels) == {7}
    assert repr(part) == "Split(1,028 images)"
    with pytest.raises(ValueError, match="empty"):
        mnist.test[:0]
