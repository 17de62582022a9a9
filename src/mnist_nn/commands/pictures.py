"""The commands predict and score."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from .._internal.interruption import exit_at_once
from ._common import load_chosen_network, save_figures

SHEETS = {".jpeg", ".jpg", ".pdf", ".png", ".svg", ".tif", ".tiff", ".webp"}
PICTURES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}


def predict_command(options: argparse.Namespace) -> None:
    """Print one line per picture or row of digits; continue after one that cannot be read, and fail at the end.

    Args:
        options: images, row, json and weights.

    Raises:
        ValueError: The weights are invalid, or some pictures cannot be read; one line for each.
        OSError: The weights cannot be read.
    """
    with exit_at_once():
        from ..pictures.table import find_digits

        model = load_chosen_network(options.weights)
    pictures, errors = _find_pictures(options.images)
    for path in pictures:
        try:
            found = find_digits(model, path, options.row)
            lines = _as_json(path, found) if options.json else _as_text(model, path, found, options.row)
        except (ValueError, OSError) as error:
            errors.append(str(error))
        else:
            print(*lines, sep="\n", flush=True)
    _raise_all(errors)


def score_command(options: argparse.Namespace) -> None:
    """Print how many pictures are read correctly and which are not, and draw these.

    A picture that cannot be opened is left out, and named at the end.

    Args:
        options: folder, row, sheet and weights.

    Raises:
        ValueError: The name of the sheet, the labels or the weights are invalid, or some pictures cannot be opened.
        OSError: A file cannot be read or written.
    """
    if options.sheet.suffix.lower() not in SHEETS:
        raise ValueError(f"--sheet must name a picture such as misread.png, not {options.sheet}")
    with exit_at_once():
        import pandas as pd

        from ..pictures.table import read_labels, score_picture

        model, labels = load_chosen_network(options.weights), read_labels(options.folder, options.row)
    if options.sheet.resolve() in [path.resolve() for path, _ in labels]:
        raise ValueError(f"--sheet {options.sheet} is one of the pictures; choose another name")
    lines, errors = [], []
    for path, label in _show_progress(labels):
        try:
            lines.append(score_picture(model, path, label, options.row))
        except (ValueError, OSError) as error:
            errors.append(str(error))
    if lines:
        _print_score(pd.DataFrame(lines), options)
    _raise_all(errors)


def _raise_all(errors: list[str]) -> None:
    """Raise a ValueError with one line for each error, if there are any."""
    if errors:
        raise ValueError("\nmnist_nn: ".join(errors))


def _show_progress(pictures: Sequence[Any]) -> Iterator[Any]:
    """Yield the pictures, and show on a terminal how many have been read."""
    shown = sys.stderr.isatty()
    for number, picture in enumerate(pictures):
        if shown:
            print(f"\r{number:,} of {len(pictures):,} pictures read", end="", file=sys.stderr, flush=True)
        yield picture
    if shown:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)  # clears the line


def _print_score(table: Any, options: argparse.Namespace) -> None:
    from ..evaluation import wilson_interval

    wrong = table.query("errors > 0")
    correct, sure = len(table) - len(wrong), sum(table["sure"])
    low, high = wilson_interval(correct, len(table))
    print(
        f"{correct:,} of {len(table):,} pictures correct: {100 * correct / len(table):.1f} % "
        f"(95 % interval {100 * low:.1f} to {100 * high:.1f} %)"
    )
    print(f"{sure:,} sure, {sum(wrong['sure'])} of these wrong")
    if options.row:
        digits = sum(map(len, table["label"]))
        right = digits - sum(table["errors"])
        print(f"{right:,} of {digits:,} digits correct: {100 * right / digits:.1f} %")
    if not wrong.empty:
        print(wrong.drop(columns="errors").to_string(index=False, float_format="{:.3f}".format))
        from ..plots.pictures import MAX_MISREAD, plot_misread

        save_figures({options.sheet: lambda: plot_misread(wrong)})
        shown = "the" if len(wrong) <= MAX_MISREAD else f"the first {MAX_MISREAD} of the {len(wrong):,}"
        print(f"{shown} misread pictures are in {options.sheet}")


def _find_pictures(paths: list[Path]) -> tuple[list[Path], list[str]]:
    """Replace each folder by the pictures in it; return the paths, and an error for each folder without any."""
    found, errors = [], []
    for path in paths:
        inside = [path]
        try:
            if path.is_dir():
                inside = sorted(file for file in path.iterdir() if file.suffix.lower() in PICTURES and file.is_file())
        except OSError as error:  # the other pictures can still be read
            errors.append(f"{path}: cannot be opened ({error.strerror}); give another picture or folder")
            continue
        if not inside:
            errors.append(f"{path}: no pictures in this folder ({', '.join(sorted(PICTURES))})")
        found += inside
    return found, errors


def _as_text(model: Any, path: Path, predictions: list, row: bool) -> list[str]:
    """Return "5.png: 5 (99.8 %)", or a line for each row of digits."""
    from ..pictures.rows import count_digits

    if row:
        lines = [list(line) for _, line in groupby(predictions, key=lambda prediction: prediction.line)]
        return [f"{path}: {_describe(line)}" for line in lines] or [f"{path}: no digits"]
    if not predictions:
        return [f"{path}: no digit"]
    count = count_digits(model, path, predictions[0])
    return [f"{path}: {_describe(predictions)}" + (f"; {count} digits found: try --row" if count > 1 else "")]


def _describe(predictions: list) -> str:
    """Return "5 (99.8 %)", or "604 (97.1 %)" with the lowest confidence of a row; "not sure: " precedes it if so."""
    from ..pictures.table import summarize

    digits, confidence, sure = summarize(predictions)
    return f"{'' if sure else 'not sure: '}{digits} ({100 * confidence:.1f} %)"


def _as_json(path: Path, predictions: list) -> list[str]:
    """Return one object: the digits of the picture, the lowest confidence, and every digit with its box.

    The boxes are in pixels of the upright picture in its full size.
    """
    from ..pictures.table import full_size_boxes, summarize

    _, confidence, sure = summarize(predictions)
    lines = groupby(predictions, key=lambda prediction: prediction.line)
    boxes = full_size_boxes(path, predictions)
    sides = list(zip(*boxes, strict=True))
    names = ("digit", "confidence", "sure", "clear", "line")
    parts = [{name: getattr(prediction, name) for name in names} for prediction in predictions]
    content = {
        "picture": str(path),
        "digits": "/".join(summarize(list(line))[0] for _, line in lines),
        "confidence": confidence if predictions else None,
        "sure": sure,
        "box": [*map(min, sides[:2]), *map(max, sides[2:])] if boxes else None,
        "parts": [part | {"box": box} for part, box in zip(parts, boxes, strict=True)],
    }
    return [json.dumps(content)]
