"""Several digits in one picture are found and classified, in reading order."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from mnist_nn import load_network, load_pretrained, read_digits
from mnist_nn.model import Network
from mnist_nn.pictures.candidates import Candidate, Reading


@pytest.fixture(scope="module")
def model():
    return load_pretrained()


@pytest.fixture(scope="module")
def digits(mnist):
    """One clear image of each digit, cropped to its ink, 100 pixels high."""
    cut = []
    for digit in range(10):
        image = mnist.train.images[np.flatnonzero(mnist.train.labels == digit)[2]]
        rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
        ink = Image.fromarray(image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
        cut.append(np.asarray(ink.resize((round(100 * ink.width / ink.height), 100), Image.Resampling.BICUBIC)))
    return cut


def row(digits, number, gap=20):
    """Return a picture of the digits of `number` in one row, dark on white."""
    parts = [np.pad(digits[int(digit)], ((30, 30), (gap - gap // 2, gap // 2))) for digit in number]
    return 255 - np.pad(np.concatenate(parts, axis=1), ((0, 0), (30, 30)))


def as_text(predictions):
    return "".join(str(prediction.digit) for prediction in predictions)


@pytest.mark.parametrize("number", ["7", "90210", "0123456789"])
@pytest.mark.parametrize("gap", [2, 10, 60])
def test_a_row_is_read_from_left_to_right(model, digits, number, gap):
    assert as_text(read_digits(model, row(digits, number, gap))) == number


def test_a_tightly_cropped_row_is_read(model, digits):
    """Most digits touch the edge of the picture, some of them two edges."""
    for number in ("17", "2718", "31415"):
        assert as_text(read_digits(model, cropped(row(digits, number)))) == number
        up_and_down = [
            np.pad(digits[int(digit)], ((5 * i % 15, 10 - 5 * i % 15), (0, 15))) for i, digit in enumerate(number)
        ]
        assert as_text(read_digits(model, cropped(255 - np.concatenate(up_and_down, axis=1)))) == number


def test_a_small_cropped_row_is_read(model, digits):
    """Without paper around them, the strokes of low digits seem to be noise."""
    small = Image.fromarray(cropped(row(digits, "90210"))).resize((130, 28))
    predictions = read_digits(model, small)
    assert as_text(predictions) == "90210"
    assert predictions[0].box[1] == pytest.approx(0, abs=1)
    assert predictions[-1].box[2:] == pytest.approx((130, 28), abs=1)


def cropped(picture):
    """Return a dark-on-white picture cropped to its ink."""
    rows, columns = (np.flatnonzero((picture < 200).any(axis=axis)) for axis in (1, 0))
    return picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def test_a_mark_that_leaves_the_picture_and_is_not_read_makes_the_row_unclear(model, digits):
    picture = Image.fromarray(np.pad(row(digits, "90210")[20:-20], ((0, 0), (0, 130)), constant_values=255))
    assert all(prediction.clear for prediction in read_digits(model, picture))
    for x in (-40, 40):  # a star from the top of the picture to the bottom
        for y in (0, 50):
            right = picture.width - 70
            ImageDraw.Draw(picture).line([right - x, y, right + x, picture.height - 1 - y], 0, 8)
    predictions = read_digits(model, picture)
    assert as_text(predictions) == "90210"
    assert not any(prediction.clear for prediction in predictions)


def test_light_digits_on_a_dark_background_are_read(model, digits):
    assert as_text(read_digits(model, 255 - row(digits, "31415"))) == "31415"


def test_boxes_are_in_pixels_of_the_picture(model, digits):
    picture = row(digits, "2718", 40)
    left = 30
    for prediction, digit in zip(read_digits(model, picture), "2718", strict=True):
        width = digits[int(digit)].shape[1]
        assert prediction.box == pytest.approx((left + 20, 30, left + 20 + width, 130), abs=6)
        left += width + 40


def test_lines_are_read_from_top_to_bottom(model, digits):
    first, second = row(digits, "123"), row(digits, "45")
    picture = np.full((320, first.shape[1]), 255, np.uint8)
    picture[:160] = first
    picture[160:, : second.shape[1]] = second
    assert as_text(read_digits(model, picture)) == "12345"


def test_a_wavy_row_is_one_line(model, digits):
    picture = np.full((260, 500), 255, np.uint8)
    for i, digit in enumerate("3141"):
        ink = 255 - digits[int(digit)]
        top = [20, 110, 40, 130][i]
        picture[top : top + 100, 20 + 120 * i : 20 + 120 * i + ink.shape[1]] = ink
    assert as_text(read_digits(model, picture)) == "3141"


def test_a_small_digit_below_the_others_is_in_the_same_line(model, digits):
    picture = np.full((240, 420), 255, np.uint8)
    small = np.asarray(Image.fromarray(digits[9]).resize((30, 60)))
    picture[150:210, 30:60] = 255 - small
    for left, top, digit in [(120, 20, 1), (190, 20, 2), (300, 100, 8)]:
        picture[top : top + 100, left : left + digits[digit].shape[1]] = 255 - digits[digit]
    predictions = read_digits(model, picture)
    assert as_text(predictions) == "9128"
    assert {prediction.line for prediction in predictions} == {0}


def test_two_parts_of_a_digit_are_joined(model, digits):
    five = digits[5].copy()
    five[30:36] = 0  # separate the upper part
    whole = [*digits[:5], five, *digits[6:]]
    assert as_text(read_digits(model, row(whole, "151"))) == "151"


@pytest.mark.parametrize("top", [62, 68, 74])
def test_parts_above_each_other_are_one_digit(model, digits, top):
    picture = row(digits, "0123456789")
    picture[top : top + 8] = 255  # some parts look like digits themselves
    assert as_text(read_digits(model, picture)) == "0123456789"


def test_interrupted_strokes_are_joined(model, digits):
    """A third of the ink is gone, so the ten digits fall into about forty parts."""
    found = []
    for seed in range(10):
        picture = row(digits, "0123456789", gap=40)
        texture = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=picture.shape), 4)
        picture[texture < np.quantile(texture, 0.32)] = 255
        found.append(len(read_digits(model, picture)))
    assert np.abs(np.array(found) - 10).sum() <= 4
    assert found.count(10) >= 6


def test_touching_digits_are_split(model, digits):
    picture = row(digits, "38", 20)
    joint = np.argmin((picture < 128).sum(axis=0)[60:-60]) + 60
    picture[78:84, joint - 30 : joint + 30] = np.minimum(picture[78:84, joint - 30 : joint + 30], 40)
    assert as_text(read_digits(model, picture)) == "38"


@pytest.mark.parametrize(("number", "slant", "overlap"), [("57", 0.3, 35), ("57", 0.5, 55), ("30", 0.5, 55)])
def test_slanted_touching_digits_are_split(model, digits, number, slant, overlap):
    """No upright cut separates them."""
    first, second = (slanted(digits[int(digit)], slant) for digit in number)
    picture = np.pad(first, ((30, 30), (30, second.shape[1] - overlap + 30)))
    place = picture[30:-30, -30 - second.shape[1] : -30]
    np.maximum(place, second, out=place)
    assert as_text(read_digits(model, 255 - picture)) == number


def slanted(digit, slant):
    extra = round(100 * slant)
    size = (digit.shape[1] + extra, 100)
    sheared = Image.fromarray(digit).transform(size, Image.Transform.AFFINE, (1, slant, -extra, 0, 1, 0))
    return np.asarray(sheared)


def test_narrow_digits_are_not_all_ones(model, digits):
    narrow = [np.asarray(Image.fromarray(digit).resize((25, 100), Image.Resampling.BICUBIC)) for digit in digits]
    assert as_text(read_digits(model, row(narrow, "0123456789"))) == "0123456789"


def test_faint_digits_that_shine_through_the_paper_are_not_read(model, digits):
    faint = [(0.2 * digit).astype(np.uint8) for digit in digits]
    picture = np.concatenate([row(digits, "123"), row(faint, "123")])
    assert as_text(read_digits(model, picture)) == "123"


def test_three_touching_digits_are_split(model, digits):
    picture = row(digits, "380", 20)
    first, second = (30 + digits[3].shape[1] + 10, 30 + digits[3].shape[1] + digits[8].shape[1] + 30)
    for joint in (first, second):
        picture[78:84, joint - 30 : joint + 30] = np.minimum(picture[78:84, joint - 30 : joint + 30], 40)
    assert as_text(read_digits(model, picture)) == "380"


@pytest.mark.parametrize("gap", [8, 16])
def test_touching_digits_are_split_although_a_sign_is_near(model, digits, gap):
    """Neither the sign nor the touching digits are a digit, so they may be joined like the parts of a broken one."""
    picture = np.pad(row(digits, "96", 20), ((0, 0), (100, 0)), constant_values=255)
    joint = 130 + digits[9].shape[1]
    picture[78:84, joint - 10 : joint + 40] = 40
    page, x = Image.fromarray(picture), 130 - gap - 22
    for line in ([x - 22, 80, x + 22, 80], [x, 58, x, 102]):
        ImageDraw.Draw(page).line(line, 0, 8)
    assert as_text(read_digits(model, page)) == "96"


@pytest.mark.parametrize("degrees", [0, 2, 7, -12])
def test_digits_in_printed_boxes_are_read(model, digits, degrees):
    page = Image.fromarray(np.pad(row(digits, "3805", 60), 60, constant_values=255))
    left = 90
    for digit in (3, 8, 0, 5):
        width = digits[digit].shape[1]
        ImageDraw.Draw(page).rectangle([left + 5, 75, left + 55 + width, 205], outline=60, width=4)
        left += width + 60
    page = page.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=255)
    assert as_text(read_digits(model, page)) == "3805"


def test_digits_in_circles_are_read(model, digits):
    page = Image.fromarray(np.pad(row(digits, "38", 140), 60, constant_values=255))
    for left, digit in [(160, 3), (160 + 140 + digits[3].shape[1], 8)]:
        middle = left + digits[digit].shape[1] // 2
        ImageDraw.Draw(page).ellipse([middle - 85, 55, middle + 85, 225], outline=60, width=4)
    assert as_text(read_digits(model, page)) == "38"


def test_a_thick_digit_on_ruled_paper_is_read(model, digits):
    picture = np.full((400, 400), 255, np.uint8)
    ink = np.asarray(Image.fromarray(digits[3]).resize((180, 240)))
    picture[80:320, 100:280] = 255 - ink
    for top in range(30, 400, 70):
        picture[top : top + 3] = np.minimum(picture[top : top + 3], 90)
    assert as_text(read_digits(model, picture)) == "3"


def test_boxes_of_touching_digits_stay_inside_the_picture(model, digits):
    picture = row(digits, "38", 20)[:, 29:]  # the first digit begins at the edge
    joint = np.argmin((picture < 128).sum(axis=0)[60:-60]) + 60
    picture[78:84, joint - 30 : joint + 30] = np.minimum(picture[78:84, joint - 30 : joint + 30], 40)
    predictions = read_digits(model, picture)
    assert len(predictions) == 2
    assert min(min(prediction.box) for prediction in predictions) >= 0


def test_specks_and_ruled_lines_are_ignored(model, digits):
    picture = row(digits, "604")
    picture[8:10], picture[-10:-8] = 90, 90
    for down, right in np.random.default_rng(0).integers(12, 140, (15, 2)):
        if (picture[down - 12 : down + 12, right - 12 : right + 12] > 200).all():
            picture[down : down + 2, right : right + 2] = 0
    assert as_text(read_digits(model, picture)) == "604"


def test_a_blank_picture_has_no_digits(model):
    assert read_digits(model, np.full((50, 400), 255, np.uint8)) == []
    assert read_digits(model, np.full((1, 1), 255, np.uint8)) == []


def test_a_wall_of_bricks_has_no_digits(model):
    picture = Image.new("L", (800, 600), 60)
    for line, top in enumerate(range(0, 600, 60)):
        for left in range(-80 * (line % 2), 800, 160):
            ImageDraw.Draw(picture).rectangle([left + 4, top + 4, left + 155, top + 55], fill=150)
    assert read_digits(model, picture) == []


def squared_paper():
    picture = np.full((600, 800), 235, np.uint8)
    picture[20::40], picture[:, 20::40] = 180, 180
    return picture


def texture():
    return np.random.default_rng(0).integers(0, 256, (100, 100), np.uint8).repeat(8, axis=0).repeat(8, axis=1)


def tilted_squared_paper():
    picture = np.full((1_400, 1_400), 235, np.uint8)
    picture[::35], picture[:, ::35] = 170, 170
    return ndimage.rotate(picture, 8, reshape=False, mode="nearest", order=1)


def turned_squared_paper_with_a_shadow():
    """Its lines fade to the right, and the corners of the picture cut off short ones."""
    light = np.linspace(1, 0.5, 900) + np.random.default_rng(0).normal(0, 0.01, (700, 900))
    paper = np.full((1_000, 1_300), 235, np.float32)
    for shift in (0, 1):
        paper[shift::32] *= 0.7
        paper[:, shift::32] *= 0.7
    paper = ndimage.rotate(paper, 4, reshape=False, mode="nearest", order=1)[150:850, 200:1_100]
    return (paper * light).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("picture", [squared_paper, tilted_squared_paper, turned_squared_paper_with_a_shadow, texture])
def test_pictures_without_digits_give_an_empty_list(model, picture):
    assert read_digits(model, picture()) == []


def test_the_marks_of_a_texture_are_not_joined_in_every_possible_way():
    class Counting(Network):
        seen = 0

        def __call__(self, images, training=False):
            self.seen += len(images)
            return super().__call__(images, training)

    model = Counting([array for layer in load_network().layers for array in layer])
    texture = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(1000, 1000)), 6)
    read_digits(model, (128 + 60 * texture / texture.std()).clip(0, 255).astype(np.uint8))
    assert model.seen < 7_000  # five views of each group of marks, and of each part of a mark


def test_stripes_are_refused(model):
    """The box of each is nearly as large as the picture; to join them would take a minute and gigabytes."""
    down, right = np.indices((600, 600))
    stripes = np.where((down + right) % 40 < 16, 0, 255).astype(np.uint8)
    with pytest.raises(ValueError, match="image holds a pattern such as stripes; cut out the part with digits"):
        read_digits(model, stripes)


def test_a_page_of_text_is_refused(model):
    page = Image.new("L", (1400, 1000), "white")
    text = "\n".join(["the quick brown fox jumps over the lazy dog"] * 20)
    ImageDraw.Draw(page).multiline_text((40, 40), text, "black", ImageFont.load_default(36))
    with pytest.raises(ValueError, match="more than 300 digits; cut out"):
        read_digits(model, page)


def test_digits_on_ruled_paper_are_read(model, digits):
    picture = row(digits, "604")
    picture[122:125] = 90  # through the lower ends of the digits
    picture[8:11] = 90
    assert as_text(read_digits(model, picture)) == "604"


@pytest.mark.parametrize("degrees", [0, 5, -9, 13])
def test_digits_on_a_tilted_page_of_ruled_paper_are_read(model, digits, degrees):
    paper = np.full((700, 900), 235, np.uint8)
    number = row(digits, "604")
    paper[300 : 300 + number.shape[0], 260 : 260 + number.shape[1]] = np.minimum(number, 235)
    for top in range(22, 700, 50):  # one through the lower ends of the digits
        paper[top : top + 3] = 90
    page = ndimage.rotate(paper, degrees, reshape=False, mode="nearest", order=1)
    assert as_text(read_digits(model, page)) == "604"


@pytest.mark.parametrize("step", [40, 60])
@pytest.mark.parametrize(("brightness", "noise"), [(0.5, 0), (0.85, 8)])
def test_digits_on_squared_paper_are_read(model, digits, step, brightness, noise):
    """Clear lines are one mark with the digits; noise breaks faint ones into hundreds of pieces."""
    picture = np.kron(row(digits, "90210", gap=60), np.ones((2, 2)))
    picture[step // 2 :: step] *= brightness
    picture[:, step // 3 :: step] *= brightness
    picture += np.random.default_rng(0).normal(0, noise, picture.shape)
    assert as_text(read_digits(model, picture.clip(0, 255).astype(np.uint8))) == "90210"


@pytest.mark.parametrize("angle", [-6, 8, 12])
@pytest.mark.parametrize("blackness", [0.5, 0.8])
def test_digits_on_tilted_squared_paper_are_read(model, digits, angle, blackness):
    paper = np.full((700, 1_000), 235, np.float32)
    for shift in (15, 16):
        paper[shift::50] *= 0.75
        paper[:, shift::50] *= 0.75
    paper = ndimage.rotate(paper, angle, reshape=False, mode="nearest", order=1)
    number = 255 - blackness * (255 - row(digits, "90210", gap=40))
    place = paper[250 : 250 + number.shape[0], 200 : 200 + number.shape[1]]
    np.minimum(place, number, out=place)
    assert as_text(read_digits(model, paper.clip(0, 255).astype(np.uint8))) == "90210"


def test_digits_on_a_note_on_a_dark_desk_are_read(model, digits):
    desk = np.full((500, 700), 25, np.uint8)
    note = row(digits, "2718")
    desk[150 : 150 + note.shape[0], 60 : 60 + note.shape[1]] = note
    assert as_text(read_digits(model, desk)) == "2718"


@pytest.mark.parametrize("brightness", [30, 50, 70])
def test_the_grain_of_a_desk_is_not_read(model, digits, brightness):
    note = np.pad(row(digits, "31415926"), 40, constant_values=255)
    desk = np.pad(note, 60).astype(np.float32)
    grain = ndimage.gaussian_filter(np.random.default_rng(0).normal(0, 60, desk.shape), (1, 12))
    desk = np.where(np.pad(np.ones(note.shape, bool), 60), 0.9 * desk, brightness + grain)
    photo = ndimage.rotate(desk, 5, reshape=False, mode="nearest").clip(0, 255).astype(np.uint8)
    assert as_text(read_digits(model, photo)) == "31415926"


@pytest.mark.parametrize("desk", [60, 150, 250])
def test_digits_on_a_tilted_ruled_note_are_read_and_located(model, digits, desk):
    number = row(digits, "90210", gap=20).astype(np.float32)
    note = np.pad(number, ((60, 100), (40, 60)), constant_values=255)
    for y in range(20, len(note), 60):
        note[y : y + 3] = 60
    photo = np.pad(0.8 * note, ((150, 150), (100, 100)), constant_values=desk)
    photo = ndimage.rotate(photo, -9, reshape=False, mode="nearest", order=1).clip(0, 255).astype(np.uint8)
    answers = read_digits(model, photo)
    assert as_text(answers) == "90210"
    first, last = answers[0].box, answers[-1].box
    slope = (last[1] - first[1]) / (last[0] - first[0])
    assert slope == pytest.approx(np.tan(np.radians(9)), abs=0.06)
    dark = np.argwhere(photo[first[1] : first[3], first[0] : first[2]] < 30)
    assert len(dark) > 100


def candidate(box, mass, confidence=1.0):
    probabilities = np.full(10, (1 - confidence) / 9, np.float32)
    probabilities[0] = confidence
    return Candidate(np.ones((2, 2), np.float32), box, mass, 1.0, np.zeros((28, 28), np.uint8), probabilities)


def test_a_frame_around_several_digits_is_not_a_digit():
    frame = candidate((0, 0, 900, 400), 4000)
    digits = [candidate((100, 100, 150, 200), 900), candidate((300, 100, 350, 200), 800)]
    specks = [candidate((100, 100, 140, 150), 20), candidate((300, 100, 340, 150), 20)]
    assert Reading([frame, *digits]).digits == digits
    assert Reading([frame, *specks]).digits == [frame]


@pytest.mark.parametrize(
    ("size", "confidence", "is_digit"), [(40, 0.95, True), (40, 0.7, False), (80, 0.7, True), (80, 0.2, True)]
)
def test_marks_of_another_size_are_digits_only_if_the_network_is_confident(size, confidence, is_digit):
    digits = [candidate((100 * i, 0, 100 * i + 60, 100), 900) for i in range(3)]
    mark = candidate((400, 30, 400 + size, 70), 600, confidence)
    assert (mark in Reading([*digits, mark]).digits) == is_digit


@pytest.mark.parametrize(("mass", "confidence", "is_digit"), [(0.4, 0.95, True), (0.2, 1.0, False), (1, 0.8, False)])
def test_marks_that_leave_the_picture_are_digits_only_if_they_are_much_like_one(mass, confidence, is_digit):
    """Else they are shadows; but if most digits leave the picture, it is a crop, and they are like any other."""
    row = [candidate((30 * i, 0, 30 * i + 20, 30), 1.0) for i in range(4)]
    edge = replace(candidate((120, 0, 140, 30), mass, confidence), leaves_picture=True)
    assert (edge in Reading([*row, edge]).digits) is is_digit
    cut = [replace(digit, leaves_picture=True) for digit in row]
    assert edge in Reading([*cut, edge]).digits


def test_small_zeros_belong_to_the_row(model, digits):
    small = np.asarray(Image.fromarray(digits[0]).resize((40, 50)))
    zero = np.pad(small, ((25, 25), (0, 0)))
    assert as_text(read_digits(model, row([zero, *digits[1:]], "5100"))) == "5100"


def test_each_prediction_knows_its_line(model, digits):
    first, second = row(digits, "123"), row(digits, "45")
    picture = np.full((320, first.shape[1]), 255, np.uint8)
    picture[:160], picture[160:, : second.shape[1]] = first, second
    assert [prediction.line for prediction in read_digits(model, picture)] == [0, 0, 0, 1, 1]


def test_the_digits_beside_a_large_mark_that_is_not_read_are_not_clear(model, digits):
    """The mark may be several digits, so the number may be incomplete."""
    zigzag = Image.new("L", (260, 160), 255)
    ImageDraw.Draw(zigzag).line([(40 + 40 * (i // 2), 50 + 60 * (i % 2)) for i in range(10)], 0, 12)
    first, second = row(digits, "123", gap=60), np.concatenate([row(digits, "40", gap=60), zigzag], axis=1)
    width = max(first.shape[1], second.shape[1])
    first, second = (
        np.pad(line, ((0, 0), (0, width - line.shape[1])), constant_values=255) for line in (first, second)
    )
    found = read_digits(model, np.concatenate([first, second]))
    assert [(p.digit, p.line, p.clear) for p in found if p.line == 0] == [(d, 0, True) for d in (1, 2, 3)]
    assert [(p.digit, p.line, p.clear) for p in found if p.line == 1] == [(d, 1, False) for d in (4, 0)]


def test_a_path_is_accepted(model, digits, tmp_path):
    Image.fromarray(row(digits, "42")).save(tmp_path / "row.png")
    assert as_text(read_digits(model, tmp_path / "row.png")) == "42"


def test_invalid_arguments_are_refused(model, digits, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.png"):
        read_digits(model, tmp_path / "none.png")
    with pytest.raises(ValueError, match="model must be a Keras model"):
        read_digits("model", row(digits, "42"))
