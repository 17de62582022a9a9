"""Calibration: whether of the digits read with 90 % confidence 90 % are right, and a temperature that makes it so."""

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

from ..network import check_model

BINS = 15  # equal ones from 0 to 1, as the literature has it


def reliability(labels: np.ndarray, probabilities: np.ndarray, bins: int = BINS) -> pd.DataFrame:
    """Return how right the digits read are at each confidence: a row for every bin, indexed by its number from 0.

    Columns: above and to (the bin's ends; a confidence counts in the bin with above < confidence <= to), images, and
    the mean confidence and the accuracy of these, both 0 to 1 and NaN where there are none.
    labels: (n,), the true digits. probabilities: (n, 10). bins: how many equal ones to divide 0 to 1 into.

    Raises ValueError if bins is not a whole number of at least 1.
    """
    if not isinstance(bins, int | np.integer) or bins < 1:
        raise ValueError(f"bins must be a whole number of at least 1, not {bins!r}")
    confidence = probabilities.max(axis=1).astype(np.float64)  # sums of thousands
    right = probabilities.argmax(axis=1) == labels
    ends = np.linspace(0, 1, bins + 1)
    place = (np.searchsorted(ends, confidence, side="left") - 1).clip(0, bins - 1)
    images, sure, correct = (np.bincount(place, weights, bins) for weights in (None, confidence, right))
    some = np.where(images, images, np.nan)
    columns = {"above": ends[:-1], "to": ends[1:], "images": images, "confidence": sure / some}
    return pd.DataFrame(columns | {"accuracy": correct / some}).rename_axis("bin")


def calibration_error(labels: np.ndarray, probabilities: np.ndarray, bins: int = BINS) -> float:
    """Return the expected calibration error, 0 to 1: how far accuracy is from confidence, on average over the images.

    Images are put into equal bins by their confidence, and each bin counts by its images (M. P. Naeini, G. F. Cooper
    and M. Hauskrecht, AAAI 2015; C. Guo et al., arXiv:1706.04599). Arguments as of `reliability`.
    """
    table = reliability(labels, probabilities, bins).dropna()
    return float(np.average((table["accuracy"] - table["confidence"]).abs(), weights=table["images"]))


def fit_temperature(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the temperature, 0.05 to 20, at which the true digits are most likely; take validation's for it.

    Dividing the logits by it leaves every answer as it is, and changes how sure it is: above 1 less, below 1 more
    (C. Guo et al., arXiv:1706.04599). labels: (n,). probabilities: (n, 10).
    """
    logits = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny), dtype=np.float64)  # but for a constant
    behind = logits - logits[np.arange(len(labels)), labels][:, None]

    def loss(log_temperature):
        return np.log(np.exp(behind / np.exp(log_temperature)).sum(axis=1)).mean()

    return float(np.exp(minimize_scalar(loss, bounds=np.log([0.05, 20]), method="bounded").x))


def apply_temperature(model, temperature: float):
    """Return a copy of a Keras model, the same but for its last layer's weights, which are divided by `temperature`.

    Raises ValueError if the temperature is not above 0, or if the model does not end in a dense layer with softmax.
    """
    from .._internal.tensorflow import keras  # here, so that counting right answers never needs TensorFlow

    last = check_model(model).layers[-1]
    if not isinstance(last, keras.layers.Dense) or last.activation is not keras.activations.softmax:
        raise ValueError(f"model must end in a Dense layer with softmax, not in {last.name}; give one that does")
    if not 0 < temperature < np.inf:
        raise ValueError(f"temperature must be above 0 and finite, not {temperature!r}; fit_temperature finds one")
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    last = copy.layers[-1]
    last.set_weights([weights / np.float32(temperature) for weights in last.get_weights()])
    return copy
