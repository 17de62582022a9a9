"""Selective prediction: abstain below a confidence threshold that bounds the error of the accepted answers.

The threshold is chosen on one set of images, the validation split, and applies to other images of the same kind.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binom

from ..evaluation import Evaluation, wilson_interval


@dataclass(frozen=True, repr=False)
class Selection:
    """The result of accepting only answers above a confidence threshold.

    Args:
        threshold: The lowest confidence that is accepted.
        images: The number of all images.
        accepted: The number of accepted answers.
        wrong: The number of wrong answers among the accepted ones.
    """

    threshold: float
    images: int
    accepted: int
    wrong: int

    @property
    def coverage(self) -> float:
        """The fraction of images whose answer is accepted, 0 to 1."""
        return self.accepted / self.images

    @property
    def error(self) -> float:
        """The fraction of accepted answers that are wrong, 0 to 1; 0 if none is accepted."""
        return self.wrong / self.accepted if self.accepted else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the error, which is due to the finite number of answers."""
        return wilson_interval(self.wrong, self.accepted) if self.accepted else (0.0, 1.0)

    def __repr__(self) -> str:
        low, high = self.interval
        return (
            f"{self.accepted:,} of {self.images:,} accepted ({100 * self.coverage:.1f} %), "
            f"{self.wrong:,} of these wrong: {100 * self.error:.3f} % "
            f"(95 % interval {100 * low:.3f} to {100 * high:.3f} %)"
        )


def risk_coverage(evaluation: Evaluation) -> pd.DataFrame:
    """Return the error and the coverage for every possible confidence threshold.

    Args:
        evaluation: The predictions for a split.

    Returns:
        One row per threshold, the highest first, with the columns threshold (every confidence that occurs), accepted
        and wrong (numbers of images), coverage and error (0 to 1; the error is that of the accepted answers).

    Example:
        >>> import numpy as np
        >>> from mnist_nn import Evaluation, risk_coverage
        >>> probabilities = np.array([[0.91] + 9 * [0.01], [0.82] + 9 * [0.02]])
        >>> risk_coverage(Evaluation(np.array([0, 1]), probabilities))["error"].tolist()
        [0.0, 0.5]

    Notes:
        R. El-Yaniv and Y. Wiener, Journal of Machine Learning Research 11, 2010.
    """
    order = np.argsort(-evaluation.confidence, kind="stable")
    confidence = evaluation.confidence[order]
    wrong = np.cumsum(evaluation.predicted[order] != evaluation.labels[order])
    last = np.flatnonzero(np.append(np.diff(confidence) != 0, True))  # equal confidences are accepted together
    table = pd.DataFrame({"threshold": confidence[last], "accepted": last + 1, "wrong": wrong[last]})
    return table.assign(coverage=table["accepted"] / len(order), error=table["wrong"] / table["accepted"])


def confidence_threshold(evaluation: Evaluation, budget: float = 0.001, certainty: float | None = None) -> float:
    """Return the lowest confidence threshold that keeps the error of accepted answers within a budget.

    Args:
        evaluation: The predictions for images that the model did not learn from, such as the validation split.
        budget: The largest fraction of accepted answers that may be wrong, between 0 and 1.
        certainty: None keeps the budget in expectation. A probability, such as 0.95, is the probability with which
            the budget is kept; this costs coverage.

    Returns:
        The threshold; infinity if the images are too few for the guarantee.

    Raises:
        ValueError: `budget` or `certainty` is not between 0 and 1.

    Example:
        >>> from mnist_nn import confidence_threshold, evaluate, load_mnist, load_network
        >>> validation = evaluate(load_network(), load_mnist().validation)
        >>> round(confidence_threshold(validation, budget=0.001), 3)
        0.976

    Notes:
        In expectation: the threshold is the lowest with wrong + 1 <= budget * accepted. Let a further image be
        accepted and misclassified with probability P, and let A of these n images be accepted. Then
        E[P / (A / (n + 1))] <= budget, for any model and any n. The + 1 is needed because a further mistake is as
        likely as each of the observed ones to be the most confident (as in Y. Jin and E. Candes, Journal of Machine
        Learning Research 24, 2023).

        With certainty: the probability that the error of accepted answers exceeds the budget is at most
        1 - certainty, if a lower threshold never has a lower error. Thresholds are tested with the binomial
        distribution, from the highest that can pass down to the first that fails (A. Angelopoulos et al., "Learn then
        test", arXiv:2110.01052).
    """
    for name, value in {"budget": budget, "certainty": certainty}.items():
        if value is not None and not 0 < value < 1:
            raise ValueError(f"{name} must be between 0 and 1, both excluded, not {value!r}")
    table = risk_coverage(evaluation)
    if certainty is None:
        holds = table["wrong"] + 1 <= budget * table["accepted"]
    else:
        # The threshold is the confidence of one accepted image; the images above it are a sample of all such images.
        sample = table["accepted"] - 1
        possible = (1 - budget) ** sample <= 1 - certainty  # if none of them is wrong
        probability = binom.cdf(table["wrong"], sample, budget)
        holds = possible & np.logical_and.accumulate(~possible | (probability <= 1 - certainty))
    return min(table["threshold"].to_numpy()[holds].tolist(), default=np.inf)


def select_confident(evaluation: Evaluation, threshold: float) -> Selection:
    """Accept only the answers at or above a confidence threshold.

    Args:
        evaluation: The predictions for a split.
        threshold: The lowest accepted confidence, such as `confidence_threshold` returns.

    Returns:
        A Selection: how many answers are accepted, and how many of these are wrong.

    Example:
        >>> from mnist_nn import evaluate, load_mnist, load_network, select_confident
        >>> select_confident(evaluate(load_network(), load_mnist().test), 0.976).accepted
        9575
    """
    accepted = evaluation.confidence >= threshold
    wrong = accepted & (evaluation.predicted != evaluation.labels)
    return Selection(threshold, len(accepted), int(accepted.sum()), int(wrong.sum()))
