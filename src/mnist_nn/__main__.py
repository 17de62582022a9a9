"""The command line: `python -m mnist_nn` or `mnist-nn`, with the commands train, evaluate and predict."""

import argparse
import json
import sys
import time
import warnings
from itertools import groupby
from pathlib import Path
from typing import Any

from . import __version__
from ._internal.files import atomic_write, make_folder
from .data import load_mnist
from .model import PRETRAINED

WEIGHTS = "model.weights.h5"


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: The words after the program's name; None takes them from the command line.

    Returns:
        The exit code: 0 for success, 2 for invalid input (with one sentence on stderr), 130 after Ctrl-C.
    """
    options = parser().parse_args(arguments)
    try:
        options.command(options)
    except (ValueError, OSError) as error:
        print(f"mnist_nn: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as interruption:
        print(f"mnist_nn: interrupted{interruption}", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the three commands."""
    top = argparse.ArgumentParser("mnist_nn", description="Train, evaluate and use the 784-128-64-10 network on MNIST.")
    top.add_argument("--version", action="version", version=f"mnist_nn {__version__}")
    commands = top.add_subparsers(required=True, metavar="train | evaluate | predict")
    data = argparse.ArgumentParser(add_help=False)
    data.add_argument(
        "--data",
        metavar="SOURCE",
        help="a .npz file in Keras' layout, a folder of IDX files, or 'keras' (default: the bundled MNIST)",
    )

    new = commands.add_parser("train", parents=[data], help="train, evaluate and save")
    new.set_defaults(command=train_command)
    new.add_argument("--seed", type=int, default=0, help="of weights, image order and distortions (default: 0)")
    new.add_argument("--epochs", type=int, help="passes over the training images (default: as in train())")
    new.add_argument(
        "--non-digits",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="also learn to be unsure about images that are not digits; turn it off for other data than digits",
    )
    new.add_argument("--run", type=Path, default=Path("run"), metavar="FOLDER", help="for the results (default: run)")

    saved = commands.add_parser("evaluate", parents=[data], help="evaluate saved weights on the test images")
    saved.set_defaults(command=evaluate_command)
    predict = commands.add_parser("predict", help="predict the digit in each picture")
    predict.set_defaults(command=predict_command)
    predict.add_argument("images", nargs="+", metavar="IMAGE", help="a picture file of one digit")
    predict.add_argument("--row", action="store_true", help="the pictures show rows of digits")
    for command in (saved, predict):
        command.add_argument(
            "--weights",
            type=Path,
            default=PRETRAINED,
            metavar="FILE",
            help="a .weights.h5 file (default: the pretrained weights)",
        )
    return top


def train_command(options: argparse.Namespace) -> None:
    """Train, then write weights, history, results and figures into the run folder.

    The checkpoint stays until everything else is written, so that the same command continues after a kill.
    """
    from . import InterruptedTraining, build_model, evaluate, save_weights, train
    from ._internal.checkpoint import FILE_NAME

    make_folder(options.run)  # fail before training, not after it
    mnist = load_mnist(options.data)
    model = build_model(seed=options.seed)
    settings: dict[str, Any] = {} if options.epochs is None else {"epochs": options.epochs}
    if not options.non_digits:
        settings["non_digits"] = None
    resumed = (options.run / FILE_NAME).exists()
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InterruptedTraining)
        history = train(
            model, mnist.train, mnist.validation, seed=options.seed, verbose=2, checkpoint=options.run, **settings
        )
    seconds = time.perf_counter() - start
    if len(history.epoch) < (history.params or {})["epochs"]:
        raise KeyboardInterrupt(f" after {len(history.epoch)} epochs; run the same command again to continue")
    save_weights(model, options.run / WEIGHTS)
    result = evaluate(model, mnist.test)
    results = {
        "seed": options.seed,
        "epochs": len(history.epoch),
        "training_seconds": None if resumed else round(seconds, 1),
        "validation_accuracy": round(history.history["val_accuracy"][-1], 6),  # a float32
        "test_images": len(result.labels),
        "test_correct": result.correct,
        "test_accuracy": result.accuracy,
        "test_interval_95": result.interval,
        "test_loss": result.loss,
    }
    _write_json(options.run / "history.json", history.history)
    _write_json(options.run / "results.json", results)
    _save_figures(options.run / "figures", mnist.test, history, result)
    (options.run / FILE_NAME).unlink(missing_ok=True)  # another process may run the same training
    print(f"trained for {seconds:.1f} s; weights, history, results and figures are in {options.run}")
    print(f"test: {result}")


def evaluate_command(options: argparse.Namespace) -> None:
    """Print the per-class table, accuracy, interval and loss on the test images."""
    from . import evaluate, load_network

    result = evaluate(load_network(options.weights), load_mnist(options.data).test)
    print(result.per_class.to_string(float_format="{:.4f}".format))
    print(f"test: {result}")


def predict_command(options: argparse.Namespace) -> None:
    """Print one line per picture or row of digits; continue after one that cannot be read, and fail at the end."""
    from . import load_network, predict_digit, read_digits
    from .pictures.rows import count_digits

    model, errors = load_network(options.weights), []
    for image in options.images:
        try:
            if options.row:
                lines = groupby(read_digits(model, image), key=lambda prediction: prediction.line)
                answers = [_describe(list(line)) for _, line in lines] or ["no digits"]
            else:
                prediction = predict_digit(model, image)
                count = count_digits(model, image, prediction)
                answers = [_describe([prediction]) + (f"; {count} digits found: try --row" if count > 1 else "")]
            for answer in answers:
                print(f"{image}: {answer}")
        except (ValueError, OSError) as error:
            errors.append(str(error))
    if errors:
        raise ValueError("\nmnist_nn: ".join(errors))


def _describe(predictions: list) -> str:
    """Return "5 (99.8%)", or "604 (97.1%)" with the lowest confidence of a row; "not sure: " precedes it if so."""
    digits = "".join(str(prediction.digit) for prediction in predictions)
    doubt = "" if all(prediction.sure for prediction in predictions) else "not sure: "
    return f"{doubt}{digits} ({min(prediction.confidence for prediction in predictions):.1%})"


def _write_json(path: Path, content: dict) -> None:
    with atomic_write(path) as written:
        written.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _save_figures(folder: Path, test, history, result) -> None:
    import matplotlib

    matplotlib.use("Agg")  # write files, open no window
    from matplotlib import pyplot as plt

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


if __name__ == "__main__":
    sys.exit(main())
