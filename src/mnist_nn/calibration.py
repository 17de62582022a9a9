"""Temperature scaling: adjust a model's confidence without changing its predictions.

C. Guo et al., "On calibration of modern neural networks", arXiv:1706.04599.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize_scalar

from .data import Split
from .evaluation import Evaluation
from .model import check_keras_model, predict_probabilities

if TYPE_CHECKING:
    from ._internal.tensorflow import keras

TEMPERATURES = (0.05, 20)


def fit_temperature(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the temperature at which the true digits are most likely.

    Dividing the logits by a temperature changes the confidence but not the predicted digit: above 1 the model becomes
    less confident, below 1 more confident. Use the validation split.

    Args:
        labels: Integers (n,), the true digits.
        probabilities: Floats (n, 10), the predicted probabilities.

    Returns:
        A temperature from 0.05 to 20.

    Raises:
        ValueError: The labels or the probabilities are invalid; see `Evaluation`.

    Example:
        >>> from mnist_nn import evaluate, fit_temperature, load_mnist, load_network
        >>> result = evaluate(load_network(), load_mnist().validation)
        >>> round(fit_temperature(result.labels, result.probabilities), 2)
        1.0
    """
    checked = Evaluation(labels, probabilities)
    # Equal to the logits up to a constant for each image.
    logits = np.log(np.maximum(checked.probabilities, np.finfo(np.float32).tiny), dtype=np.float64)
    differences = logits - logits[np.arange(len(logits)), checked.labels][:, None]

    def loss(log_temperature):
        return np.log(np.exp(differences / np.exp(log_temperature)).sum(axis=1)).mean()

    found: Any = minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded")
    return float(np.exp(found.x))


def apply_temperature(model: keras.Model, temperature: float) -> keras.Model:
    """Return a copy of a model whose logits are divided by a temperature.

    The weights of the last layer are divided, so the copy has the same architecture.

    Args:
        model: A Keras model that ends in a Dense layer with softmax.
        temperature: A number above 0, such as `fit_temperature` returns.

    Returns:
        A new Keras model; `model` is unchanged.

    Raises:
        ValueError: `temperature` is not above 0 and finite, or `model` ends in another layer.

    Example:
        >>> from mnist_nn import apply_temperature, load_pretrained
        >>> less_confident = apply_temperature(load_pretrained(), 1.1)
    """
    from ._internal.tensorflow import keras

    if not has_softmax_layer(check_keras_model(model)):
        name = model.layers[-1].name
        raise ValueError(f"model must end in a Dense layer with softmax, not in {name}; give one that does")
    if not 0 < temperature < np.inf:
        raise ValueError(f"temperature must be above 0 and finite, not {temperature!r}; fit_temperature finds one")
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    _divide_logits(copy, temperature)
    return copy


def fold_temperature(model: keras.Model, validation: Split) -> None:
    """Make a model that has learned from non-digits as confident as it is accurate, in place.

    Does nothing for a model that ends in another layer than Dense with softmax.

    Args:
        model: A Keras model.
        validation: The images and labels on which the temperature is fitted.
    """
    if has_softmax_layer(model):
        temperature = fit_temperature(validation.labels, predict_probabilities(model, validation.images))
        # Non-digits never make a model overconfident. The lower limit matters if all validation images are correct.
        _divide_logits(model, min(max(temperature, 0.5), 1.0))


def has_softmax_layer(model: Any) -> bool:
    """Return True if a Keras model ends in a Dense layer with softmax."""
    from ._internal.tensorflow import keras

    last = model.layers[-1]
    return isinstance(last, keras.layers.Dense) and last.activation is keras.activations.softmax


def _divide_logits(model: Any, temperature: float) -> None:
    last = model.layers[-1]
    last.set_weights([weights / np.float32(temperature) for weights in last.get_weights()])
