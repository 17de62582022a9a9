"""Every figure. Functions take numbers and return the Axes or the Figure they drew; `plt.style.use("mnist_nn.style")`
gives them the project's look.
"""

from .evaluation import plot_reliability, plot_risk_coverage, plot_robustness
from .attribution import plot_changes, plot_maps, plot_units
from .training import plot_class_balance, plot_confusion, plot_history, plot_seeds, plot_tradeoff
from .pictures import plot_digits, plot_map, plot_mistakes, plot_prediction, plot_probabilities, plot_row

__all__ = [
    "plot_changes",
    "plot_class_balance",
    "plot_confusion",
    "plot_digits",
    "plot_history",
    "plot_map",
    "plot_maps",
    "plot_mistakes",
    "plot_prediction",
    "plot_probabilities",
    "plot_reliability",
    "plot_risk_coverage",
    "plot_robustness",
    "plot_row",
    "plot_seeds",
    "plot_tradeoff",
    "plot_units",
]
