"""The command line: python -m mnist_nn train | evaluate | predict."""

import argparse
import json
import sys
import time
import warnings
from pathlib import Path

from .data import load_mnist
from ._internal.files import make_folder, replacing
from .network import PRETRAINED

WEIGHTS = "model.weights.h5"


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 2 for wrong input (one sentence on stderr), 130 when interrupted."""
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
    commands = top.add_subparsers(required=True, metavar="train | evaluate | predict")
    data = argparse.ArgumentParser(add_help=False)
    data.add_argument(
        "--data",
        metavar="SOURCE",
        help="a Keras-layout .npz, a folder of IDX files, or 'keras' (default: bundled MNIST)",
    )

    new = commands.add_parser("train", parents=[data], help="train, evaluate and save")
    new.set_defaults(command=train_command)
    new.add_argument("--seed", type=int, default=0, help="of the weights, the order and the warps (default: 0)")
    new.add_argument("--epochs", type=int, help="passes over the training images (default: train()'s own)")
    new.add_argument("--run", type=Path, default=Path("run"), metavar="FOLDER", help="where results go (default: run)")

    old = commands.add_parser("evaluate", parents=[data], help="score saved weights on the test images")
    old.set_defaults(command=evaluate_command)
    guess = commands.add_parser("predict", help="read the digit in each picture")
    guess.set_defaults(command=predict_command)
    guess.add_argument("images", nargs="+", metavar="IMAGE", help="a picture file of one digit")
    guess.add_argument("--row", action="store_true", help="the pictures hold rows of digits")
    for command in (old, guess):
        command.add_argument(
            "--weights",
            type=Path,
            default=PRETRAINED,
            metavar="FILE",
            help="a .weights.h5 file (default: those that ship)",
        )
    return top


def train_command(options) -> None:
    """Train, then write weights, history, figures and results into the run folder.

    A checkpoint is there as long as the rest is not, so the same command goes on where it was killed.
    """
    from . import InterruptedTraining, build_model, evaluate, save_weights, train
    from ._internal.checkpoint import FILE

    make_folder(options.run)  # to fail before training rather than after it
    mnist = load_mnist(options.data)
    model = build_model(seed=options.seed)
    settings = {} if options.epochs is None else {"epochs": options.epochs}
    resumed = (options.run / FILE).exists()
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InterruptedTraining)
        history = train(
            model, mnist.train, mnist.validation, seed=options.seed, verbose=2, checkpoint=options.run, **settings
        )
    seconds = time.perf_counter() - start
    if len(history.epoch) < history.params["epochs"]:
        raise KeyboardInterrupt(f" after {len(history.epoch)} epochs; the same command goes on from there")
    save_weights(model, options.run / WEIGHTS)
    result = evaluate(model, mnist.test)
    _write_json(options.run / "history.json", history.history)
    _write_json(
        options.run / "results.json",
        {
            "seed": options.seed,
            "epochs": len(history.epoch),
            "training_seconds": None if resumed else round(seconds, 1),
            "validation_accuracy": round(history.history["val_accuracy"][-1], 6),  # a float32
            "test_images": len(result.labels),
            "test_correct": result.correct,
            "test_accuracy": result.accuracy,
            "test_interval_95": result.interval,
            "test_loss": result.loss,
        },
    )
    _save_figures(options.run / "figures", mnist.test, history, result)
    (options.run / FILE).unlink(missing_ok=True)  # another process may train the same
    print(f"{seconds:.1f} s of training; weights, history, results and figures are in {options.run}")
    print(f"test: {result}")


def evaluate_command(options) -> None:
    """Print accuracy, interval, loss and the per-class table on the test images."""
    from . import evaluate, load_network

    result = evaluate(load_network(options.weights), load_mnist(options.data).test)
    print(result.per_class.to_string(float_format="{:.4f}".format))
    print(f"test: {result}")


def predict_command(options) -> None:
    """Print a line for each picture; go on after one that cannot be read, and fail at the end."""
    from . import load_network, predict_digit, read_digits

    model, failed = load_network(options.weights), []
    for image in options.images:
        try:
            found = read_digits(model, image) if options.row else [predict_digit(model, image)]
            print(f"{image}: {_said(found)}")
        except (ValueError, OSError) as error:
            failed.append(str(error))
    if failed:
        raise ValueError("\nmnist_nn: ".join(failed))


def _said(found: list) -> str:
    """Return "5 (99.8%)", or "604 (97.1%)" with the least confidence of a row; "not sure: " before it if so."""
    if not found:
        return "no digits"
    digits = "".join(str(prediction.digit) for prediction in found)
    doubt = "" if all(prediction.sure for prediction in found) else "not sure: "
    return f"{doubt}{digits} ({min(prediction.confidence for prediction in found):.1%})"


def _write_json(path: Path, content: dict) -> None:
    with replacing(path) as written:
        written.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _save_figures(folder: Path, test, history, result) -> None:
    import matplotlib

    matplotlib.use("Agg")  # files only, no window
    from matplotlib import pyplot as plt

    from .plots import plot_confusion, plot_history, plot_mistakes

    with plt.style.context("mnist_nn.style"):
        figures = {
            "history.png": plot_history(history),
            "confusion.png": plot_confusion(result.confusion).figure,
            "mistakes.png": plot_mistakes(test, result),
        }
        for name, figure in figures.items():
            with replacing(folder / name) as written:
                figure.savefig(written)
            plt.close(figure)


if __name__ == "__main__":
    sys.exit(main())
