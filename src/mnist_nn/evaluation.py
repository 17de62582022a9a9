"""Metrics of a model on a split, all computed from one set of probabilities."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from ._internal.arguments import check_whole_number
from .data import Split, check_split
from .model import ModelLike, predict_probabilities

CALIBRATION_BINS = 15  # the number used in the literature


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """The predictions for n images, compared with their labels.

    Args:
        labels: uint8 (n,), the true digits.
        probabilities: float32 (n, 10), the predicted probabilities; those of another library work as well.

    Raises:
        ValueError: The labels are not n whole numbers from 0 to 9, at least one, or the probabilities have another
            shape or are not from 0 to 1.

    Example:
        >>> import numpy as np
        >>> from mnist_nn import Evaluation
        >>> result = Evaluation(np.array([0, 1, 1]), np.eye(10, dtype=np.float32)[[0, 1, 7]])
        >>> result.predicted.tolist(), result.correct, result.mistakes.tolist()
        ([0, 1, 7], 2, [2])
    """

    labels: np.ndarray
    probabilities: np.ndarray

    def __post_init__(self) -> None:
        labels, probabilities = np.asarray(self.labels), np.asarray(self.probabilities)
        if labels.ndim != 1 or labels.dtype.kind not in "iu":
            raise ValueError(
                f"labels must be whole numbers of shape (n,), not {labels.dtype} {labels.shape}; "
                "type labels.ravel() for (n, 1), labels.argmax(axis=1) for one-hot labels"
            )
        if not len(labels):
            raise ValueError("labels must hold at least one; nothing can be measured without images")
        if probabilities.shape != (len(labels), 10):
            raise ValueError(f"probabilities must have shape ({len(labels):,}, 10), not {probabilities.shape}")
        if not np.isin(labels, range(10)).all():
            raise ValueError(f"labels must be from 0 to 9, not from {labels.min()} to {labels.max()}")
        if not ((probabilities >= 0) & (probabilities <= 1.001)).all():  # also false for NaN
            raise ValueError("probabilities must be from 0 to 1, without NaN; give the outputs of a softmax layer")
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "probabilities", probabilities)

    @cached_property
    def predicted(self) -> np.ndarray:
        """The most probable digit of each image, uint8 (n,)."""
        return self.probabilities.argmax(axis=1).astype(np.uint8)

    @cached_property
    def confidence(self) -> np.ndarray:
        """The probability of the predicted digit of each image, float32 (n,)."""
        return self.probabilities.max(axis=1)

    @cached_property
    def correct(self) -> int:
        """The number of correctly classified images."""
        return int((self.predicted == self.labels).sum())

    @property
    def accuracy(self) -> float:
        """The fraction of correctly classified images, 0 to 1."""
        return self.correct / len(self.labels)

    @cached_property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy, which is due to the finite number of images."""
        return wilson_interval(self.correct, len(self.labels))

    @cached_property
    def loss(self) -> float:
        """The mean negative log-likelihood of the true digits, in nats."""
        true = self.probabilities[np.arange(len(self.labels)), self.labels]
        # A probability of 0 counts as the smallest float32.
        return float(-np.log(np.maximum(true, np.finfo(np.float32).tiny), dtype=np.float64).mean())

    @cached_property
    def reliability_curve(self) -> pd.DataFrame:
        """Number of images, mean confidence and accuracy in 15 bins of confidence; see `reliability_curve`."""
        return reliability_curve(self.labels, self.probabilities)

    @property
    def calibration_error(self) -> float:
        """The expected calibration error, 0 to 1, with 15 bins; see `calibration_error`."""
        return calibration_error(self.labels, self.probabilities)

    @cached_property
    def confusion(self) -> np.ndarray:
        """The confusion matrix, int (10, 10): rows are true digits, columns are predicted digits."""
        return confusion_matrix(self.labels, self.predicted, labels=range(10))

    @cached_property
    def per_class(self) -> pd.DataFrame:
        """Precision, recall and F1 (0 to 1; 0 where undefined) and the number of images of each digit."""
        options: Any = {"labels": range(10), "zero_division": 0.0}
        scores = precision_recall_fscore_support(self.labels, self.predicted, **options)
        table = pd.DataFrame(dict(zip(["precision", "recall", "f1", "images"], scores, strict=True)))
        return table.rename_axis("digit")

    @cached_property
    def mistakes(self) -> np.ndarray:
        """The positions of the misclassified images, the most confident first, int (n - correct,)."""
        wrong = np.flatnonzero(self.predicted != self.labels)
        return wrong[np.argsort(-self.confidence[wrong], kind="stable")]

    def __repr__(self) -> str:
        low, high = self.interval
        return (
            f"{self.correct:,} of {len(self.labels):,} correct: {100 * self.accuracy:.2f} % "
            f"(95 % interval {100 * low:.2f} to {100 * high:.2f} %), loss {self.loss:.4f}"
        )


def evaluate(model: ModelLike, split: Split) -> Evaluation:
    """Evaluate a model on a split.

    Args:
        model: A Keras model from (n, 28, 28) pixels to (n, 10) probabilities, or a Network.
        split: The images and labels, such as `load_mnist().test`.

    Returns:
        An Evaluation: accuracy, interval, loss, confusion, per_class, mistakes and more.

    Raises:
        ValueError: `split` is not a Split, or `model` is not such a model.

    Example:
        >>> from mnist_nn import evaluate, load_mnist, load_network
        >>> result = evaluate(load_network(), load_mnist().test)
        >>> result.correct, result.accuracy
        (9945, 0.9945)
    """
    check_split("split", split)
    return Evaluation(split.labels, predict_probabilities(model, split.images))


def wilson_interval(correct: int, images: int) -> tuple[float, float]:
    """Return the 95 % interval of an accuracy.

    Args:
        correct: The number of correctly classified images.
        images: The number of all images.

    Returns:
        The lower and the upper end, 0 to 1.

    Raises:
        ValueError: `images` is not a whole number of at least 1, or `correct` not one from 0 to `images`.

    Example:
        >>> from mnist_nn.evaluation import wilson_interval
        >>> low, high = wilson_interval(9941, 10_000)
        >>> f"{low:.4f} to {high:.4f}"
        '0.9924 to 0.9954'

    Notes:
        E. B. Wilson, Journal of the American Statistical Association 22, 1927.
    """
    check_whole_number("images", images, 1)
    check_whole_number("correct", correct, 0, images)
    interval = binomtest(correct, images).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def reliability_curve(labels: np.ndarray, probabilities: np.ndarray, bins: int = CALIBRATION_BINS) -> pd.DataFrame:
    """Compare confidence with accuracy in equal bins of confidence.

    Args:
        labels: Integers (n,), the true digits.
        probabilities: Floats (n, 10), the predicted probabilities.
        bins: The number of equal bins between 0 and 1.

    Returns:
        One row per bin, with the columns above and to (a confidence belongs to the bin with above < confidence <=
        to), images (their number), confidence (their mean) and accuracy. The last two are 0 to 1, NaN in empty bins.

    Raises:
        ValueError: `bins` is not a whole number of at least 1.

    Example:
        >>> import numpy as np
        >>> from mnist_nn.evaluation import reliability_curve
        >>> reliability_curve(np.array([0, 3]), np.eye(10)[[0, 4]], bins=2)["accuracy"].tolist()
        [nan, 0.5]
    """
    check_whole_number("bins", bins, 1)
    confidence = probabilities.max(axis=1).astype(np.float64)  # float64: thousands of terms are summed
    right = probabilities.argmax(axis=1) == labels
    ends = np.linspace(0, 1, bins + 1)
    place = (np.searchsorted(ends, confidence, side="left") - 1).clip(0, bins - 1)
    images, confidences, correct = (np.bincount(place, weights, bins) for weights in (None, confidence, right))
    count = np.where(images, images, np.nan)
    columns = {"above": ends[:-1], "to": ends[1:], "images": images, "confidence": confidences / count}
    return pd.DataFrame(columns | {"accuracy": correct / count}).rename_axis("bin")


def calibration_error(labels: np.ndarray, probabilities: np.ndarray, bins: int = CALIBRATION_BINS) -> float:
    """Return the expected calibration error: the mean distance between confidence and accuracy.

    Args:
        labels: Integers (n,), the true digits.
        probabilities: Floats (n, 10), the predicted probabilities.
        bins: The number of equal bins of confidence. Each bin is weighted by its number of images.

    Returns:
        The error, 0 to 1.

    Raises:
        ValueError: `bins` is not a whole number of at least 1.

    Example:
        >>> import numpy as np
        >>> from mnist_nn.evaluation import calibration_error
        >>> calibration_error(np.array([0, 3]), np.eye(10)[[0, 4]])
        0.5

    Notes:
        M. P. Naeini, G. F. Cooper and M. Hauskrecht, AAAI 2015; C. Guo et al., arXiv:1706.04599.
    """
    table = reliability_curve(labels, probabilities, bins).dropna()
    return float(np.average((table["accuracy"] - table["confidence"]).abs(), weights=table["images"]))
