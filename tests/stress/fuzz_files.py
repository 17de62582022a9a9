"""Mutated files of every format are read, or refused with one sentence by a documented exception, in 200 MB at most.

`pytest tests/stress/fuzz_files.py` tries 700 files in a few seconds, and with `--hypothesis-profile=long` 210,000 files
in about a quarter of an hour.
"""

import gzip
import io
from contextlib import nullcontext

import numpy as np
import pytest
from hypothesis import given, strategies as st
from PIL import Image, ImageDraw

from mnist_nn import Split, build_model, load_mnist, load_weights, save_weights, train
from mnist_nn._internal.checkpoint import CHECKPOINT, Checkpoint, digest
from mnist_nn.pictures.loading import brightness, open_picture
from tests.memory import CLEAR_REFS, Growth, needs_counters, peak_growth
from tests.test_data import NAMES, idx

MAX_MEGABYTES = 200
NUMBERS = [bytes(4), b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\x01\0\0\0", b"\xff" * 8]
# Positions from the start, or from the end, where most formats keep their structure.
position = st.one_of(st.integers(-100, 100), st.integers(-2_000, 2_000), st.integers(-10_000_000, 10_000_000))
mutation = st.one_of(
    st.tuples(st.just("flip"), position, st.integers(0, 7)),
    st.tuples(st.just("put"), position, st.one_of(st.sampled_from(NUMBERS), st.binary(min_size=1, max_size=4))),
    st.tuples(st.just("double"), position, st.integers(1, 100)),
    st.tuples(st.just("move"), position, position),
    st.tuples(st.just("cut"), position, st.integers(1, 100)),
    st.tuples(st.just("end"), position, st.none()),
)
mutations = st.tuples(st.integers(0, 10_000), st.lists(mutation, min_size=1, max_size=5))


def mutated(files: list[bytes], chosen) -> bytes:
    """Return one of the files with the chosen changes."""
    number, changes = chosen
    content = bytearray(files[number % len(files)])
    for kind, place, detail in changes:
        size = len(content) or 1
        place %= size
        match kind:
            case "flip":
                content[place : place + 1] = bytes(byte ^ 1 << detail for byte in content[place : place + 1])
            case "put":
                content[place : place + len(detail)] = detail
            case "double":
                content[place:place] = content[place : place + detail]
            case "move":
                content[place : place + 20] = content[detail % size :][:20]
            case "cut":
                del content[place : place + detail]
            case "end":
                del content[place:]
    return bytes(content)


def check(read, content: bytes) -> None:
    """Read a file, or see it refused with one sentence; any other exception fails the test."""
    message = None
    with peak_growth() if CLEAR_REFS.exists() else nullcontext(Growth()) as growth:
        try:
            read(content)
        except (ValueError, FileNotFoundError) as error:
            message = str(error)
    assert growth.megabytes < MAX_MEGABYTES
    assert message is None or (message and "\n" not in message)


@needs_counters
def test_the_memory_check_notices_a_hungry_reader():
    with pytest.raises(AssertionError):
        check(lambda _: np.ones(250_000_000, np.uint8), b"")
    check(lambda _: np.ones(100_000_000, np.uint8), b"")


@pytest.fixture(scope="module")
def tiny():
    images = np.random.default_rng(0).integers(0, 256, (24, 28, 28), np.uint8)
    return [images, np.arange(24, dtype=np.uint8) % 10, images[:5], np.arange(5, dtype=np.uint8)]


@pytest.fixture(scope="module")
def model():
    return build_model()


@given(mutations)
def test_idx(tiny, tmp_path_factory, chosen):
    folder = tmp_path_factory.getbasetemp()
    contents = [idx(array) for array in tiny]
    for name, content in zip(NAMES, contents, strict=True):
        (folder / name).write_bytes(content)

    def read(content):
        (folder / NAMES[0]).write_bytes(content)
        return load_mnist(folder)

    check(read, mutated([contents[0], gzip.compress(contents[0], mtime=0)], chosen))


@pytest.fixture(scope="module")
def archives(tiny):
    files = []
    for save in (np.savez, np.savez_compressed):
        save(file := io.BytesIO(), **dict(zip(["x_train", "y_train", "x_test", "y_test"], tiny, strict=True)))
        files.append(file.getvalue())
    return files


@given(mutations)
def test_npz(archives, tmp_path_factory, chosen):
    path = tmp_path_factory.getbasetemp() / "a.npz"

    def read(content):
        path.write_bytes(content)
        return load_mnist(path)

    check(read, mutated(archives, chosen))


@pytest.fixture(scope="module")
def weights(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    model.save_weights(folder / "keras.weights.h5")
    return [save_weights(model, folder / "ours.weights.h5").read_bytes(), (folder / "keras.weights.h5").read_bytes()]


@given(mutations)
def test_weights(weights, model, tmp_path_factory, chosen):
    path = tmp_path_factory.getbasetemp() / "a.weights.h5"

    def read(content):
        path.write_bytes(content)
        return load_weights(model, path)

    check(read, mutated(weights, chosen))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A folder with a checkpoint, its content after the checksum, and its model and history."""
    folder, model = tmp_path_factory.mktemp("checkpoint"), build_model()
    split = Split(np.zeros((3, 28, 28), np.uint8), np.arange(3))
    history = train(model, split, split, epochs=1, checkpoint=folder, verbose=0)
    return folder, (folder / CHECKPOINT).read_bytes()[64:], model, history


@pytest.mark.parametrize("checksum", ["right", "wrong"])
@given(chosen=mutations)
def test_checkpoints(checkpoint, checksum, chosen):
    """With the right checksum, as from an attacker, and with the old one, as after an accident."""
    folder, content, model, history = checkpoint
    changed = mutated([content], chosen)
    first = digest(changed if checksum == "right" else content).encode()

    def read(content):
        (folder / CHECKPOINT).write_bytes(content)
        Checkpoint(folder, {}, model, history).restore(model)

    check(read, first + changed)


@pytest.fixture(scope="module")
def pictures():
    picture = Image.new("L", (40, 40), "white")
    ImageDraw.Draw(picture).line([(10, 8), (30, 8), (17, 33)], "black", 4)
    formats = ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "ICO", "TGA", "PCX", "SGI"]
    files = [io.BytesIO() for _ in formats for mode in ("L", "RGB")]
    for number, file in enumerate(files):
        picture.convert(["L", "RGB"][number % 2]).save(file, formats[number // 2])
    return [file.getvalue() for file in files]


@given(mutations)
def test_pictures(pictures, chosen):
    check(lambda content: brightness(open_picture(content)), mutated(pictures, chosen))
