"""Networks compared: two on the same images, and one recipe over its seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from ..evaluation import Evaluation, wilson


@dataclass(frozen=True)
class McNemar:
    """How two networks differ on the same images: four counts, and how surprising they are if both are equally good.

    p_value: two-sided and exact, the binomial distribution of the images that only one of them reads right
        (Q. McNemar, Psychometrika 12, 1947).
    """

    both: int
    first_only: int
    second_only: int
    neither: int

    @property
    def p_value(self) -> float:
        """The probability of so large a difference if each image that only one reads right were a fair coin's toss."""
        differ = self.first_only + self.second_only
        return float(binomtest(self.first_only, differ).pvalue) if differ else 1.0

    def __repr__(self) -> str:
        return (
            f"only the first right: {self.first_only:,}, only the second: {self.second_only:,}, "
            f"both: {self.both:,}, neither: {self.neither:,}; exact McNemar test p = {self.p_value:.2g}"
        )


def mcnemar(first: Evaluation, second: Evaluation) -> McNemar:
    """Return the paired comparison of two networks' evaluations on the same images.

    Raises ValueError if the evaluations are of different images, as far as their labels tell.
    """
    if not np.array_equal(first.labels, second.labels):
        raise ValueError("first and second must be evaluations of the same images; evaluate both models on one split")
    one, other = first.predicted == first.labels, second.predicted == second.labels
    counts = (one & other).sum(), (one & ~other).sum(), (~one & other).sum(), (~one & ~other).sum()
    return McNemar(*map(int, counts))


@dataclass(frozen=True, repr=False)
class Seeds:
    """One recipe's accuracies over seeds, and apart from them what is due to the finite number of images.

    correct: how many of the `images` the network of each seed reads right.
    """

    correct: tuple[int, ...]
    images: int

    @property
    def mean(self) -> float:
        """The mean accuracy, 0 to 1."""
        return float(np.mean(self.correct)) / self.images

    @property
    def deviation(self) -> float:
        """The standard deviation between seeds (of the accuracies, n - 1 in the denominator); NaN of a single one."""
        return float(np.std(self.correct, ddof=1)) / self.images if len(self.correct) > 1 else float("nan")

    @property
    def range(self) -> tuple[float, float]:
        """The least and the greatest accuracy."""
        return min(self.correct) / self.images, max(self.correct) / self.images

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval that so many images leave of the mean accuracy, however many seeds there are."""
        return wilson(round(self.mean * self.images), self.images)

    def __repr__(self) -> str:
        (least, most), (low, high) = self.range, self.interval
        return (
            f"{self.mean:.2%} ± {self.deviation:.2%} between {len(self.correct)} seeds ({least:.2%} to {most:.2%}); "
            f"{self.images:,} images leave {low:.2%} to {high:.2%}"
        )


def over_seeds(correct: Sequence[int], images: int) -> Seeds:
    """Return the summary of one recipe's networks, one a seed, each of which reads so many of `images` right.

    Raises ValueError if there is none, or one is not a count of at most `images`.
    """
    counts = np.asarray(correct)
    if counts.ndim != 1 or not len(counts) or counts.dtype.kind not in "iu" or not (counts <= images).all():
        raise ValueError(f"correct must be counts of at most {images:,} images, one a seed, not {correct!r}")
    return Seeds(tuple(map(int, counts)), images)
