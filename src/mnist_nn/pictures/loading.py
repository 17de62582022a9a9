"""Picture files, Pillow images and arrays, opened without trusting them, and their brightness."""

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

LARGEST = 89_000_000  # pixels; Pillow refuses larger files
MOST = 120_000_000  # bytes that a file may take when it is decoded
BYTES = {"RGB": 4, "RGBA": 4, "CMYK": 4, "YCbCr": 4, "LAB": 4, "HSV": 4, "RGBX": 4, "I": 4, "F": 4, "LA": 4, "I;16": 2}
LONGEST = 2_000  # pixels a side; larger pictures are reduced to this first


def open_picture(image) -> Image.Image:
    """Return a picture as a Pillow image, upright, in the form it came in, no larger than 2,000 pixels a side.

    image: a path, the bytes of a file, a Pillow image, or an array: (h, w) grey, (h, w, 3) RGB or (h, w, 4) RGBA,
        uint8 0 to 255 or floats 0 to 1. Of several pictures in a file the first.

    Raises FileNotFoundError for a missing file; ValueError for one that is no picture or takes more than 120 MB when
    decoded, and for arrays of another form.
    """
    if isinstance(image, Image.Image):
        return _upright(image)
    if isinstance(image, np.ndarray):
        return _upright(_from_array(image))
    if isinstance(image, bytes):
        return _from_file("image", io.BytesIO(image))
    if isinstance(image, str | Path):
        return _from_file(str(image), Path(image))
    raise ValueError(f"image must be a path, bytes, a Pillow image or an array, not a {type(image).__name__}")


def _upright(picture: Image.Image) -> Image.Image:
    if max(picture.size) > LONGEST:
        width, height = (max(1, round(LONGEST / max(picture.size) * side)) for side in picture.size)
        picture = (picture.convert("L") if picture.mode == "1" else picture).resize(
            (width, height), Image.Resampling.NEAREST if picture.mode == "P" else Image.Resampling.BOX
        )
    return ImageOps.exif_transpose(picture)


def _from_file(name: str, file) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a picture with odd metadata is still a picture
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file) as picture:
                picture.draft("L", (LONGEST, LONGEST))  # a JPEG is decoded no larger than needed
                size = picture.width * picture.height * BYTES.get(picture.mode, 1)
                if size > MOST:
                    raise ValueError(f"{size:,} bytes when decoded, more than {MOST:,}: make it smaller")
                picture.load()
                return _upright(picture)
    except FileNotFoundError:
        raise FileNotFoundError(f"{name}: no such file; give the path of a picture") from None
    except Exception as error:  # on a damaged file Pillow's decoders raise whatever their format makes them raise
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


def grey(picture: Image.Image) -> np.ndarray:
    """Return the brightness, float32 (h, w), 0 black to 1 white, over white where the picture is transparent."""
    if picture.mode.startswith(("I", "F")):  # 16 bits and more: Pillow would cut them off at 255
        values = np.nan_to_num(np.asarray(picture, np.float32)).clip(0)
        return values / max(float(values.max()), 1.0)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return np.asarray(picture.convert("L"), np.float32) / 255
