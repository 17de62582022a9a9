"""Anything given as a picture is opened or refused with one sentence."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mnist_nn import prepare_image
from mnist_nn.pictures.loading import open_picture
from tests.memory import needs_counters, peak_growth


def encoded(picture, format, **options):
    file = io.BytesIO()
    picture.save(file, format, **options)
    return file.getvalue()


@pytest.fixture(scope="module")
def files():
    """A drawn 7 in several formats."""
    picture = Image.new("L", (60, 60), "white")
    ImageDraw.Draw(picture).line([(15, 12), (45, 12), (25, 50)], "black", 5)
    formats = {"PNG": {}, "JPEG": {}, "GIF": {}, "BMP": {}, "TIFF": {}, "WEBP": {}, "PPM": {}, "ICO": {}, "TGA": {}}
    return {format: encoded(picture, format, **options) for format, options in formats.items()}


def test_formats(files):
    plain = prepare_image(files["PNG"])
    for format, content in files.items():
        if format != "ICO":  # an icon has another size
            assert np.corrcoef(prepare_image(content).ravel(), plain.ravel())[0, 1] > 0.9, format


def test_the_first_of_several_pictures_is_used(files):
    first, second = (Image.open(io.BytesIO(files["PNG"])), Image.new("L", (60, 60), "black"))
    animated = encoded(first, "GIF", save_all=True, append_images=[second])
    assert np.array_equal(prepare_image(animated), prepare_image(files["GIF"]))


def mutated(random, contents):
    """Return the content of a file with some bytes changed, cut, doubled or taken from another file."""
    content = bytearray(contents[random.integers(len(contents))])
    for _ in range(random.integers(1, 6)):
        place = int(random.integers(len(content) + 1))
        match random.integers(5):
            case 0:
                content[place : place + 1] = random.bytes(1)
            case 1:
                content[place : place + 4] = random.choice([b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff"])
            case 2:
                del content[place:]
            case 3:
                content[place:place] = content[place : place + int(random.integers(1, 100))]
            case 4:
                other = contents[random.integers(len(contents))]
                start = int(random.integers(len(other)))
                content[place : place + 20] = other[start : start + 20]
    return bytes(content)


def test_mutated_files_are_read_or_refused(files):
    random, contents = np.random.default_rng(0), list(files.values())
    messages = []  # any other exception fails the test
    for _ in range(1500):
        try:
            pixels = prepare_image(mutated(random, contents))
        except ValueError as error:
            messages.append(str(error))
        else:
            assert pixels.shape == (28, 28)
    assert 100 < sum(message.startswith("image: cannot be read as a picture") for message in messages) < 1400
    assert all(message.startswith(("image: cannot be read as a picture", "image holds")) for message in messages)


@pytest.mark.parametrize("text", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_files_that_are_not_pictures_are_refused(text):
    with pytest.raises(ValueError, match="image: cannot be read as a picture"):
        prepare_image(text)


def test_an_empty_picture_is_refused():
    with pytest.raises(ValueError, match="image cannot be read .it is empty: 0x5 pixels"):
        prepare_image(Image.new("L", (9, 9)).crop((3, 2, 3, 7)))


def test_a_file_that_may_not_be_read_is_not_called_damaged(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Image, "open", refuse)
    with pytest.raises(PermissionError, match=r"5\.png: cannot be opened \(Permission denied\)"):
        prepare_image(tmp_path / "5.png")


@pytest.mark.parametrize("shape", [(1, 1), (1, 10_000), (10_000, 1), (2, 3)])
@pytest.mark.parametrize("value", [0, 128, 255])
def test_extreme_shapes(shape, value):
    assert prepare_image(np.full(shape, value, np.uint8)).shape == (28, 28)
    speckled = np.full(shape, value, np.uint8)
    speckled.flat[0] = 255 - value
    assert prepare_image(speckled).shape == (28, 28)


def test_large_pictures_are_reduced():
    assert open_picture(Image.new("L", (5000, 300))).size == (2000, 120)
    assert open_picture(encoded(Image.new("L", (5000, 3000), "white"), "JPEG")).size == (2000, 1200)


@needs_counters
@pytest.mark.parametrize(("side", "refused"), [(9_400, False), (11_000, True)])
def test_a_decompression_bomb_takes_little_memory(tmp_path, side, refused):
    """A file of 130 kB that declares 89 million pixels is opened in bounded memory; larger ones are refused."""
    path = tmp_path / "bomb.png"
    Image.new("1", (side, side), 1).save(path)
    with peak_growth() as growth:
        if refused:
            with pytest.raises(ValueError, match=r"bomb\.png: cannot be read as a picture"):
                prepare_image(path)
        else:
            prepare_image(path)
    assert growth.megabytes < 200


def test_a_pillow_image_that_cannot_be_read_is_refused(files):
    truncated = Image.open(io.BytesIO(files["JPEG"][:-200]))
    with pytest.raises(ValueError, match="image cannot be read .* open it again, or give a path"):
        open_picture(truncated)
    closed = Image.open(io.BytesIO(files["PNG"]))
    closed.close()
    with pytest.raises(ValueError, match="image cannot be read .* open it again, or give a path"):
        open_picture(closed)


def test_lab_colours_are_refused_with_the_name_of_the_file(tmp_path):
    picture = Image.new("LAB", (50, 50))
    picture.save(tmp_path / "lab.tif")
    for given, name in ((tmp_path / "lab.tif", "lab.tif"), (picture, "image")):
        with pytest.raises(ValueError, match=f"{name}.*LAB: save it as RGB"):
            open_picture(given)


def test_several_images_are_no_picture():
    with pytest.raises(ValueError, match=r"not \(1, 28, 28\); type images\[0\] for the first of several"):
        open_picture(np.zeros((1, 28, 28), np.uint8))
