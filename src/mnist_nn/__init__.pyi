from .analysis.attribution import activations, deepfool, jsma, occlusion_sensitivity, saliency
from .analysis.calibration import apply_temperature, fit_temperature
from .analysis.robustness import measure_robustness
from .analysis.selective import confidence_threshold, risk_coverage, select_confident
from .analysis.significance import mcnemar, summarize_seeds
from .augmentation import Augmentation
from .data import DataError, Mnist, Split, load_mnist
from .evaluation import Evaluation, evaluate
from .model import (
    build_model,
    load_network,
    load_pretrained,
    load_weights,
    predict_probabilities,
    save_weights,
)
from .pictures.digit import Prediction, predict_digit, prepare_image
from .pictures.drawing_pad import DrawingPad
from .pictures.rows import read_digits
from .plots.attribution import plot_attributions, plot_changes, plot_units
from .plots.data import plot_class_balance, plot_digits, plot_embedding
from .plots.evaluation import plot_confusion, plot_mistakes, plot_reliability, plot_risk_coverage, plot_robustness
from .plots.pictures import plot_prediction, plot_row
from .plots.training import plot_history, plot_seeds, plot_tradeoff
from .training import InterruptedTraining, train

__version__: str

__all__ = [
    "Augmentation",
    "DataError",
    "DrawingPad",
    "Evaluation",
    "InterruptedTraining",
    "Mnist",
    "Prediction",
    "Split",
    "activations",
    "apply_temperature",
    "build_model",
    "confidence_threshold",
    "deepfool",
    "evaluate",
    "fit_temperature",
    "jsma",
    "load_mnist",
    "load_network",
    "load_pretrained",
    "load_weights",
    "mcnemar",
    "measure_robustness",
    "occlusion_sensitivity",
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
    "predict_digit",
    "predict_probabilities",
    "prepare_image",
    "read_digits",
    "risk_coverage",
    "saliency",
    "save_weights",
    "select_confident",
    "summarize_seeds",
    "train",
]
