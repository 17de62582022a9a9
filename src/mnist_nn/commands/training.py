"""The commands train and evaluate."""

import argparse
import json
import warnings
from pathlib import Path
from typing import Any

from .._internal.files import CHECKPOINT, atomic_write, make_folder
from .._internal.interruption import exit_at_once
from ..data import load_mnist
from ..model import check_seed
from ._common import WEIGHTS, load_chosen_network, save_figures

RESULTS = "results.json"


def train_command(options: argparse.Namespace) -> None:
    """Train, then write weights, history, results and figures into the run folder.

    The checkpoint stays until everything else is written, so that the same command continues after a kill.

    Args:
        options: seed, epochs, batch_size, learning_rate, no_augmentation, no_non_digits, data, run and overwrite.

    Raises:
        ValueError: A setting or the data is invalid, or the folder holds a finished run.
        OSError: The folder or a file cannot be written.
        KeyboardInterrupt: Training was interrupted.
    """
    _check_options(options)
    checkpoint = options.run / CHECKPOINT
    if (options.run / RESULTS).exists() and not checkpoint.exists() and not options.overwrite:
        raise ValueError(f"{options.run} holds a finished run; choose another folder with --run, or add --overwrite")
    print("loading TensorFlow ...", flush=True)
    with exit_at_once():
        mnist = load_mnist(options.data)
    make_folder(options.run)  # fail before training, not after it
    if options.overwrite:
        checkpoint.unlink(missing_ok=True)
    with exit_at_once():
        from .. import InterruptedTraining, build_model, evaluate, save_weights, train
        from .._internal.checkpoint import parse

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
        same = "the same command again, without --overwrite," if options.overwrite else "the same command again"
        raise KeyboardInterrupt(f" after {len(history.epoch)} epochs; run {same} to continue")
    with exit_at_once():
        from .. import plot_confusion, plot_history, plot_mistakes
        from ..training import LEARNING_RATE

    seconds = parse(checkpoint.read_bytes())["seconds"]
    save_weights(model, options.run / WEIGHTS)
    result = evaluate(model, mnist.test)
    results = {
        "seed": options.seed,
        "epochs": len(history.epoch),
        "batch_size": options.batch_size,
        "learning_rate": options.learning_rate or LEARNING_RATE,
        "augmentation": not options.no_augmentation,
        "non_digits": not options.no_non_digits,
        "training_seconds": round(seconds, 1),
        "validation_accuracy": round(history.history["val_accuracy"][-1], 6),  # a float32
        "test_images": len(result.labels),
        "test_correct": result.correct,
        "test_accuracy": result.accuracy,
        "test_interval_95": result.interval,
        "test_loss": result.loss,
    }
    _write_json(options.run / "history.json", history.history)
    figures = options.run / "figures"
    save_figures(
        {
            figures / "history.png": lambda: plot_history(history),
            figures / "confusion.png": lambda: plot_confusion(result).figure,
            figures / "mistakes.png": lambda: plot_mistakes(mnist.test, result),
        }
    )
    _write_json(options.run / RESULTS, results)
    checkpoint.unlink(missing_ok=True)  # another process may run the same training
    print(f"trained for {seconds:.1f} s; weights, history, results and figures are in {options.run}")
    print(f"test: {result}")


def _check_options(options: argparse.Namespace) -> None:
    """Refuse impossible settings before a folder is made and TensorFlow is loaded."""
    check_seed(options.seed)
    for name, value in {"--epochs": options.epochs, "--batch-size": options.batch_size}.items():
        if value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}")
    if options.learning_rate is not None and not 0 < options.learning_rate < 10:
        raise ValueError(f"--learning-rate must be between 0 and 10, not {options.learning_rate:g}")


def _training_settings(options: argparse.Namespace, model: Any, images: int) -> dict[str, Any]:
    """Return the arguments of `train` that the command line sets."""
    from ..batches import steps_per_epoch
    from ..training import muon, warmup_cosine

    settings: dict[str, Any] = {"epochs": options.epochs, "batch_size": options.batch_size}
    if options.no_augmentation:
        settings["augmentation"] = None
    if options.no_non_digits:
        settings["non_digits"] = None
    if options.learning_rate is not None:
        steps = options.epochs * steps_per_epoch(images, options.batch_size)
        settings["optimizer"] = muon(model, warmup_cosine(options.learning_rate, steps))
    return settings


def _write_json(path: Path, content: dict) -> None:
    with atomic_write(path) as written:
        written.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def evaluate_command(options: argparse.Namespace) -> None:
    """Print the per-class table, accuracy, interval and loss on the test images.

    Args:
        options: weights and data.

    Raises:
        ValueError: The weights or the data are invalid.
        OSError: A file cannot be read.
    """
    with exit_at_once():
        from .. import evaluate

        result = evaluate(load_chosen_network(options.weights), load_mnist(options.data).test)
        print(result.per_class.to_string(float_format="{:.4f}".format))
        print(f"test: {result}")
