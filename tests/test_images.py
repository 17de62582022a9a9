"""A digit is found and brought to MNIST's form, whatever picture it comes in."""

import io
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from mnist_nn import Prediction, predict_digit, predict_probabilities, prepare_image


@pytest.fixture(scope="module")
def digit(mnist):
    """A three, well inside its image."""
    return mnist.train.images[mnist.train.labels == 3][0]


@pytest.fixture(scope="module")
def large(digit):
    """The same as a grey picture of 200x200, ink dark on white."""
    return 255 - np.asarray(Image.fromarray(digit).resize((200, 200), Image.Resampling.BICUBIC))


def close(a, b):
    """Return whether two 28x28 digits look the same: correlated by more than 0.95."""
    return np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.95


def encoded(image, format="PNG", **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def test_form(large):
    pixels = prepare_image(large)
    assert (pixels.shape, pixels.dtype, pixels.max()) == ((28, 28), np.uint8, 255)
    rows, columns = (np.flatnonzero(pixels.any(axis=axis)) for axis in (1, 0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    mass = pixels / pixels.sum()
    assert (mass.sum(axis=1) @ np.arange(28), mass.sum(axis=0) @ np.arange(28)) == pytest.approx((14, 14), abs=0.51)


def test_mnist_itself_stays_nearly_the_same(mnist):
    images = mnist.train.images[:200]
    likeness = [np.corrcoef(prepare_image(image).ravel(), image.ravel())[0, 1] for image in images]
    assert np.median(likeness) > 0.9
    assert np.min(likeness) > 0.5


def rotated_by_exif(image):
    exif = Image.Exif()
    exif[0x0112] = 6  # shown a quarter turn clockwise
    return encoded(image.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif, quality=95)


FORMS = {
    "array": lambda x: x,
    "light on dark": lambda x: 255 - x,
    "floats": lambda x: x / 255,
    "RGB array": lambda x: np.repeat(x[..., None], 3, axis=2),
    "RGBA array": lambda x: np.dstack([np.zeros_like(x)] * 3 + [255 - x]),
    "Pillow": Image.fromarray,
    "bytes": lambda x: encoded(Image.fromarray(x)),
    "JPEG": lambda x: encoded(Image.fromarray(x), "JPEG", quality=60),
    "palette": lambda x: Image.fromarray(x).convert("P"),
    "one bit": lambda x: Image.fromarray(x).convert("1", dither=Image.Dither.NONE),
    "CMYK": lambda x: encoded(Image.fromarray(x).convert("CMYK"), "JPEG", quality=95),
    "16 bits": lambda x: Image.fromarray(x.astype(np.uint16) * 257),
    "floats in Pillow": lambda x: Image.fromarray(np.where(x < 40, np.nan, x).astype(np.float32)),
    "grey on grey": lambda x: (100 + 0.2 * x).astype(np.uint8),
    "coloured paper": lambda x: np.dstack([x // 2 + 100, x // 2 + 60, x // 3]).astype(np.uint8),
    "in a corner": lambda x: np.pad(x, [(0, 500), (300, 0)], constant_values=255),
    "very large": lambda x: Image.fromarray(x).resize((3000, 3000)),
    "small": lambda x: Image.fromarray(x).resize((40, 40)),
    "EXIF": lambda x: rotated_by_exif(Image.fromarray(x)),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_a_picture(large, form):
    assert close(prepare_image(FORMS[form](large)), prepare_image(large))


def test_paths(large, tmp_path):
    Image.fromarray(large).save(tmp_path / "three.png")
    expected = prepare_image(large)
    assert np.array_equal(prepare_image(tmp_path / "three.png"), expected)
    assert np.array_equal(prepare_image(str(tmp_path / "three.png")), expected)


def test_the_picture_given_is_not_changed(large):
    picture, before = Image.fromarray(large).resize((1500, 1500)), large.copy()
    prepare_image(picture)
    prepare_image(large)
    assert picture.size == (1500, 1500)
    assert np.array_equal(large, before)


@pytest.mark.parametrize("shape", [(200, 3), (3, 200), (1, 30), (2, 2)])
def test_a_stroke_of_extreme_shape_fits(shape):
    picture = np.full((300, 300), 255, np.uint8)
    picture[50 : 50 + shape[0], 50 : 50 + shape[1]] = 0
    assert prepare_image(picture).max() == 255


def test_prediction(trained, large):
    model, _ = trained
    prediction = predict_digit(model, large)
    assert isinstance(prediction, Prediction)
    assert np.array_equal(prediction.pixels, prepare_image(large))
    assert np.array_equal(prediction.probabilities, predict_probabilities(model, prediction.pixels[None])[0])
    assert prediction.digit == prediction.probabilities.argmax() == 3
    assert prediction.confidence == prediction.probabilities.max()
    assert repr(prediction) == f"Prediction(3, confidence {prediction.confidence:.1%})"


def test_prepared_digits_are_read_as_well_as_mnists_own(trained, mnist):
    model, part = trained[0], mnist.validation[:500]
    plain = (predict_probabilities(model, part.images).argmax(axis=1) == part.labels).mean()
    pictures = np.stack([prepare_image(255 - np.pad(image, 40)) for image in part.images])
    prepared = (predict_probabilities(model, pictures).argmax(axis=1) == part.labels).mean()
    assert prepared > plain - 0.02


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.full((50, 50), 255, np.uint8), "blank"),
        (np.zeros((28, 28), np.uint8), "blank"),
        (np.full((50, 50), np.nan), "NaN"),
        (np.full((50, 50), 200.0), "from 0 to 1"),
        (np.zeros((50, 50), complex), "complex128"),
        (np.zeros((50, 50), object), "object"),
        (np.zeros((50, 50), np.int64), "int64"),
        (np.zeros(784, np.uint8), "(784,)"),
        (np.zeros((0, 5), np.uint8), "(0, 5)"),
        (np.zeros((5, 28, 28), np.uint8), "(5, 28, 28)"),
        (b"", "cannot be read as a picture"),
        (b"no picture", "cannot be read as a picture"),
        (None, "not a NoneType"),
        (7, "not a int"),
    ],
)
def test_what_it_refuses(trained, image, words):
    with pytest.raises(ValueError, match="^[^\n]+$") as caught:
        predict_digit(trained[0], image)
    assert words in str(caught.value)


def test_files_that_are_no_pictures(tmp_path, large):
    text, cut = tmp_path / "text.png", tmp_path / "cut.png"
    text.write_text("this is not a picture")
    cut.write_bytes(encoded(Image.fromarray(large))[:1000])
    for path in (text, cut, tmp_path):
        with pytest.raises(ValueError, match=r"cannot be read as a picture .*; give a PNG") as caught:
            prepare_image(path)
        assert str(path) in str(caught.value)
    with pytest.raises(FileNotFoundError, match=r"none\.png: no such file"):
        prepare_image(tmp_path / "none.png")


def test_gigantic_pictures_are_refused_unopened(tmp_path):
    path = tmp_path / "huge.png"
    content = bytearray(encoded(Image.new("L", (10, 10))))
    content[16:24] = struct.pack(">II", 12_000, 12_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"huge\.png.*144000000 pixels"):
        prepare_image(path)


def test_preparing_needs_no_tensorflow():
    code = "import sys, numpy as np, mnist_nn; mnist_nn.prepare_image(np.eye(9)); print('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
