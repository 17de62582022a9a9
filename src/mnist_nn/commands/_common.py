"""What several commands share."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .._internal.files import atomic_write
from .._internal.interruption import exit_at_once
from ..model import Network, load_network

WEIGHTS = "model.weights.h5"


def load_chosen_network(path: Path) -> Network:
    """Return the network in a weights file or in the folder of a run."""
    return load_network(path / WEIGHTS if path.is_dir() else path)


def save_figures(figures: Mapping[Path, Callable[[], Any]]) -> None:
    """Draw figures in the project's style and write them to files, without opening a window.

    Args:
        figures: The functions that draw and return them, by path.
    """
    with exit_at_once():
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot as plt

    with plt.style.context("mnist_nn.style"):
        for path, draw in figures.items():
            with exit_at_once():
                figure = draw()
            with atomic_write(path) as written:
                figure.savefig(written)
            plt.close(figure)
