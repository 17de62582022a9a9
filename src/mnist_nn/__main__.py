"""The command line: `python -m mnist_nn` or `mnist-nn`, with the commands train, evaluate, predict and score."""

import argparse
import io
import os
import sys
from pathlib import Path

from ._internal.interruption import exit_at_once


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: The words after the program's name; None takes them from the command line.

    Returns:
        The exit code: 0 for success, 2 for invalid input (with one sentence on stderr), 130 after Ctrl-C, 141 if the
        output is no longer read.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names of files that the terminal cannot show
    try:
        with exit_at_once():
            options = parser().parse_args(arguments)
        options.command(options)
        sys.stdout.flush()  # raises here, not when Python ends, if the disk is full or the pipe closed
    except BrokenPipeError:  # the reader of the output, such as `head`, has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains when it ends
        return 141
    except (ValueError, OSError) as error:
        print(f"mnist_nn: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as interruption:
        print(f"mnist_nn: interrupted{interruption}", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the four commands."""
    from . import __version__
    from .commands import pictures, training
    from .model import PRETRAINED

    top = argparse.ArgumentParser("mnist-nn", description="Train, evaluate and use the 784-128-64-10 network on MNIST.")
    top.add_argument("--version", action="version", version=f"mnist_nn {__version__}")
    words = top.add_subparsers(required=True, metavar="train | evaluate | predict | score")
    data = argparse.ArgumentParser(add_help=False)
    data.add_argument(
        "--data",
        metavar="SOURCE",
        help="a .npz file in Keras' layout, a folder of IDX files, or 'keras' (default: the bundled MNIST)",
    )
    weights = argparse.ArgumentParser(add_help=False)
    weights.add_argument(
        "--weights",
        type=_path,
        default=PRETRAINED,
        metavar="PATH",
        help="a .weights.h5 file, or the folder of a run (default: the pretrained weights)",
    )
    train = words.add_parser("train", parents=[data], help="train, evaluate and save")
    train.set_defaults(command=training.train_command)
    _add_train_settings(train)
    evaluate = words.add_parser("evaluate", parents=[data, weights], help="evaluate weights on the test images")
    evaluate.set_defaults(command=training.evaluate_command)
    predict = words.add_parser("predict", parents=[weights], help="predict the digit in each picture")
    predict.set_defaults(command=pictures.predict_command)
    predict.add_argument("images", nargs="+", type=_path, metavar="IMAGE", help="a picture, or a folder of pictures")
    predict.add_argument("--row", action="store_true", help="the pictures show rows of digits")
    predict.add_argument("--json", action="store_true", help="print one JSON object per picture")
    score = words.add_parser("score", parents=[weights], help="measure the accuracy on your own pictures")
    score.set_defaults(command=pictures.score_command)
    score.add_argument("folder", type=_path, metavar="FOLDER", help="pictures, and labels.csv with 'file,label'")
    score.add_argument("--row", action="store_true", help="the pictures show rows of digits")
    score.add_argument(
        "--sheet",
        type=_path,
        default=Path("misread.png"),
        metavar="FILE",
        help="file for a figure of the misread pictures (default: misread.png)",
    )
    return top


def _path(text: str) -> Path:
    """Return a path; refuse an empty one, which an unset shell variable gives: it would mean the current folder."""
    if not text:
        raise argparse.ArgumentTypeError("the path is empty; to use the current folder, type .")
    return Path(text)


def _add_train_settings(command: argparse.ArgumentParser) -> None:
    command.add_argument("--seed", type=int, default=0, help="of weights, image order and distortions (default: 0)")
    command.add_argument("--epochs", type=int, default=17, help="passes over the training images (default: 17)")
    command.add_argument("--batch-size", type=int, default=2048, help="images per step (default: 2048)")
    command.add_argument("--learning-rate", type=float, help="highest learning rate (default: 0.04)")
    command.add_argument("--no-augmentation", action="store_true", help="do not distort the training images")
    command.add_argument("--no-non-digits", action="store_true", help="train without images that are not digits")
    command.add_argument(
        "--run", type=_path, default=Path("run"), metavar="FOLDER", help="folder for the results (default: run)"
    )
    command.add_argument("--overwrite", action="store_true", help="replace a finished or interrupted run")


if __name__ == "__main__":
    sys.exit(main())
