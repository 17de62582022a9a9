"""All figures.

Functions take numbers and return the Axes or the Figure they drew. `plt.style.use("mnist_nn.style")` gives figures
the look of this project.
"""

from .attribution import plot_attributions, plot_changes, plot_units
from .data import plot_class_balance, plot_digits, plot_embedding
from .evaluation import plot_confusion, plot_mistakes, plot_reliability, plot_risk_coverage, plot_robustness
from .pictures import plot_prediction, plot_row
from .training import plot_history, plot_seeds, plot_tradeoff

__all__ = [
    "plot_attributions",
    "plot_changes",
    "plot_class_balance",
    "plot_confusion",
    "plot_digits",
    "plot_embedding",
    "plot_history",
    "plot_mistakes",
    "plot_prediction",
    "plot_reliability",
    "plot_risk_coverage",
    "plot_robustness",
    "plot_row",
    "plot_seeds",
    "plot_tradeoff",
    "plot_units",
]
