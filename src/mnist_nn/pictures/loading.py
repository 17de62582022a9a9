"""Open pictures without trusting them: files, bytes, Pillow images and arrays."""

import io
import warnings
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np
from PIL import Image, ImageOps

ImageLike: TypeAlias = str | Path | bytes | Image.Image | np.ndarray

MAX_ARRAY_PIXELS = 89_000_000  # Pillow itself refuses files with more pixels
MAX_DECODED_BYTES = 120_000_000
MAX_SIDE_PX = 2_000  # larger pictures are reduced to this size first
MAX_INK = 0.5  # of a transparent picture; one with less that is opaque holds ink only
BYTES_PER_PIXEL = {"RGB": 4, "RGBA": 4, "CMYK": 4, "YCbCr": 4, "LAB": 4, "HSV": 4, "RGBX": 4, "I": 4, "F": 4, "LA": 4}
BYTES_PER_PIXEL |= {"I;16": 2}


def open_picture(image: ImageLike) -> Image.Image:
    """Open a picture as a Pillow image, upright, at most 2,000 pixels wide and high, in its own mode.

    Args:
        image: A path, the bytes of a file, a Pillow image, or an array: (h, w) grey, (h, w, 3) RGB or (h, w, 4) RGBA,
            uint8 0 to 255 or floats 0 to 1. If a file holds several pictures, the first is used.

    Returns:
        The picture. The boxes of predictions refer to its pixels.

    Raises:
        FileNotFoundError: There is no such file.
        PermissionError: You may not read it.
        ValueError: The file is not a picture or takes more than 120 MB when decoded, or an array has another form.

    Example:
        >>> import numpy as np
        >>> from mnist_nn.pictures.loading import open_picture
        >>> open_picture(np.zeros((300, 4000), np.uint8)).size
        (2000, 150)
    """
    if isinstance(image, Image.Image):
        try:
            return _upright(image)
        except (OSError, ValueError, AssertionError) as error:  # truncated, already closed, or in unusual colours
            raise ValueError(
                f"image cannot be read ({error or 'it is closed'}); open it again, or give a path"
            ) from error
    if isinstance(image, np.ndarray):
        return _upright(_from_array(image))
    if isinstance(image, bytes):
        return _from_file("image", io.BytesIO(image))
    if isinstance(image, str | Path):
        if Path(image).is_dir():
            raise ValueError(
                f"{Path(image)}: this is a folder, not a picture; type the path of a picture, or "
                "predict_pictures(model, pictures) with a list of paths"
            )
        return _from_file(str(image), Path(image))
    raise ValueError(f"image must be a path, bytes, a Pillow image or an array, not a {type(image).__name__}")


def measure_reduction(image: ImageLike) -> float:
    """Return by which factor `open_picture` reduces a picture, at least 1.

    Args:
        image: What `open_picture` can open. Of a file only the size is read.

    Returns:
        Width and height of the picture, divided by those of the opened one.

    Example:
        >>> import numpy as np
        >>> from mnist_nn.pictures.loading import measure_reduction
        >>> measure_reduction(np.zeros((300, 4000), np.uint8))
        2.0
    """
    return max(1.0, max(_full_size(image)) / MAX_SIDE_PX)


def _full_size(image: ImageLike) -> tuple[int, ...]:
    if isinstance(image, np.ndarray):
        return image.shape[:2]
    if isinstance(image, Image.Image):
        return image.size
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a picture with unusual metadata is still a picture
        with Image.open(io.BytesIO(image) if isinstance(image, bytes) else image) as picture:
            return picture.size


def _upright(picture: Image.Image) -> Image.Image:
    """Reduce a large picture and apply its EXIF rotation."""
    if 0 in picture.size:
        raise ValueError(f"it is empty: {picture.width}x{picture.height} pixels")
    if picture.mode == "LAB":
        raise ValueError("its colours are stored as LAB: save it as RGB")
    if max(picture.size) > MAX_SIDE_PX:
        width, height = (max(1, round(MAX_SIDE_PX / max(picture.size) * side)) for side in picture.size)
        picture = picture.convert("L") if picture.mode == "1" else picture
        method = Image.Resampling.NEAREST if picture.mode == "P" else Image.Resampling.BOX
        picture = picture.resize((width, height), method)
    return ImageOps.exif_transpose(picture)


def _from_file(name: str, file: Path | IO[bytes]) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a picture with unusual metadata is still a picture
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file) as picture:
                picture.draft("L", (MAX_SIDE_PX, MAX_SIDE_PX))  # decode a JPEG no larger than necessary
                size = picture.width * picture.height * BYTES_PER_PIXEL.get(picture.mode, 1)
                if size > MAX_DECODED_BYTES:
                    raise ValueError(f"{size:,} bytes when decoded, more than {MAX_DECODED_BYTES:,}: make it smaller")
                picture.load()
                return _upright(picture)
    except FileNotFoundError:
        raise FileNotFoundError(f"{name}: no such file; give the path of a picture") from None
    except PermissionError as error:
        raise PermissionError(f"{name}: cannot be opened ({error.strerror}); change its permissions") from None
    except Exception as error:  # Pillow's decoders raise many kinds of exceptions for damaged files
        reason = "unknown format" if isinstance(error, Image.UnidentifiedImageError) else error
        raise ValueError(f"{name}: cannot be read as a picture ({reason}); give a PNG, JPEG or similar") from error


def _from_array(array: np.ndarray) -> Image.Image:
    if array.size == 0 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        remedy = "; type images[0] for the first of several" if array.ndim == 3 else ""
        raise ValueError(f"image must be an array of shape (h, w), (h, w, 3) or (h, w, 4), not {array.shape}{remedy}")
    if array.shape[0] * array.shape[1] > MAX_ARRAY_PIXELS:
        raise ValueError(f"image must have at most {MAX_ARRAY_PIXELS:,} pixels, not {array.shape}; make it smaller")
    if array.dtype.kind in "fb":
        if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
            raise ValueError("image must have pixels from 0 to 1, all finite (no NaN), if they are floats; or uint8")
        array = np.round(array * 255.0).astype(np.uint8)
    if array.dtype != np.uint8:
        raise ValueError(f"image must be an array of uint8 0 to 255 or floats 0 to 1, not {array.dtype}")
    return Image.fromarray(array)


def brightness(picture: Image.Image) -> np.ndarray:
    """Return the brightness, float32 (h, w), 0 black to 1 white, with paper where the picture is transparent."""
    if picture.mode.startswith(("I", "F")):  # 16 bits and more: Pillow would clip them at 255
        values = np.nan_to_num(np.asarray(picture, np.float32)).clip(0)
        return values / max(float(values.max()), 1.0)
    return np.asarray(on_paper(picture).convert("L"), np.float32) / 255


def on_paper(picture: Image.Image) -> Image.Image:
    """Return the picture with white where it is transparent, or black if its ink is light."""
    if not picture.has_transparency_data:
        return picture
    picture = picture.convert("RGBA")
    opacity = np.asarray(picture.getchannel("A"), np.float32)
    is_ink = 0 < opacity.mean() < MAX_INK * 255
    light = is_ink and np.average(np.asarray(picture.convert("L")), weights=opacity) > 127
    return Image.alpha_composite(Image.new("RGBA", picture.size, "black" if light else "white"), picture)
