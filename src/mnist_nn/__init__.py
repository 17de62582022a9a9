"""Read handwritten digits with the textbook 784-128-64-10 network, trained and measured well.

    from mnist_nn import build_model, evaluate, load_mnist, predict_digit, train

Names are loaded when first used: `import mnist_nn` alone loads neither TensorFlow nor matplotlib.
"""

from importlib import import_module

_MODULES = {
    "_internal.formats": ["DataError"],
    "data": ["Mnist", "Split", "load_mnist"],
    "augmentation": ["Augmentation"],
    "network": ["Network", "load_network", "predict_probabilities"],
    "model": ["build_model", "load_pretrained", "load_weights", "save_weights"],
    "training": ["InterruptedTraining", "train"],
    "analysis.calibration": ["apply_temperature", "calibration_error", "fit_temperature", "reliability"],
    "evaluation": ["Evaluation", "evaluate"],
    "analysis.significance": ["McNemar", "Seeds", "mcnemar", "over_seeds"],
    "analysis.selective": ["Selection", "confidence_threshold", "risk_coverage", "select_confident"],
    "analysis.robustness": ["DISTORTIONS", "Distortion", "measure_robustness"],
    "analysis.attribution": ["activations", "fewest_pixels", "gradients", "occlusion", "smallest_change"],
    "pictures.loading": ["open_picture"],
    "pictures.digit": ["Prediction", "predict_digit", "prepare_image"],
    "pictures.rows": ["read_digits"],
    "pictures.drawing_pad": ["DrawingPad"],
    "plots": [
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
    ],
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name: str):
    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
