"""Measure how well the shipped weights read pictures of test digits: `python tests/benchmarks/pictures.py`.

Writes notebooks/results/pictures.csv: for each kind of picture how many there were, how many were read right, how many
with confidence (`sure`) and how many of these were wrong. Pictures without a digit have no right answer. Takes five
minutes.
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
from mnist_nn._internal.files import replacing

RESULTS = Path(__file__).parents[2] / "notebooks" / "results" / "pictures.csv"
COUNT = 2_000  # test digits for each kind of picture
ROWS = 500


def scaled(image, side):
    """Return a digit as dark ink on white, uint8 (side, side)."""
    return 255 - np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))


def encoded(picture, format="JPEG", **options):
    """Return a picture as the bytes of a file."""
    file = io.BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(file, format, **options)
    return file.getvalue()


def anywhere(image, random):
    """Return the digit at a random size and place on a page of 1,000x800."""
    page = np.full((800, 1000), 255, np.uint8)
    side = int(random.integers(80, 500))
    top, left = random.integers(0, 800 - side), random.integers(0, 1000 - side)
    page[top : top + side, left : left + side] = scaled(image, side)
    return page


def by_pen(image, wider):
    """Return the digit drawn at 280x280 with a pen so many pixels wider or narrower (MNIST's is about 30 wide)."""
    inside = scaled(image, 280) < 145
    outwards = ndimage.distance_transform_edt(~inside) - ndimage.distance_transform_edt(inside)
    # A stroke not as wide as what is to be taken off it keeps its middle, three pixels or so.
    middle = inside & (outwards <= ndimage.minimum_filter(outwards, 7) + 1.5)
    return np.where((outwards < wider / 2) | middle, 0, 255).astype(np.uint8)


def on_paper(image, random, shadow=False):
    """Return the digit in pencil on unevenly lit, noisy paper, as a JPEG of quality 40."""
    down, right = (np.indices((300, 300)) / 300) - 0.5
    angle = random.uniform(0, 2 * np.pi)
    across = np.cos(angle) * right + np.sin(angle) * down
    light = 210 - 90 / (1 + np.exp((across - random.uniform(-0.2, 0.2)) * 100)) if shadow else 200 + 80 * across
    page = light * (0.25 + 0.75 * scaled(image, 300) / 255) + random.normal(0, 8, (300, 300))
    return encoded(page.clip(0, 255).astype(np.uint8), quality=40)


def turned(image):
    """Return the digit in a JPEG whose EXIF says that it is to be turned upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(Image.fromarray(scaled(image, 200)).transpose(Image.Transpose.ROTATE_90), exif=exif)


def transparent(image):
    """Return the digit as black ink on nothing."""
    ink = 255 - scaled(image, 200)
    return Image.fromarray(np.dstack([np.zeros_like(ink)] * 3 + [ink]))


DIGITS = {
    "MNIST's own 28×28": lambda image, _: image,
    "100×100, light on dark": lambda image, _: 255 - scaled(image, 100),
    "100×100": lambda image, _: scaled(image, 100),
    "2000×2000": lambda image, _: scaled(image, 2000),
    "anywhere on a page": anywhere,
    "thick pen, +8 pixels in 280": lambda image, _: by_pen(image, 8),
    "thicker pen, +14 pixels": lambda image, _: by_pen(image, 14),
    "thin pen, -18 pixels": lambda image, _: by_pen(image, -18),
    "uneven light, noise, JPEG 40": on_paper,
    "hard shadow, noise, JPEG 40": lambda image, random: on_paper(image, random, shadow=True),
    "turned by EXIF": lambda image, _: turned(image),
    "RGBA": lambda image, _: transparent(image),
    "palette": lambda image, _: Image.fromarray(scaled(image, 200)).convert("P"),
    "CMYK": lambda image, _: encoded(Image.fromarray(scaled(image, 200)).convert("CMYK")),
}


def row(test, random, count):
    """Return a picture of random test digits in a row, of varying size, at least two pixels apart; and the digits."""
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


def letters():
    """Yield every letter of the alphabet, printed in four typefaces."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for name in ("DejaVuSans", "DejaVuSerif", "STIXGeneral", "cmr10"):
        for letter in string.ascii_letters:
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
    """Yield 200 random pieces of the two photographs that come with scikit-learn."""
    for number in range(200):
        photo = load_sample_images().images[number % 2]
        side = int(random.integers(100, 400))
        top, left = random.integers(0, photo.shape[0] - side), random.integers(0, photo.shape[1] - side)
        yield photo[top : top + side, left : left + side]


def main():
    """Read every kind of picture, showing each result as it comes, and write the table."""
    model, test, table = load_network(), load_mnist().test, []

    def note(kind, group, predictions, labels=None):
        sure = np.array([prediction.sure for prediction in predictions])
        right = np.zeros(len(sure), bool)
        if labels is not None:
            right = np.array([prediction.digit for prediction in predictions]) == labels
        counts = {"pictures": len(sure), "right": right.sum(), "sure": sure.sum(), "sure_wrong": (sure & ~right).sum()}
        table.append({"group": group, "kind": kind, **counts})
        print(table[-1], flush=True)

    for kind, picture in DIGITS.items():
        random = np.random.default_rng(0)
        predictions = [predict_digit(model, picture(image, random)) for image in test.images[:COUNT]]
        note(kind, "digit", predictions, test.labels[:COUNT])
    others = load_digits()
    pictures = [Image.fromarray(255 - np.round(image * 255 / 16).astype(np.uint8)) for image in others.images]
    predictions = [predict_digit(model, picture.resize((64, 64), Image.Resampling.BICUBIC)) for picture in pictures]
    note("scikit-learn's load_digits, 64×64", "digit", predictions, others.target)
    for count in (5, 10):
        random = np.random.default_rng(count)
        answers = [
            (read_digits(model, picture), labels) for picture, labels in (row(test, random, count) for _ in range(ROWS))
        ]
        right = np.array([[prediction.digit for prediction in found] == labels for found, labels in answers])
        sure = np.array([all(prediction.sure for prediction in found) for found, _ in answers])
        counts = {"pictures": ROWS, "right": right.sum(), "sure": sure.sum(), "sure_wrong": (sure & ~right).sum()}
        table.append({"group": "row", "kind": f"rows of {count} digits", **counts})
        print(table[-1], flush=True)
    blank = [np.full((50, 50), value, np.uint8) for value in (0, 128, 255)]
    for kind, pictures in [
        ("blank", blank),
        ("letters", letters()),
        ("scribbles", scribbles(np.random.default_rng(0))),
        ("textures", textures(np.random.default_rng(0))),
        ("pieces of photographs", photos(np.random.default_rng(0))),
    ]:
        note(kind, "no digit", [predict_digit(model, picture) for picture in pictures])
    with replacing(RESULTS) as written:
        pd.DataFrame(table).to_csv(written, index=False)


if __name__ == "__main__":
    main()
