"""Selective prediction: answer where the network is sure, leave the rest to a person, and promise how few are wrong.

The threshold is found on one set of images, validation, and holds for others of the same kind.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binom

from ..evaluation import Evaluation, wilson


@dataclass(frozen=True, repr=False)
class Selection:
    """What comes of answering only from a confidence up.

    threshold: the least confidence that is accepted. images: how many there were.
    accepted: how many of them are answered. wrong: how many of these are answered wrong.
    """

    threshold: float
    images: int
    accepted: int
    wrong: int

    @property
    def coverage(self) -> float:
        """The share of the images that is answered, 0 to 1."""
        return self.accepted / self.images

    @property
    def error(self) -> float:
        """The share of the answers that is wrong, 0 to 1; 0 if there are none."""
        return self.wrong / self.accepted if self.accepted else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the error that is due to the finite number of answers."""
        return wilson(self.wrong, self.accepted) if self.accepted else (0.0, 1.0)

    def __repr__(self) -> str:
        low, high = self.interval
        return (
            f"{self.accepted:,} of {self.images:,} answered ({self.coverage:.1%}), {self.wrong:,} of these wrong: "
            f"{self.error:.3%} (95 % interval {low:.3%} to {high:.3%})"
        )


def risk_coverage(evaluation: Evaluation) -> pd.DataFrame:
    """Return what every threshold would give, the highest first (R. El-Yaniv and Y. Wiener, JMLR 11, 2010).

    Columns: threshold (each confidence that occurs), accepted, wrong (how many images, and mistakes, are at least so
    confident), coverage and error (both 0 to 1; the error is of those accepted).
    """
    order = np.argsort(-evaluation.confidence, kind="stable")
    confidence = evaluation.confidence[order]
    wrong = np.cumsum(evaluation.predicted[order] != evaluation.labels[order])
    last = np.flatnonzero(np.append(np.diff(confidence) != 0, True))  # equal ones are accepted together
    table = pd.DataFrame({"threshold": confidence[last], "accepted": last + 1, "wrong": wrong[last]})
    return table.assign(coverage=table["accepted"] / len(order), error=table["wrong"] / table["accepted"])


def confidence_threshold(evaluation: Evaluation, budget: float = 0.001, certainty: float | None = None) -> float:
    """Return the lowest confidence from which on at most a share `budget` of the answers to further images is wrong.

    evaluation: of images that were not learned from, as validation's. Infinity if they are too few for the promise.
    certainty: None for a promise in expectation; or how certain it is to be kept, as 0.95, which costs coverage.

    In expectation: mistakes + 1 <= budget * A, where A of these n images are accepted. If a further one is accepted and
    wrong with probability P, then E[P / (A / (n + 1))] <= budget, for any network and any n: the error among answers,
    with coverage as counted here. (A further mistake is as likely as each of these to be the surest of all, hence the
    + 1; without it the promise is broken. So are selected the hypotheses of Y. Jin and E. Candes, JMLR 24, 2023.)

    With certainty: the probability that the error among answers exceeds the budget is at most 1 - certainty, if that
    error does not fall as the threshold falls. Thresholds are tested by the binomial distribution, from the highest
    that could pass down to the first that fails (A. Angelopoulos et al., "Learn then test", arXiv:2110.01052).

    Raises ValueError if budget or certainty is not between 0 and 1.
    """
    for name, value in {"budget": budget, "certainty": certainty}.items():
        if value is not None and not 0 < value < 1:
            raise ValueError(f"{name} must be between 0 and 1, both excluded, not {value!r}")
    table = risk_coverage(evaluation)
    if certainty is None:
        holds = table["wrong"] + 1 <= budget * table["accepted"]
    else:
        # The threshold is the confidence of one of the accepted; the others above it are a sample of all that are.
        sample = table["accepted"] - 1
        possible = (1 - budget) ** sample <= 1 - certainty  # if none of them were wrong
        chance = binom.cdf(table["wrong"], sample, budget)
        holds = possible & np.logical_and.accumulate(~possible | (chance <= 1 - certainty))
    return float(table["threshold"][holds].min()) if holds.any() else np.inf


def select_confident(evaluation: Evaluation, threshold: float) -> Selection:
    """Return what comes of answering only the images of `evaluation` of which the network is at least so confident."""
    accepted = evaluation.confidence >= threshold
    wrong = accepted & (evaluation.predicted != evaluation.labels)
    return Selection(threshold, len(accepted), int(accepted.sum()), int(wrong.sum()))
