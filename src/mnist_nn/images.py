"""From any picture of a digit to the 28x28 pixels the network knows, and to the digit.

MNIST's makers scaled each digit, aspect kept, into a 20x20 box and placed its centre of mass in the middle of 28x28
(LeCun et al., 1998). A network reads what it was trained on, so a picture of your own is brought to that form first.
"""

import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

SIDE, BOX = 28, 20
LARGEST = 89_000_000  # pixels; Pillow refuses larger files
WORKING_SIDE = 1_000  # pixels; larger pictures are reduced to this first
FAINTEST = 0.1  # contrast of the digit with its background, of the whole range from black to white
STROKE = 0.4  # what is darker than this share of the darkest stroke belongs to the digit


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """The digit that a network sees in a picture.

    probabilities: of the ten digits, float32 (10,).
    pixels: what the network was shown, uint8 (28, 28).
    """

    probabilities: np.ndarray
    pixels: np.ndarray

    @property
    def digit(self) -> int:
        """The most probable digit."""
        return int(self.probabilities.argmax())

    @property
    def confidence(self) -> float:
        """Its probability, 0 to 1."""
        return float(self.probabilities.max())

    @property
    def sure(self) -> bool:
        """Whether that is enough to rely on. (To be replaced: a fixed threshold stands in for a measured one.)"""
        return self.confidence >= 0.9

    def __repr__(self) -> str:
        return f"Prediction({self.digit}, confidence {self.confidence:.1%})"


def predict_digit(model, image) -> Prediction:
    """Return the digit in a picture, with its probabilities and the pixels that the network saw.

    image: whatever `prepare_image` takes.

    Raises ValueError or FileNotFoundError as `prepare_image` does.
    """
    from .model import predict_probabilities  # here, so that preparing a picture never needs TensorFlow

    pixels = prepare_image(image)
    return Prediction(predict_probabilities(model, pixels[None])[0], pixels)


def prepare_image(image) -> np.ndarray:
    """Return the digit in a picture as MNIST's makers would have: uint8 (28, 28), ink bright on 0.

    image: a path, the bytes of a file, a Pillow image, or an array: (h, w) grey, (h, w, 3) RGB or (h, w, 4) RGBA,
        uint8 0 to 255 or floats 0 to 1. Dark on light or light on dark, of any size; transparent counts as white.

    Raises FileNotFoundError for a missing file, ValueError for a file that is no picture, a picture without any
    contrast, and arrays of another form.
    """
    name, picture = _named(image)
    ink = _ink(_grey(picture))
    if ink.max() < FAINTEST:
        raise ValueError(f"{name}: blank, no digit in it; give a picture with more contrast")
    return _centred(_fitted(_cropped(ink / ink.max())))


def open_picture(image) -> Image.Image:
    """Return whatever `prepare_image` takes as a Pillow image, upright and no larger than 1,000 pixels."""
    return _named(image)[1]


def _named(image) -> tuple[str, Image.Image]:
    """Return a name for error messages, and the picture."""
    if isinstance(image, Image.Image):
        name, picture = "image", image
    elif isinstance(image, np.ndarray):
        name, picture = "image", _from_array(image)
    elif isinstance(image, bytes):
        name, picture = "image", _from_file("image", io.BytesIO(image))
    elif isinstance(image, str | Path):
        name, picture = str(image), _from_file(str(image), Path(image))
    else:
        raise ValueError(f"image must be a path, bytes, a Pillow image or an array, not a {type(image).__name__}")
    if max(picture.size) > WORKING_SIDE:
        picture = picture.copy()
        picture.thumbnail((WORKING_SIDE, WORKING_SIDE), Image.Resampling.BOX)
    return name, ImageOps.exif_transpose(picture)


def _from_file(name: str, file) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(file)
        with picture:
            picture.draft("L", (WORKING_SIDE, WORKING_SIDE))  # a JPEG is decoded no larger than needed
            picture.load()
            return picture
    except FileNotFoundError:
        raise FileNotFoundError(f"{name}: no such file; give the path of a picture") from None
    except (
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        reason = "unknown format" if isinstance(error, Image.UnidentifiedImageError) else error
        raise ValueError(f"{name}: cannot be read as a picture ({reason}); give a PNG, JPEG or the like") from error


def _from_array(array: np.ndarray) -> Image.Image:
    if array.size == 0 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        raise ValueError(f"image must be an array of shape (h, w), (h, w, 3) or (h, w, 4), not {array.shape}")
    if array.shape[0] * array.shape[1] > LARGEST:
        raise ValueError(f"image must have at most {LARGEST:,} pixels, not {array.shape}; make it smaller")
    if array.dtype.kind in "fb":
        if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
            raise ValueError("image must have pixels from 0 to 1, all finite (no NaN), if they are floats; or uint8")
        array = np.round(array * 255.0).astype(np.uint8)
    if array.dtype != np.uint8:
        raise ValueError(f"image must be an array of uint8 0 to 255 or floats 0 to 1, not {array.dtype}")
    return Image.fromarray(array)


def _grey(picture: Image.Image) -> np.ndarray:
    """Return the brightness, float32 (h, w), 0 black to 1 white, over white where the picture is transparent."""
    if picture.mode.startswith(("I", "F")):  # 16 bits and more: Pillow would cut them off at 255
        values = np.nan_to_num(np.asarray(picture, np.float32)).clip(0)
        return values / max(float(values.max()), 1.0)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return np.asarray(picture.convert("L"), np.float32) / 255


def _ink(grey: np.ndarray) -> np.ndarray:
    """Return how much each pixel differs from the background, 0 to 1, towards the side where the strokes are."""
    # The paper is what most of the edge shows; what it differs there is shadow and noise, not ink.
    darker = np.median(_edge(grey)) - grey
    ink = np.maximum(darker if np.maximum(darker, 0).sum() >= np.maximum(-darker, 0).sum() else -darker, 0)
    return np.maximum(ink - np.quantile(_edge(ink), 0.75), 0)


def _edge(values: np.ndarray) -> np.ndarray:
    return np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])


def _cropped(ink: np.ndarray) -> np.ndarray:
    rows, columns = (np.flatnonzero((ink > STROKE).any(axis=axis)) for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _fitted(ink: np.ndarray) -> np.ndarray:
    """Return the strokes scaled, aspect kept, so that the longer side is 20 pixels."""
    height, width = (max(1, round(BOX * side / max(ink.shape))) for side in ink.shape)
    resized = Image.fromarray(ink).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(resized).clip(0, 1)


def _centred(ink: np.ndarray) -> np.ndarray:
    """Return 28x28 pixels with the centre of mass of the strokes in the middle (pixel 14, 14, as in MNIST)."""
    pixels = np.zeros((SIDE, SIDE), np.uint8)
    top, left = (
        int(np.clip(round(SIDE / 2 - ink.sum(axis=1 - axis) @ np.arange(n) / ink.sum()), 0, SIDE - n))
        for axis, n in enumerate(ink.shape)
    )
    pixels[top : top + ink.shape[0], left : left + ink.shape[1]] = np.round(ink / ink.max() * 255)
    return pixels
