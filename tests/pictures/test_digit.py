"""A digit is found in pictures of many kinds, converted to MNIST's format and classified."""

import io
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps
from scipy import ndimage
from sklearn.datasets import load_digits

from mnist_nn import Prediction, load_network, load_pretrained, predict_digit, predict_probabilities, prepare_image
from mnist_nn.pictures.candidates import Candidate, Reading
from mnist_nn.pictures.prediction import SURE_CONFIDENCE, mean_probabilities


@pytest.fixture(scope="module")
def digit(mnist):
    """A training image of a 3, uint8 (28, 28)."""
    return mnist.train.images[mnist.train.labels == 3][0]


@pytest.fixture(scope="module")
def large(digit):
    """The same 3 as a grey picture of 200x200 pixels, dark on white."""
    return 255 - np.asarray(Image.fromarray(digit).resize((200, 200), Image.Resampling.BICUBIC))


def similar(a, b):
    """Return True if two 28x28 digits look alike: their correlation is above 0.95."""
    return np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("light_on_dark", [False, True])
def test_pictures_of_eight_by_eight_pixels_are_read(light_on_dark):
    network = load_network()
    digits = load_digits()
    images = digits.images[:100] / 16
    found = [predict_digit(network, image if light_on_dark else 1 - image) for image in images]
    assert sum(prediction.digit == digit for prediction, digit in zip(found, digits.target, strict=False)) >= 92
    left, top, right, bottom = np.array([prediction.box for prediction in found]).T
    assert min(left.min(), top.min()) >= 0
    assert max(right.max(), bottom.max()) <= 8
    assert (bottom - top).min() >= 6


@pytest.mark.parametrize("scale", [1, 2])
def test_small_tight_crops_are_read(mnist, scale):
    network = load_network()
    right = 0
    for image, label in zip(mnist.test.images[:100], mnist.test.labels[:100], strict=True):
        crop = Image.fromarray(image).crop(Image.fromarray(255 * (image > 60).astype(np.uint8)).getbbox())
        right += predict_digit(network, ImageOps.invert(ImageOps.scale(crop, scale))).digit == label
    assert right >= 95


def encoded(image, format="PNG", **options):
    """Return a Pillow image as the bytes of a file."""
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def test_the_result_has_mnists_format(large):
    pixels = prepare_image(large)
    assert (pixels.shape, pixels.dtype, pixels.max()) == ((28, 28), np.uint8, 255)
    rows, columns = (np.flatnonzero(pixels.any(axis=axis)) for axis in (1, 0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    mass = pixels / pixels.sum()
    assert (mass.sum(axis=1) @ np.arange(28), mass.sum(axis=0) @ np.arange(28)) == pytest.approx((14, 14), abs=0.51)


def test_mnist_images_are_changed_little(mnist):
    images = mnist.train.images[:200]
    correlations = [np.corrcoef(prepare_image(image).ravel(), image.ravel())[0, 1] for image in images]
    assert np.median(correlations) > 0.9
    assert np.min(correlations) > 0.5


def rotated_by_exif(image):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be rotated by 90 degrees clockwise
    return encoded(image.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif, quality=95)


KINDS = {
    "array": lambda x: x,
    "light on dark": lambda x: 255 - x,
    "floats": lambda x: x / 255,
    "RGB array": lambda x: np.repeat(x[..., None], 3, axis=2),
    "RGBA array": lambda x: np.dstack([np.zeros_like(x)] * 3 + [255 - x]),
    "light and transparent": lambda x: np.dstack([np.full_like(x, 230)] * 3 + [255 - x]),
    "Pillow image": Image.fromarray,
    "bytes of a PNG": lambda x: encoded(Image.fromarray(x)),
    "JPEG": lambda x: encoded(Image.fromarray(x), "JPEG", quality=60),
    "palette": lambda x: Image.fromarray(x).convert("P"),
    "one bit": lambda x: Image.fromarray(x).convert("1", dither=Image.Dither.NONE),
    "CMYK": lambda x: encoded(Image.fromarray(x).convert("CMYK"), "JPEG", quality=95),
    "16 bits": lambda x: Image.fromarray(x.astype(np.uint16) * 257),
    "Pillow floats with NaN": lambda x: Image.fromarray(np.where(x < 40, np.nan, x).astype(np.float32)),
    "low contrast": lambda x: (100 + 0.2 * x).astype(np.uint8),
    "coloured paper": lambda x: np.dstack([x // 2 + 100, x // 2 + 60, x // 3]).astype(np.uint8),
    "in a corner": lambda x: np.pad(x, [(0, 500), (300, 0)], constant_values=255),
    "very large": lambda x: Image.fromarray(x).resize((3000, 3000)),
    "small": lambda x: Image.fromarray(x).resize((40, 40)),
    "rotated by EXIF": lambda x: rotated_by_exif(Image.fromarray(x)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_picture_gives_the_same_digit(large, kind):
    assert similar(prepare_image(KINDS[kind](large)), prepare_image(large))


def test_a_path_or_a_string_is_accepted(large, tmp_path):
    Image.fromarray(large).save(tmp_path / "three.png")
    expected = prepare_image(large)
    assert np.array_equal(prepare_image(tmp_path / "three.png"), expected)
    assert np.array_equal(prepare_image(str(tmp_path / "three.png")), expected)


def test_the_argument_is_not_changed(large):
    picture, before = Image.fromarray(large).resize((1500, 1500)), large.copy()
    prepare_image(picture)
    prepare_image(large)
    assert picture.size == (1500, 1500)
    assert np.array_equal(large, before)


@pytest.mark.parametrize("shape", [(200, 3), (3, 200), (1, 30), (2, 2)])
def test_a_stroke_of_extreme_proportions_is_accepted(shape):
    picture = np.full((300, 300), 255, np.uint8)
    picture[50 : 50 + shape[0], 50 : 50 + shape[1]] = 0
    assert prepare_image(picture).max() == 255


def test_a_prediction_averages_five_shifted_views(trained, large):
    model, _ = trained
    prediction = predict_digit(model, large)
    assert isinstance(prediction, Prediction)
    assert np.array_equal(prediction.pixels, prepare_image(large))
    shifts = [(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0)]
    views = [np.roll(prediction.pixels, shift, (0, 1)) for shift in shifts]
    assert prediction.probabilities == pytest.approx(predict_probabilities(model, np.stack(views)).mean(axis=0))
    assert prediction.digit == prediction.probabilities.argmax() == 3
    assert prediction.confidence == prediction.probabilities.max()
    suffix = "" if prediction.sure else ", not sure"
    assert repr(prediction) == f"Prediction(3, confidence {100 * prediction.confidence:.1f} %{suffix})"


def test_a_sure_prediction_needs_confidence_and_a_clear_picture():
    confident, uniform = np.eye(10, dtype=np.float32)[3], np.full(10, 0.1, np.float32)
    pixels, box = np.zeros((28, 28), np.uint8), (0, 0, 28, 28)
    assert Prediction(confident, pixels, box).sure
    assert not Prediction(confident, pixels, box, clear=False).sure
    assert not Prediction(uniform, pixels, box).sure


@pytest.mark.parametrize(
    "blank",
    [
        np.full((50, 50), 255, np.uint8),
        np.zeros((28, 28), np.uint8),
        np.linspace(0.5, 0.55, 900).reshape(30, 30),
        np.full((1, 1), 77, np.uint8),
        np.full((1, 10_000), 77, np.uint8),
    ],
)
def test_a_prediction_for_a_blank_picture_is_not_sure(trained, blank):
    prediction = predict_digit(trained[0], blank)
    assert not prediction.pixels.any()
    assert prediction.probabilities == pytest.approx(0.1)
    assert not prediction.sure


def test_at_most_one_in_a_thousand_sure_predictions_is_wrong(mnist):
    probabilities = mean_probabilities(load_pretrained(), mnist.validation.images)
    sure = probabilities.max(axis=1) >= SURE_CONFIDENCE
    wrong = probabilities.argmax(axis=1) != mnist.validation.labels
    assert sure.mean() > 0.95
    assert wrong[sure].mean() <= 0.001


def test_the_box_encloses_the_digit(trained, large):
    for canvas, side in [(900, 200), (3000, 100)]:
        picture = np.full((canvas, canvas + 100), 255, np.uint8)
        digit = np.asarray(Image.fromarray(large).resize((side, side)))
        picture[150 : 150 + side, 400 : 400 + side] = digit
        scale = min(1, 2000 / (canvas + 100))
        rows, columns = (np.flatnonzero((picture < 128).any(axis=axis)) for axis in (1, 0))
        expected = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]) * scale
        assert predict_digit(trained[0], picture).box == pytest.approx(expected, abs=6)


def with_shadow_and_noise(x):
    down, right = np.mgrid[0:200, 0:200]
    light = np.where(right - down / 2 > 100, 0.55, 1.0) * (0.7 + 0.3 * down / 200)
    noise = np.random.default_rng(0).normal(0, 5, (200, 200))
    return (x * light * 0.9 + noise).clip(0, 255).astype(np.uint8)


def with_lines_and_specks(x):
    picture = np.pad(x, 60, constant_values=255)
    picture[10:13], picture[:, 305:308] = 60, 60  # ruled lines at the edge
    for top, left in np.random.default_rng(0).integers(0, 318, (25, 2)):
        picture[top : top + 2, left : left + 2] = 0  # specks
    return picture


OUTSIDE_CORNER = np.indices((270, 270)).sum(axis=0) > 50
DIFFICULTIES = {
    "ruled lines and specks": with_lines_and_specks,
    "a dark corner": lambda x: np.pad(x, [(70, 0), (0, 70)], constant_values=255) * OUTSIDE_CORNER,
    "a gradient": lambda x: (x * np.linspace(0.5, 1, 200)).astype(np.uint8),
    "chalk on a blackboard": lambda x: (60 + (255 - x) * 0.6).astype(np.uint8),
}


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_digits_in_difficult_pictures_are_cut_out_cleanly(large, difficulty):
    picture = DIFFICULTIES[difficulty](large).astype(np.uint8)
    assert similar(prepare_image(picture), prepare_image(large))


def test_a_digit_in_a_shadow_is_recognised(large):
    prediction = predict_digit(load_network(), with_shadow_and_noise(large))
    assert prediction.digit == 3
    assert prediction.sure


def test_a_small_digit_on_a_tilted_squared_note_is_recognised(large):
    """The digit is cut out of the flattened note, in which the lines are level and upright."""
    note = np.full((800, 1_200), 255, np.float32)
    note[300:500, 500:700] = large
    for shift in range(20, 24):
        note[shift::80] *= 0.5
        note[:, shift::80] *= 0.5
    photo = np.pad(0.9 * note, 250, constant_values=80)
    photo = ndimage.rotate(photo, 8, reshape=False, mode="nearest", order=1).clip(0, 255).astype(np.uint8)
    prediction = predict_digit(load_network(), photo)
    assert prediction.digit == 3
    left, top, right, bottom = prediction.box
    assert 700 < left < right < 1000
    assert 500 < top < bottom < 800


@pytest.mark.parametrize("brightness", [30, 70, 110])
def test_a_digit_on_a_note_on_a_desk_is_recognised(large, brightness):
    note = np.pad(large[20:180, 20:180], 60, constant_values=255)
    grain = ndimage.gaussian_filter(np.random.default_rng(0).normal(0, 60, (520, 560)), (1, 12))
    desk = brightness + grain
    desk[110 : 110 + note.shape[0], 130 : 130 + note.shape[1]] = 0.9 * note
    photo = ndimage.rotate(desk, 6, reshape=False, mode="nearest").clip(0, 255).astype(np.uint8)
    prediction = predict_digit(load_network(), photo)
    assert prediction.digit == 3
    assert prediction.sure


def test_a_digit_in_a_tight_crop_is_recognised(large):
    rows, columns = (np.flatnonzero((large < 128).any(axis=axis)) for axis in (1, 0))
    tight = large[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert predict_digit(load_network(), tight).digit == 3
    assert similar(prepare_image(tight), prepare_image(large))


def test_the_polarity_of_a_tight_crop_does_not_matter(mnist):
    dark = light = 0
    for image, label in zip(mnist.validation.images[:60], mnist.validation.labels[:60], strict=True):
        rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
        ink = Image.fromarray(image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
        tight = np.asarray(ink.resize((4 * ink.width, 4 * ink.height), Image.Resampling.BICUBIC))
        light += predict_digit(load_network(), tight).digit == label
        dark += predict_digit(load_network(), 255 - tight).digit == label
    assert min(light, dark) >= 54
    assert abs(light - dark) <= 2


@pytest.mark.parametrize("side", [80, 100, 280, 600])
@pytest.mark.parametrize(
    ("digit", "corners"),
    [(7, [(0, 0), (1, 0), (0.35, 1)]), (2, [(0, 0.2), (0.3, 0), (0.8, 0), (0.9, 0.3), (0, 1), (1, 1)])],
)
def test_a_straight_stroke_along_the_edge_of_a_tight_crop_belongs_to_the_digit(side, digit, corners):
    width, height, pen = 0.7 * side, side, side // 18
    picture = Image.new("L", (round(width), height), 255)
    points = [((width - pen) * x + pen / 2, (height - pen) * y + pen / 2) for x, y in corners]
    ImageDraw.Draw(picture).line(points, 0, pen)
    assert predict_digit(load_network(), picture).digit == digit


@pytest.mark.parametrize("angle", [6, 9, 12])
def test_most_digits_on_tilted_squared_paper_are_sure(mnist, angle):
    """The lines connect the digit with the edge of the picture."""
    paper = np.full((400, 400), 235, np.float32)
    for shift in (15, 16):
        paper[shift::50] *= 0.8
        paper[:, shift::50] *= 0.8
    paper = ndimage.rotate(paper, angle, reshape=False, mode="nearest", order=1)
    predictions = []
    for image in mnist.train.images[:20]:
        digit = np.asarray(Image.fromarray(image).resize((140, 140), Image.Resampling.BICUBIC))
        picture = np.minimum(paper, np.pad(255 - 0.65 * digit, 130, constant_values=255))
        predictions.append(predict_digit(load_network(), picture.clip(0, 255).astype(np.uint8)))
    correct = [prediction.digit == label for prediction, label in zip(predictions, mnist.train.labels, strict=False)]
    assert sum(correct) >= 18
    assert sum(prediction.sure for prediction in predictions) >= 12


def test_a_digit_in_a_printed_box_is_cut_out(large):
    picture = np.pad(large, 60, constant_values=255)
    for place in (30, 280):  # each side is a line that goes on beyond the corners
        picture[place : place + 6], picture[:, place : place + 6] = 40, 40
    assert similar(prepare_image(picture), prepare_image(large))


@pytest.mark.parametrize(("gap", "least"), [(np.s_[110:116], 199), (np.s_[:, 136:144], 197)], ids=["across", "down"])
def test_a_digit_in_two_pieces_is_recognised(mnist, gap, least):
    split, network = mnist.validation[100:300], load_network()
    correct = 0
    for image, label in zip(split.images, split.labels, strict=True):
        picture = 255 - np.array(Image.fromarray(image).resize((280, 280), Image.Resampling.BICUBIC))
        picture[gap] = 255
        correct += predict_digit(network, picture).digit == label
    assert correct >= least


def test_a_digit_that_is_small_in_a_large_picture_is_read_in_full_size(mnist):
    random, network, right = np.random.default_rng(0), load_network(), 0
    for image, label in zip(mnist.test.images[:8], mnist.test.labels[:8], strict=True):
        page = np.full((1_500, 2_000), 235, np.uint8)
        place = page[700:728, 1_200:1_228]  # seven pixels wide at the size at which digits are searched for
        np.minimum(place, 255 - image, out=place)
        page += random.integers(0, 10, page.shape, dtype=np.uint8)
        right += predict_digit(network, page).digit == label
    assert right == 8


def test_a_speck_is_not_taken_for_the_digit():
    def candidate(mass, digit, confidence):
        ink, pixels = np.ones((2, 2), np.float32), np.zeros((28, 28), np.uint8)
        probabilities = np.full(10, (1 - confidence) / 9, np.float32)
        probabilities[digit] = confidence
        return Candidate(ink, (0, 0, 2, 2), mass, 1.0, pixels, probabilities)

    digit, speck, desk = candidate(1000, 2, 0.45), candidate(10, 1, 0.99), candidate(5000, 8, 0.12)
    assert Reading([speck, digit]).main is digit
    clear_digit = candidate(1000, 2, 0.9)
    assert Reading([speck, clear_digit, desk]).main is clear_digit


@pytest.mark.parametrize("gap", [0, 30, 100])
def test_two_digits_are_not_clear(large, mnist, gap):
    other = 255 - np.asarray(Image.fromarray(mnist.train.images[0]).resize((200, 200), Image.Resampling.BICUBIC))
    both = np.concatenate([other[:, 30:170], np.full((200, gap), 255, np.uint8), large[:, 30:170]], axis=1)
    prediction = predict_digit(load_network(), np.pad(both, 20, constant_values=255))
    assert not prediction.clear
    assert not prediction.sure


@pytest.mark.parametrize("pen", [1, 3, 24, 40])
def test_thin_and_thick_pens_give_similar_digits(pen):
    picture = Image.new("L", (300, 300), "white")
    draw = ImageDraw.Draw(picture)
    draw.line([(90, 60), (200, 60), (120, 240)], "black", pen, joint="curve")
    usual = Image.new("L", (300, 300), "white")
    ImageDraw.Draw(usual).line([(90, 60), (200, 60), (120, 240)], "black", 20, joint="curve")
    ink = prepare_image(picture).sum() / prepare_image(usual).sum()
    assert 0.5 < ink < 2
    assert np.corrcoef(prepare_image(picture).ravel(), prepare_image(usual).ravel())[0, 1] > 0.7


def test_digits_in_pictures_are_classified_as_accurately_as_mnist_images(trained, mnist):
    model, split = trained[0], mnist.validation[:500]
    original = (predict_probabilities(model, split.images).argmax(axis=1) == split.labels).mean()
    pictures = np.stack([prepare_image(255 - np.pad(image, 40)) for image in split.images])
    prepared = (predict_probabilities(model, pictures).argmax(axis=1) == split.labels).mean()
    assert prepared > original - 0.02


@pytest.mark.parametrize(
    ("image", "words"),
    [
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
def test_invalid_images_are_refused(trained, image, words):
    with pytest.raises(ValueError, match="^[^\n]+$") as caught:
        predict_digit(trained[0], image)
    assert words in str(caught.value)


def test_files_that_are_not_pictures_are_refused(tmp_path, large):
    text, cut = tmp_path / "text.png", tmp_path / "cut.png"
    text.write_text("this is not a picture")
    cut.write_bytes(encoded(Image.fromarray(large))[:1000])
    for path in (text, cut):
        with pytest.raises(ValueError, match=r"cannot be read as a picture .*; give a PNG") as caught:
            prepare_image(path)
        assert str(path) in str(caught.value)
    with pytest.raises(ValueError, match=r"this is a folder, not a picture; type the path of a picture"):
        prepare_image(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"none\.png: no such file"):
        prepare_image(tmp_path / "none.png")


def test_a_huge_picture_is_refused_before_it_is_decoded(tmp_path):
    path = tmp_path / "huge.png"
    content = bytearray(encoded(Image.new("L", (10, 10))))
    content[16:24] = struct.pack(">II", 12_000, 12_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"huge\.png.*144000000 pixels"):
        prepare_image(path)


@pytest.mark.end_to_end
def test_prepare_image_needs_no_tensorflow():
    code = "import sys, numpy as np, mnist_nn; mnist_nn.prepare_image(np.eye(9)); print('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
