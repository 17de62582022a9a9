"""Every number about a network on a split, from probabilities that are computed once."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from .analysis.calibration import calibration_error, reliability
from .data import Split, check_split
from .network import predict_probabilities


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """What a network says of n images, and how right it is.

    labels: uint8 (n,), the true digits.
    probabilities: float32 (n, 10), the network's.
    """

    labels: np.ndarray
    probabilities: np.ndarray

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
        """How many images are read right."""
        return int((self.predicted == self.labels).sum())

    @property
    def accuracy(self) -> float:
        """The share read right, 0 to 1."""
        return self.correct / len(self.labels)

    @cached_property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy that is due to the finite number of images."""
        return wilson(self.correct, len(self.labels))

    @cached_property
    def loss(self) -> float:
        """Mean negative log-likelihood of the true digits in nats (a probability of 0 counts as float32's smallest)."""
        true = self.probabilities[np.arange(len(self.labels)), self.labels]
        return float(-np.log(np.maximum(true, np.finfo(np.float32).tiny), dtype=np.float64).mean())

    @cached_property
    def reliability(self) -> pd.DataFrame:
        """Images, mean confidence and accuracy in each of 15 equal bins of confidence; see calibration.reliability."""
        return reliability(self.labels, self.probabilities)

    @property
    def calibration_error(self) -> float:
        """How far accuracy is from confidence on average, 0 to 1; see calibration.calibration_error (15 bins)."""
        return calibration_error(self.labels, self.probabilities)

    @cached_property
    def confusion(self) -> np.ndarray:
        """How many images of true digit (row) are read as each digit (column), int (10, 10)."""
        return confusion_matrix(self.labels, self.predicted, labels=range(10))

    @cached_property
    def per_class(self) -> pd.DataFrame:
        """Precision, recall, F1 (0 to 1; 0 where undefined) and the number of images of each digit."""
        scores = precision_recall_fscore_support(self.labels, self.predicted, labels=range(10), zero_division=0.0)
        table = pd.DataFrame(dict(zip(["precision", "recall", "f1", "images"], scores, strict=True)))
        return table.rename_axis("digit")

    @cached_property
    def mistakes(self) -> np.ndarray:
        """Positions of the images read wrong, the most confident first, int (n - correct,)."""
        wrong = np.flatnonzero(self.predicted != self.labels)
        return wrong[np.argsort(-self.confidence[wrong], kind="stable")]

    def __repr__(self) -> str:
        low, high = self.interval
        return (
            f"{self.correct:,} of {len(self.labels):,} right: {self.accuracy:.2%} "
            f"(95 % interval {low:.2%} to {high:.2%}), loss {self.loss:.4f}"
        )


def evaluate(model, split: Split) -> Evaluation:
    """Return the Evaluation of `model` on `split`: accuracy, interval, loss, confusion, per_class, mistakes ...

    Raises ValueError if `split` is not a Split, or the model not one from (n, 28, 28) pixels to probabilities.
    """
    check_split("split", split)
    return Evaluation(split.labels, predict_probabilities(model, split.images))


def wilson(correct: int, images: int) -> tuple[float, float]:
    """Return the 95 % interval of an accuracy, 0 to 1, measured on so many images (E. B. Wilson, JASA 22, 1927)."""
    interval = binomtest(correct, images).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)
