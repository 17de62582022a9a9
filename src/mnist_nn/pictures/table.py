"""Predict many pictures, and score them against their labels."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from ..model import ModelLike
from .digit import predict_digit
from .loading import ImageLike, measure_reduction
from .prediction import Prediction, model_first
from .reading import TooManyMarksError
from .rows import read_digits
from .segmentation import Box

if TYPE_CHECKING:
    import pandas as pd

LABELS, DIGITS = "labels.csv", "0123456789"


@model_first
def predict_pictures(model: ModelLike, pictures: Iterable[ImageLike], *, row: bool = False) -> pd.DataFrame:
    """Predict the digit, or the row of digits, in many pictures.

    Args:
        model: A Keras model from (n, 28, 28) pixels to (n, 10) probabilities, or a Network.
        pictures: Paths, bytes of files, Pillow images or arrays; see `prepare_image`.
        row: True if each picture shows rows of digits.

    Returns:
        A DataFrame with one line per digit and the columns "picture" (the path, or the number of the picture, counted
        from 0), "line", "digit", "confidence", "sure", "clear", and the box as "left", "top", "right" and "bottom", in
        pixels of the upright picture in its full size. Without `row` each picture has exactly one line; with it, a
        picture without digits has none.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A file is not a picture, or `model` is not such a model.

    Example:
        >>> from mnist_nn import load_mnist, load_network, predict_pictures
        >>> table = predict_pictures(load_network(), load_mnist().test.images[:3])
        >>> table["digit"].tolist()
        [7, 2, 1]
    """
    import pandas as pd

    if isinstance(pictures, str | bytes | Path | Image.Image) or _is_one_picture(pictures):
        given = repr(str(pictures)) if isinstance(pictures, str | Path) else f"a single {type(pictures).__name__}"
        raise ValueError(
            f"pictures must be a list of pictures, not {given}; type [picture] for one, or "
            "sorted(Path(folder).glob('*.png')) for those in a folder"
        )
    columns = ["picture", "line", "digit", "confidence", "sure", "clear", "left", "top", "right", "bottom"]
    lines = []
    for number, picture in enumerate(pictures):
        name = str(picture) if isinstance(picture, str | Path) else number
        predictions = predict_one(model, picture, row)
        for found, box in zip(predictions, full_size_boxes(picture, predictions), strict=True):
            lines.append([name, found.line, found.digit, found.confidence, found.sure, found.clear, *box])
    return pd.DataFrame(lines, columns=columns)


def _is_one_picture(array: object) -> bool:
    """Return True for an array of one picture, grey or in colour; a column of paths or pictures is none."""
    dtype = getattr(array, "dtype", None)
    if dtype is None or dtype.kind not in "biuf":
        return False
    shape = getattr(array, "shape", ())
    return len(shape) < 3 or (len(shape) == 3 and shape[2] in (3, 4))


def predict_one(model: ModelLike, picture: ImageLike, row: bool) -> list[Prediction]:
    """Return the digits in a picture: all of them with `row`, else one."""
    try:
        return read_digits(model, picture) if row else [predict_digit(model, picture)]
    except TooManyMarksError as error:
        raise ValueError(f"{picture}: {error}" if isinstance(picture, str | Path) else str(error)) from None


def find_digits(model: ModelLike, picture: ImageLike, row: bool) -> list[Prediction]:
    """Return the digits in a picture, as `predict_one` does, but none for a blank picture."""
    return [prediction for prediction in predict_one(model, picture, row) if prediction.pixels.any()]


def full_size_boxes(picture: ImageLike, predictions: Sequence[Prediction]) -> list[Box]:
    """Return the boxes of the digits in pixels of the upright picture in its full size.

    Args:
        picture: What was read.
        predictions: The digits in it. Their own boxes refer to what `open_picture` returns, which is smaller if a side
            has more than 2,000 pixels.

    Returns:
        Left, top, right and bottom of each digit.
    """
    scale = measure_reduction(picture)
    left, top, right, bottom = ([round(found.box[side] * scale) for found in predictions] for side in range(4))
    return list(zip(left, top, right, bottom, strict=True))


def summarize(predictions: Sequence[Prediction]) -> tuple[str, float, bool]:
    """Return the digits as text, the lowest confidence (0 without digits), and whether all are sure."""
    digits = "".join(str(prediction.digit) for prediction in predictions)
    confidence = min((prediction.confidence for prediction in predictions), default=0.0)
    return digits, confidence, bool(predictions) and all(prediction.sure for prediction in predictions)


def score_folder(model: ModelLike, folder: str | Path, *, row: bool = False) -> pd.DataFrame:
    """Compare the predictions for the pictures in a folder with their labels.

    Args:
        model: A Keras model from (n, 28, 28) pixels to (n, 10) probabilities, or a Network.
        folder: Holds the pictures and "labels.csv" with the columns "file" and "label". A label is a digit, or with
            `row` all digits from left to right; "/" and other characters that are no digits are ignored.
        row: True if each picture shows rows of digits.

    Returns:
        A DataFrame with one line per picture and the columns "picture" (its path), "label" and "predicted" (both
        text), "confidence" (the lowest one; 0 if no digit was found), "sure", and "errors": how many digits
        must be changed, added or removed to get the label.

    Raises:
        FileNotFoundError: The folder holds no labels.csv, or not all pictures that this lists.
        ValueError: labels.csv has other columns, or a label without digits.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from PIL import Image
        >>> from mnist_nn import load_mnist, load_network
        >>> with TemporaryDirectory() as folder:
        ...     Image.fromarray(load_mnist().test.images[0]).save(Path(folder, "a.png"))
        ...     _ = Path(folder, "labels.csv").write_text("file,label\\na.png,7\\n")
        ...     score_folder(load_network(), folder)["predicted"].tolist()
        ['7']
    """
    import pandas as pd

    return pd.DataFrame([score_picture(model, path, label, row) for path, label in read_labels(Path(folder), row)])


def score_picture(model: ModelLike, path: Path, label: str, row: bool) -> dict[str, Any]:
    """Return one line of `score_folder`: the prediction for a picture beside its label."""
    predicted, confidence, sure = summarize(find_digits(model, path, row))
    line = {"picture": str(path), "label": label, "predicted": predicted, "confidence": confidence, "sure": sure}
    return line | {"errors": edit_distance(label, predicted)}


def read_labels(folder: Path, row: bool) -> list[tuple[Path, str]]:
    """Return the path and the digits of each picture that a folder's labels.csv lists.

    Args:
        folder: Holds the pictures and labels.csv.
        row: True if a label may have several digits.

    Returns:
        One pair per picture; the label is text of digits only.

    Raises:
        FileNotFoundError: The folder holds no labels.csv, or not all pictures that this lists.
        ValueError: labels.csv has other columns, or a label without digits.
    """
    path = folder / LABELS
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; write one line per picture in it, beginning with 'file,label'")
    columns, lines = _read_table(path)
    if not {"file", "label"} <= set(columns):
        raise ValueError(f"{path}: its columns are {', '.join(columns)}; the first line must be 'file,label'")
    pairs = [(folder / (line["file"] or ""), line["label"] or "") for line in lines]
    if not pairs:
        raise ValueError(f"{path}: lists no pictures; write a line such as '5.jpg,5' for each")
    labels = []
    for picture, text in pairs:
        label = "".join(character for character in text if character in DIGITS) if row else text.strip()
        if not label or (not row and label not in tuple(DIGITS)):
            expected = "digits" if row else "one digit; for pictures of several digits use --row"
            raise ValueError(f"{path}: the label of {picture.name} is {text!r}, but must be {expected}")
        if not picture.is_file():
            raise FileNotFoundError(f"{picture}: no such file, but {path} lists it")
        labels.append((picture, label))
    return labels


def _read_table(path: Path) -> tuple[Sequence[str], list[dict[str, str | None]]]:
    """Return the columns and the lines of a CSV file."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            return reader.fieldnames or [], list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: cannot be read as a table ({error}); save it as CSV in UTF-8") from error


def edit_distance(truth: str, predicted: str) -> int:
    """Return how many characters must be changed, added or removed to make one text the other (Levenshtein)."""
    distances = list(range(len(predicted) + 1))
    for i, character in enumerate(truth, 1):
        previous, distances = distances, [i]
        for j, other in enumerate(predicted, 1):
            change = previous[j - 1] + (character != other)
            distances.append(min(previous[j] + 1, distances[-1] + 1, change))
    return distances[-1]
