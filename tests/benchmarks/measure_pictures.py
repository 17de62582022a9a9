"""Measure the accuracy of the pretrained weights on picture files: `python -m tests.benchmarks.measure_pictures`.

It writes notebooks/results/pictures.csv. For each kind of picture this holds the number of pictures, of correct
predictions, of `sure` predictions, and of `sure` predictions that are wrong. Pictures without a digit have no correct
prediction. It takes about five minutes.
"""

import io
import string
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage
from sklearn.datasets import load_digits, load_sample_images

from mnist_nn import load_mnist, load_network, predict_digit, read_digits
from mnist_nn._internal.files import atomic_write

RESULTS = Path(__file__).parents[2] / "notebooks" / "results" / "pictures.csv"
DIGITS = 2_000  # test digits for each kind of picture
LOOK_ALIKES = "OoIliSsZzBbgqDQ"  # letters that a person too takes for a digit if they stand alone
ROWS = 500  # for each length


def enlarge(image, side):
    """Return a digit as dark ink on white, uint8 (side, side)."""
    return 255 - np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))


def encode(picture, format="JPEG", **options):
    """Return a picture as the bytes of a file."""
    file = io.BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(file, format, **options)
    return file.getvalue()


def place_on_page(image, random):
    """Return a digit of random size at a random position on a page of 1,000x800 pixels."""
    page = np.full((800, 1000), 255, np.uint8)
    side = int(random.integers(80, 500))
    top, left = random.integers(0, 800 - side), random.integers(0, 1000 - side)
    page[top : top + side, left : left + side] = enlarge(image, side)
    return page


def change_pen(image, pixels):
    """Return a digit of 280x280 pixels whose pen is wider by so many pixels, or narrower (MNIST's has about 30)."""
    inside = enlarge(image, 280) < 145
    # The distance from the outline, negative inside.
    distance = ndimage.distance_transform_edt(~inside) - ndimage.distance_transform_edt(inside)
    # Keep the middle of strokes, about three pixels, so that narrow ones do not disappear.
    middle = inside & (distance <= ndimage.minimum_filter(distance, 7) + 1.5)
    return np.where((distance < pixels / 2) | middle, 0, 255).astype(np.uint8)


def photograph(image, random, shadow=False):
    """Return a digit on unevenly lit, noisy paper, as a JPEG of quality 40."""
    down, right = (np.indices((300, 300)) / 300) - 0.5
    angle = random.uniform(0, 2 * np.pi)
    across = np.cos(angle) * right + np.sin(angle) * down
    light = 210 - 90 / (1 + np.exp((across - random.uniform(-0.2, 0.2)) * 100)) if shadow else 200 + 80 * across
    page = light * (0.25 + 0.75 * enlarge(image, 300) / 255) + random.normal(0, 8, (300, 300))
    return encode(page.clip(0, 255).astype(np.uint8), quality=40)


def rotate_by_exif(image):
    """Return a digit in a JPEG that is upright only after its EXIF rotation is applied."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encode(Image.fromarray(enlarge(image, 200)).transpose(Image.Transpose.ROTATE_90), exif=exif)


def make_transparent(image):
    """Return a digit as black ink on a transparent background."""
    ink = 255 - enlarge(image, 200)
    return Image.fromarray(np.dstack([np.zeros_like(ink)] * 3 + [ink]))


KINDS = {
    "MNIST's own 28×28": lambda image, _: image,
    "100×100, light on dark": lambda image, _: 255 - enlarge(image, 100),
    "100×100": lambda image, _: enlarge(image, 100),
    "2000×2000": lambda image, _: enlarge(image, 2000),
    "anywhere on a page": place_on_page,
    "thick pen, +8 pixels in 280": lambda image, _: change_pen(image, 8),
    "thicker pen, +14 pixels": lambda image, _: change_pen(image, 14),
    "thin pen, -18 pixels": lambda image, _: change_pen(image, -18),
    "uneven light, noise, JPEG 40": photograph,
    "hard shadow, noise, JPEG 40": lambda image, random: photograph(image, random, shadow=True),
    "turned by EXIF": lambda image, _: rotate_by_exif(image),
    "RGBA": lambda image, _: make_transparent(image),
    "palette": lambda image, _: Image.fromarray(enlarge(image, 200)).convert("P"),
    "CMYK": lambda image, _: encode(Image.fromarray(enlarge(image, 200)).convert("CMYK")),
}


def make_row(test, random, count):
    """Return a picture of random test digits in a row, and the digits.

    The digits vary in size and are at least two pixels apart.
    """
    chosen, parts = random.integers(0, len(test), count), []
    for image in test.images[chosen]:
        rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
        ink = Image.fromarray(image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
        scale, gap = random.uniform(2.5, 4.5), int(random.integers(2, 40))
        size = max(1, round(ink.width * scale)), max(1, round(ink.height * scale))
        part = np.asarray(ink.resize(size, Image.Resampling.BICUBIC))
        top = int(random.integers(20, 131 - size[1]))
        parts.append(np.pad(part, ((top, 150 - top - size[1]), (0, gap))))
    return 255 - np.pad(np.concatenate(parts, axis=1), ((0, 0), (20, 20))), test.labels[chosen].tolist()


def letters(look_alike):
    """Yield the letters that look like a digit, or all others, printed in four typefaces."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    chosen = [letter for letter in string.ascii_letters if (letter in LOOK_ALIKES) == look_alike]
    for name in ("DejaVuSans", "DejaVuSerif", "STIXGeneral", "cmr10"):
        for letter in chosen:
            picture = Image.new("L", (120, 120), "white")
            font = ImageFont.truetype(folder / f"{name}.ttf", 80)
            ImageDraw.Draw(picture).text((60, 60), letter, "black", font, anchor="mm")
            yield picture


def scribbles(random):
    """Yield 200 smooth random strokes."""
    for _ in range(200):
        path = np.cumsum(ndimage.gaussian_filter1d(random.normal(size=(2, 200)), 6, axis=1), axis=1)
        path -= path.min(axis=1, keepdims=True)
        picture = Image.new("L", (220, 220), "white")
        ImageDraw.Draw(picture).line((30 + 160 * path / path.max()).T.ravel().tolist(), "black", 8, joint="curve")
        yield picture


def textures(random):
    """Yield 200 random textures, fine to coarse."""
    for _ in range(200):
        texture = ndimage.gaussian_filter(random.normal(size=(200, 200)), random.uniform(0.5, 12))
        yield (128 + 60 * texture / texture.std()).clip(0, 255).astype(np.uint8)


def photos(random):
    """Yield 200 random parts of the two photographs in scikit-learn."""
    for number in range(200):
        photo = load_sample_images().images[number % 2]
        side = int(random.integers(100, 400))
        top, left = random.integers(0, photo.shape[0] - side), random.integers(0, photo.shape[1] - side)
        yield photo[top : top + side, left : left + side]


def main():
    """Predict all kinds of pictures, print each result at once, and write the table."""
    model, test, table = load_network(), load_mnist().test, []

    def add_row(group, kind, sure, correct):
        counts = {"pictures": len(sure), "correct": correct.sum(), "sure": sure.sum()}
        table.append({"group": group, "kind": kind, **counts, "sure_wrong": (sure & ~correct).sum()})
        print(table[-1], flush=True)

    def add_predictions(group, kind, predictions, labels=None):
        sure = np.array([prediction.sure for prediction in predictions])
        correct = np.zeros(len(sure), bool)
        if labels is not None:
            correct = np.array([prediction.digit for prediction in predictions]) == labels
        add_row(group, kind, sure, correct)

    for kind, make_picture in KINDS.items():
        random = np.random.default_rng(0)
        predictions = [predict_digit(model, make_picture(image, random)) for image in test.images[:DIGITS]]
        add_predictions("digit", kind, predictions, test.labels[:DIGITS])
    others = load_digits()
    pictures = [Image.fromarray(255 - np.round(image * 255 / 16).astype(np.uint8)) for image in others.images]
    predictions = [predict_digit(model, picture.resize((64, 64), Image.Resampling.BICUBIC)) for picture in pictures]
    add_predictions("digit", "scikit-learn's load_digits, 64×64", predictions, others.target)
    for count in (5, 10):
        random = np.random.default_rng(count)
        rows = (make_row(test, random, count) for _ in range(ROWS))
        answers = [(read_digits(model, picture), labels) for picture, labels in rows]
        correct = np.array([[prediction.digit for prediction in found] == labels for found, labels in answers])
        sure = np.array([bool(found) and all(prediction.sure for prediction in found) for found, _ in answers])
        add_row("row", f"rows of {count} digits", sure, correct)
    blank = [np.full((50, 50), value, np.uint8) for value in (0, 128, 255)]
    for kind, pictures in [
        ("blank", blank),
        ("letters that look like a digit", letters(look_alike=True)),
        ("other letters", letters(look_alike=False)),
        ("scribbles", scribbles(np.random.default_rng(0))),
        ("textures", textures(np.random.default_rng(0))),
        ("pieces of photographs", photos(np.random.default_rng(0))),
    ]:
        add_predictions("no digit", kind, [predict_digit(model, picture) for picture in pictures])
    with atomic_write(RESULTS) as written:
        pd.DataFrame(table).to_csv(written, index=False)


if __name__ == "__main__":
    main()
