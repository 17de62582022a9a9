"""What the commands of the command line do."""

import argparse
import json
import warnings
from itertools import groupby
from pathlib import Path
from typing import Any

from ._internal.files import CHECKPOINT, atomic_write, make_folder
from ._internal.interruption import exit_at_once
from .data import load_mnist

WEIGHTS, RESULTS = "model.weights.h5", "results.json"
PICTURES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}


def train_command(options: argparse.Namespace) -> None:
    """Train, then write weights, history, results and figures into the run folder.

    The checkpoint stays until everything else is written, so that the same command continues after a kill.
    """
    checkpoint = make_folder(options.run) / CHECKPOINT  # fail before training, not after it
    if (options.run / RESULTS).exists() and not checkpoint.exists() and not options.overwrite:
        raise ValueError(f"{options.run} holds a finished run; choose another folder with --run, or add --overwrite")
    print("loading TensorFlow ...", flush=True)
    with exit_at_once():
        from . import InterruptedTraining, build_model, evaluate, save_weights, train
        from ._internal.checkpoint import parse

        mnist = load_mnist(options.data)
        model = build_model(seed=options.seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InterruptedTraining)
        history = train(
            model,
            mnist.train,
            mnist.validation,
            seed=options.seed,
            verbose=2,
            checkpoint=options.run,
            **_training_settings(options, model, len(mnist.train)),
        )
    if len(history.epoch) < (history.params or {})["epochs"]:
        raise KeyboardInterrupt(f" after {len(history.epoch)} epochs; run the same command again to continue")
    seconds = parse(checkpoint.read_bytes())["seconds"]
    save_weights(model, options.run / WEIGHTS)
    result = evaluate(model, mnist.test)
    results = {
        "seed": options.seed,
        "epochs": len(history.epoch),
        "training_seconds": round(seconds, 1),
        "validation_accuracy": round(history.history["val_accuracy"][-1], 6),  # a float32
        "test_images": len(result.labels),
        "test_correct": result.correct,
        "test_accuracy": result.accuracy,
        "test_interval_95": result.interval,
        "test_loss": result.loss,
    }
    _write_json(options.run / "history.json", history.history)
    _save_figures(options.run / "figures", mnist.test, history, result)
    _write_json(options.run / RESULTS, results)
    checkpoint.unlink(missing_ok=True)  # another process may run the same training
    print(f"trained for {seconds:.1f} s; weights, history, results and figures are in {options.run}")
    print(f"test: {result}")


def _training_settings(options: argparse.Namespace, model: Any, images: int) -> dict[str, Any]:
    """Return the arguments of `train` that the command line sets."""
    from .training import muon, warmup_cosine

    settings: dict[str, Any] = {"epochs": options.epochs, "batch_size": options.batch_size}
    if options.no_augmentation:
        settings["augmentation"] = None
    if options.no_non_digits:
        settings["non_digits"] = None
    if options.learning_rate is not None:
        if not 0 < options.learning_rate < 10:
            raise ValueError(f"--learning-rate must be between 0 and 10, not {options.learning_rate:g}")
        steps = max(1, options.epochs) * (images // max(1, min(options.batch_size, images)))
        settings["optimizer"] = muon(model, warmup_cosine(options.learning_rate, steps))
    return settings


def evaluate_command(options: argparse.Namespace) -> None:
    """Print the per-class table, accuracy, interval and loss on the test images."""
    with exit_at_once():
        from . import evaluate

        result = evaluate(_load_network(options.weights), load_mnist(options.data).test)
        print(result.per_class.to_string(float_format="{:.4f}".format))
        print(f"test: {result}")


def predict_command(options: argparse.Namespace) -> None:
    """Print one line per picture or row of digits; continue after one that cannot be read, and fail at the end."""
    with exit_at_once():
        from . import predict_digit, read_digits

        model = _load_network(options.weights)
    errors = []
    for path in _find_pictures(options.images):
        try:
            found = read_digits(model, path) if options.row else [predict_digit(model, path)]
            for line in _as_json(path, found) if options.json else _as_text(model, path, found, options.row):
                print(line, flush=True)
        except (ValueError, OSError) as error:
            errors.append(str(error))
    if errors:
        raise ValueError("\nmnist_nn: ".join(errors))


def score_command(options: argparse.Namespace) -> None:
    """Print how many pictures are read correctly and which are not, and draw these."""
    with exit_at_once():
        from .evaluation import wilson_interval
        from .pictures.table import score_folder

        table = score_folder(_load_network(options.weights), options.folder, row=options.row)
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
        _save_sheet(wrong, options.sheet)
        print(f"the misread pictures are in {options.sheet}")


def _load_network(path: Path) -> Any:
    from . import load_network

    return load_network(path / WEIGHTS if path.is_dir() else path)


def _find_pictures(paths: list[Path]) -> list[Path]:
    """Return the paths, with the pictures that it contains in the place of each folder."""
    found = []
    for path in paths:
        inside = sorted(file for file in path.iterdir() if file.suffix.lower() in PICTURES) if path.is_dir() else [path]
        if not inside:
            raise ValueError(f"{path}: no pictures in this folder ({', '.join(sorted(PICTURES))})")
        found += inside
    return found


def _as_text(model: Any, path: Path, predictions: list, row: bool) -> list[str]:
    """Return "5.png: 5 (99.8 %)", or a line for each row of digits."""
    from .pictures.rows import count_digits

    if row:
        lines = [list(line) for _, line in groupby(predictions, key=lambda prediction: prediction.line)]
        return [f"{path}: {_describe(line)}" for line in lines] or [f"{path}: no digits"]
    count = count_digits(model, path, predictions[0])
    return [f"{path}: {_describe(predictions)}" + (f"; {count} digits found: try --row" if count > 1 else "")]


def _describe(predictions: list) -> str:
    """Return "5 (99.8 %)", or "604 (97.1 %)" with the lowest confidence of a row; "not sure: " precedes it if so."""
    digits = "".join(str(prediction.digit) for prediction in predictions)
    doubt = "" if all(prediction.sure for prediction in predictions) else "not sure: "
    return f"{doubt}{digits} ({100 * min(prediction.confidence for prediction in predictions):.1f} %)"


def _as_json(path: Path, predictions: list) -> list[str]:
    """Return one object: the digits of the picture, the lowest confidence, and every digit with its box."""
    lines = groupby(predictions, key=lambda prediction: prediction.line)
    digits = [
        {name: getattr(prediction, name) for name in ("digit", "confidence", "sure", "clear", "line", "box")}
        for prediction in predictions
    ]
    boxes = list(zip(*(prediction.box for prediction in predictions), strict=True))
    content = {
        "picture": str(path),
        "digits": "/".join("".join(str(prediction.digit) for prediction in line) for _, line in lines),
        "confidence": min((prediction.confidence for prediction in predictions), default=None),
        "sure": bool(predictions) and all(prediction.sure for prediction in predictions),
        "box": [*map(min, boxes[:2]), *map(max, boxes[2:])] if boxes else None,
        "parts": digits,
    }
    return [json.dumps(content)]


def _write_json(path: Path, content: dict) -> None:
    with atomic_write(path) as written:
        written.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _save_figures(folder: Path, test: Any, history: Any, result: Any) -> None:
    plt = _prepare_figures()
    from . import plot_confusion, plot_history, plot_mistakes

    with plt.style.context("mnist_nn.style"):
        figures = {
            "history.png": plot_history(history),
            "confusion.png": plot_confusion(result.confusion).get_figure(),
            "mistakes.png": plot_mistakes(test, result),
        }
        for name, figure in figures.items():
            with atomic_write(folder / name) as written:
                figure.savefig(written)
            plt.close(figure)


def _save_sheet(wrong: Any, path: Path) -> None:
    if path.suffix.lower() not in PICTURES:
        raise ValueError(f"--sheet must name a picture such as misread.png, not {path}")
    plt = _prepare_figures()
    from .plots.pictures import plot_misread

    with plt.style.context("mnist_nn.style"), atomic_write(path) as written:
        figure = plot_misread(wrong)
        figure.savefig(written)
        plt.close(figure)


def _prepare_figures() -> Any:
    """Return matplotlib.pyplot, which will write files and open no window."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot
