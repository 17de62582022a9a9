"""The bundled copy is MNIST, other sources give the same splits, and damaged ones are refused with a clear message."""

import gzip
import hashlib
import struct
import subprocess
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest

from mnist_nn import DataError, Split, data, load_mnist, load_network, predict_probabilities

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
    """Return the bytes of an IDX file."""
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


def assert_refused(source, words, error=DataError):
    """Check that `load_mnist(source)` raises this error, with a message of one line that contains all the words."""
    with pytest.raises(error) as caught:
        load_mnist(source)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def assert_same(mnist, arrays):
    """Check that the three splits hold the four arrays."""
    train_images, train_labels, test_images, test_labels = arrays
    assert len(mnist.validation) == len(train_images) // 12
    assert np.array_equal(np.concatenate([mnist.train.images, mnist.validation.images]), train_images)
    assert np.array_equal(np.concatenate([mnist.train.labels, mnist.validation.labels]), train_labels)
    assert np.array_equal(mnist.test.images, test_images)
    assert np.array_equal(mnist.test.labels, test_labels)


# The bundled copy.


def test_the_splits_have_the_documented_sizes_and_types(mnist):
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


@pytest.mark.end_to_end
def test_loading_needs_no_tensorflow_matplotlib_or_internet():
    code = """
import socket, sys
def refuse(*_): raise AssertionError("the internet was used")
socket.socket.connect = refuse
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
    assert_refused(None, ["mnist.npz", "checksum", "restore"])


# Other sources.


def test_a_folder_of_idx_files(folder, arrays):
    assert_same(load_mnist(folder), arrays)
    assert_same(load_mnist(str(folder)), arrays)


def test_a_folder_of_compressed_idx_files(folder, arrays):
    for name in NAMES:
        plain = folder / name
        (folder / f"{name}.gz").write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()
    assert_same(load_mnist(folder), arrays)


def test_hidden_files_and_folders_are_no_idx_files(folder, arrays):
    """macOS adds a hidden file beside each, and some archive programs unpack a file into a folder of its name."""
    (folder / f"._{NAMES[0]}").write_bytes(b"attributes")
    (folder / NAMES[0].replace("-idx", ".idx")).mkdir()
    assert_same(load_mnist(folder), arrays)


def test_a_plain_file_is_preferred_to_its_gz(folder, arrays):
    (folder / f"{NAMES[0]}.gz").write_bytes(b"not read")
    assert_same(load_mnist(folder), arrays)


def test_transposed_emnist_images_are_corrected(tmp_path, arrays):
    for name, array in zip(NAMES, arrays, strict=True):
        stored = array.swapaxes(1, 2) if array.ndim == 3 else array
        (tmp_path / f"emnist-digits-{name.replace('t10k', 'test')}.gz").write_bytes(
            gzip.compress(idx(np.ascontiguousarray(stored)))
        )
    assert_same(load_mnist(tmp_path), arrays)


def test_qmnist_labels_are_read_from_the_first_of_eight_columns(tmp_path, arrays):
    for part, images, labels in [("train", *arrays[:2]), ("test", *arrays[2:])]:
        (tmp_path / f"qmnist-{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
        table = np.full((len(labels), 8), 77, ">i4")
        table[:, 0] = labels
        (tmp_path / f"qmnist-{part}-labels-idx2-int.gz").write_bytes(gzip.compress(idx(table, 0x0C)))
    assert_same(load_mnist(tmp_path), arrays)


def test_an_npz_file_in_keras_layout(npz, arrays):
    assert_same(load_mnist(npz), arrays)


def test_the_bundled_file_given_as_a_path(mnist):
    assert np.array_equal(load_mnist(data.BUNDLED).test.images, mnist.test.images)


def test_the_keras_data_set(monkeypatch, arrays):
    from mnist_nn._internal.tensorflow import keras

    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: (tuple(arrays[:2]), tuple(arrays[2:])))
    assert_same(load_mnist("keras"), arrays)


def test_a_failed_keras_download_is_reported(monkeypatch):
    from mnist_nn._internal.tensorflow import keras

    def fail():
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.datasets.mnist, "load_data", fail)
    assert_refused("keras", ["Keras", "URL fetch failure", "load_mnist()"], FileNotFoundError)


# Invalid sources.


def test_a_missing_source_is_refused(tmp_path):
    assert_refused(tmp_path / "none.npz", ["none.npz", "load_mnist()"], FileNotFoundError)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_idx_file_is_refused(folder, name):
    (folder / name).unlink()
    assert_refused(folder, [str(folder), "no file like"], FileNotFoundError)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [0, 3, 6, 12, 25, -1])
def test_a_truncated_idx_file_is_refused(folder, name, size):
    path = folder / name
    path.write_bytes(path.read_bytes()[:size])
    assert_refused(folder, [name, "get it again"])


@pytest.mark.parametrize("name", NAMES)
def test_an_idx_file_with_trailing_bytes_is_refused(folder, name):
    with open(folder / name, "ab") as file:
        file.write(b"x")
    assert_refused(folder, [name, "longer"])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("byte", [0, 2, 3, 4, 7])
def test_an_idx_file_with_a_wrong_magic_number_or_size_is_refused(folder, name, byte):
    path = folder / name
    content = bytearray(path.read_bytes())
    content[byte] ^= 0x40
    path.write_bytes(content)
    assert_refused(folder, [name])


def test_images_in_place_of_labels_are_refused(folder):
    (folder / NAMES[1]).write_bytes((folder / NAMES[0]).read_bytes())
    assert_refused(folder, [NAMES[1], "labels"])


@pytest.mark.parametrize("position", [0.1, 0.5, 0.99])
def test_a_gz_file_with_a_flipped_bit_is_refused(folder, position):
    content = bytearray(gzip.compress((folder / NAMES[0]).read_bytes()))
    content[int(position * len(content))] ^= 0x10
    (folder / NAMES[0]).unlink()
    (folder / f"{NAMES[0]}.gz").write_bytes(content)
    assert_refused(folder, [NAMES[0], "again"])


def test_plain_mnist_files_with_a_flipped_bit_are_refused(tmp_path, mnist):
    images = np.concatenate([mnist.train.images, mnist.validation.images])
    labels = np.concatenate([mnist.train.labels, mnist.validation.labels])
    images[30_000, 14, 14] ^= 1
    for name, array in zip(NAMES, [images, labels, mnist.test.images, mnist.test.labels], strict=True):
        (tmp_path / name).write_bytes(idx(array))
    assert_refused(tmp_path, [NAMES[0], "MD5"])


def test_two_data_sets_in_one_folder_are_refused(folder):
    (folder / f"emnist-{NAMES[0]}").write_bytes((folder / NAMES[0]).read_bytes())
    assert_refused(folder, ["several", NAMES[0], "leave one"])


@pytest.mark.parametrize("position", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_an_npz_file_with_flipped_bits_is_refused(npz, position):
    content = bytearray(npz.read_bytes())
    for i in range(40):  # enough that some of them fall on bytes that matter
        content[min(int(position * len(content)) + i, len(content) - 1)] ^= 0x55
    npz.write_bytes(content)
    assert_refused(npz, ["tiny.npz"])


@pytest.mark.parametrize("fraction", [0.0, 0.3, 0.9, 0.9999])
def test_a_truncated_npz_file_is_refused(npz, fraction):
    npz.write_bytes(npz.read_bytes()[: int(fraction * npz.stat().st_size)])
    assert_refused(npz, ["tiny.npz", "again"])


def test_an_npz_file_without_an_array_is_refused(tmp_path, arrays):
    np.savez(tmp_path / "some.npz", x_train=arrays[0], y_train=arrays[1])
    assert_refused(tmp_path / "some.npz", ["some.npz", "x_test", "y_test"])


class Malicious:
    """An object whose unpickling runs code."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('unpickled')",))


def test_a_pickle_is_never_loaded(tmp_path, arrays):
    path = tmp_path / "pickle.npz"
    np.savez(path, x_train=np.array([Malicious()], object), y_train=arrays[1], x_test=arrays[2], y_test=arrays[3])
    assert_refused(path, ["pickle.npz", "pickle", "never loaded"])


def test_huge_declared_sizes_allocate_no_memory(tmp_path, folder, npz):
    header = struct.pack(">4B3I", 0, 0, 8, 3, 900_000, 28, 28)
    (folder / NAMES[0]).write_bytes(header + bytes(1000))
    bomb = tmp_path / "bomb.npz"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ["x_train", "y_train", "x_test", "y_test"]:
            text = b"{'descr': '|u1', 'fortran_order': False, 'shape': (4000000000, 28, 28), }"
            archive.writestr(f"{name}.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text)
    tracemalloc.start()
    assert_refused(folder, [NAMES[0], "cut short"])
    assert_refused(bomb, ["bomb.npz", "x_train", "4000000000"])
    assert tracemalloc.get_traced_memory()[1] < 10e6
    tracemalloc.stop()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression_methods_are_refused(tmp_path, method):
    """With these methods zipfile decompresses without a limit: the first read can turn a few kilobytes into 100 MB."""
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name in ["x_train", "y_train", "x_test", "y_test"]:
            archive.writestr(f"{name}.npy", bytes(1000))
    assert_refused(path, ["bomb.npz", "x_train", "numpy.savez"])


def test_a_message_of_numpy_with_several_lines_becomes_one_line(tmp_path):
    path = tmp_path / "header.npz"
    text = b"{'descr': '|u1', 'fortran_order': False, 'shape': (60, 28, 28)}" + b" " * 20_000
    with zipfile.ZipFile(path, "w") as archive:
        for name in ["x_train", "y_train", "x_test", "y_test"]:
            archive.writestr(f"{name}.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text)
    assert_refused(path, ["header.npz", "large"])


def test_a_huge_zip_directory_allocates_no_memory(tmp_path):
    path = tmp_path / "sparse.npz"
    size = 1_000_000_000
    with open(path, "wb") as file:
        file.seek(size)
        file.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, size, 0, 0))
    tracemalloc.start()
    assert_refused(path, ["sparse.npz", "1,000,000,000 bytes"])
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
def test_an_npz_file_with_invalid_content_is_refused(tmp_path, arrays, change, words):
    path = tmp_path / "other.npz"
    x, y = change(*arrays[:2])
    np.savez(path, x_train=x, y_train=y, x_test=arrays[2], y_test=arrays[3])
    assert_refused(path, ["other.npz", *words])


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
def test_an_invalid_split_is_refused(images, labels, words):
    with pytest.raises(ValueError, match="^[^\n]+$") as caught:
        Split(images, labels)
    assert words in str(caught.value)


def test_a_split_can_be_indexed(mnist):
    part = mnist.test[mnist.test.labels == 7]
    assert len(part) == 1028
    assert set(part.labels) == {7}
    assert repr(part) == "Split(1,028 images)"
    with pytest.raises(ValueError, match="empty"):
        mnist.test[:0]


@pytest.mark.parametrize("index", [0, np.int64(3), "a", (0, 1), [0.5]])
def test_an_index_that_selects_no_split_is_refused(mnist, index):
    with pytest.raises(TypeError, match=r"a slice, a mask or an array of positions, .*split\.images\[0\]"):
        mnist.test[index]


def test_splits_can_be_added(mnist):
    both = mnist.test[:3] + mnist.validation[:2]
    assert np.array_equal(both.images[3:], mnist.validation.images[:2])
    assert both.labels.tolist() == [*mnist.test.labels[:3], *mnist.validation.labels[:2]]
    with pytest.raises(TypeError, match=r"not a ndarray; type Split\(images, labels\)"):
        mnist.test + mnist.test.images


def test_splits_cannot_be_unpacked(mnist):
    with pytest.raises(TypeError, match=r"type images, labels = split\.images, split\.labels"):
        _images, _labels = mnist.train
    with pytest.raises(TypeError, match=r"type train, validation, test = mnist\.train, "):
        (_, _), (_, _) = mnist


def test_other_labels_are_not_called_damage(tmp_path, arrays):
    np.savez(tmp_path / "a.npz", x_train=arrays[0], y_train=arrays[1] % 10 + 5, x_test=arrays[2], y_test=arrays[3])
    with pytest.raises(DataError, match=r"a\.npz: labels must be .* 0 to 9, but they range from 5 to 14") as caught:
        load_mnist(tmp_path / "a.npz")
    assert "damaged" not in str(caught.value)


def test_a_folder_without_idx_files_is_refused_with_both_remedies(tmp_path):
    assert_refused(tmp_path, ["put the four IDX files there", "or give the path of a .npz file"], FileNotFoundError)


def test_a_split_or_a_single_image_in_the_place_of_images(mnist):
    with pytest.raises(ValueError, match=r"not a Split; type split\.images"):
        predict_probabilities(load_network(), mnist.test)
    with pytest.raises(ValueError, match=r"not uint8 of shape \(28, 28\); type image\[None\]"):
        predict_probabilities(load_network(), mnist.test.images[0])


def test_images_of_another_type_are_refused_with_the_conversion(mnist):
    with pytest.raises(ValueError, match=r"not int64 .*; type images\.astype\('uint8'\)$"):
        predict_probabilities(load_network(), mnist.test.images[:2].astype(int))
    with pytest.raises(ValueError, match=r"not float64 .*; type \(255 \* images\)\.astype\('uint8'\) for 0 to 1$"):
        predict_probabilities(load_network(), mnist.test.images[:2] / 255)
