"""Mutated files of every format are read, or refused in one sentence by the documented exceptions; nothing else.

`pytest tests/test_fuzz.py --hypothesis-profile=long --hypothesis-show-statistics` tries 150,000 in about ten minutes.
"""

import gzip
import io
import resource

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from tests.test_data import NAMES, idx

from mnist_nn import Split, build_model, load_mnist, load_weights, open_picture, save_weights, train
from mnist_nn._internal.checkpoint import FILE, Checkpoint
from mnist_nn.pictures.loading import grey

NUMBERS = [bytes(4), b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\x01\0\0\0", b"\xff" * 8]
# Where: a distance from the beginning, or the end, which is where most formats keep their structure.
place = st.one_of(st.integers(-100, 100), st.integers(-2_000, 2_000), st.integers(-10_000_000, 10_000_000))
mutation = st.one_of(
    st.tuples(st.just("flip"), place, st.integers(0, 7)),
    st.tuples(st.just("put"), place, st.one_of(st.sampled_from(NUMBERS), st.binary(min_size=1, max_size=4))),
    st.tuples(st.just("double"), place, st.integers(1, 100)),
    st.tuples(st.just("move"), place, place),
    st.tuples(st.just("cut"), place, st.integers(1, 100)),
    st.tuples(st.just("end"), place, st.none()),
)
mutations = st.tuples(st.integers(0, 10_000), st.lists(mutation, min_size=1, max_size=5))


def mutated(seeds: list[bytes], chosen) -> bytes:
    """Return one of the files, changed in the ways that were chosen."""
    number, changes = chosen
    content = bytearray(seeds[number % len(seeds)])
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


def tried(read, content: bytes) -> None:
    """Read a file, or see it refused in one sentence; any other exception fails the test."""
    before = peak()
    try:
        read(content)
    except (ValueError, FileNotFoundError) as error:
        said = str(error)
    else:
        return
    finally:
        taken.append(peak() - before)
    assert said
    assert "\n" not in said


taken: list[int] = []  # by every file, above the peak before it


def peak() -> int:
    """Return the most memory that this process has held so far, in kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.fixture(autouse=True)
def little_memory():
    """What all files of a test take, above what stood before; ones that claim more are among them.

    (What Hypothesis keeps of 30,000 examples, some 130 MB, is not theirs.)
    """
    taken.clear()
    yield
    assert sum(taken) < 200_000


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

    tried(read, mutated([contents[0], gzip.compress(contents[0], mtime=0)], chosen))


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

    tried(read, mutated(archives, chosen))


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

    tried(read, mutated(weights, chosen))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory, blank_split):
    """A folder with a checkpoint, its content, and what it is of."""
    folder, model = tmp_path_factory.mktemp("checkpoint"), build_model()
    history = train(model, blank_split, blank_split, epochs=1, checkpoint=folder, verbose=0)
    return folder, (folder / FILE).read_bytes(), model, history


@pytest.fixture(scope="module")
def blank_split():
    return Split(np.zeros((3, 28, 28), np.uint8), np.arange(3))


@given(mutations)
def test_checkpoints(checkpoint, chosen):
    folder, seed, model, history = checkpoint

    def read(content):
        (folder / FILE).write_bytes(content)
        Checkpoint(folder, {}, model, history).restore(model)

    tried(read, mutated([seed], chosen))


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
    tried(lambda content: grey(open_picture(content)), mutated(pictures, chosen))
