"""Is a difference real? A paired test of two models on the same images, and the spread of one recipe over seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from ..evaluation import Evaluation, wilson_interval


@dataclass(frozen=True, repr=False)
class McNemar:
    """The exact McNemar test of two models on the same images.

    Args:
        both: The number of images that both models classify correctly.
        first_only: The number of images that only the first model classifies correctly.
        second_only: The number of images that only the second model classifies correctly.
        neither: The number of images that both models misclassify.
    """

    both: int
    first_only: int
    second_only: int
    neither: int

    @property
    def p_value(self) -> float:
        """The two-sided p-value, 0 to 1.

        It is the probability of a difference at least as large if each image that only one model classifies correctly
        went either way with probability 1/2.
        """
        differing = self.first_only + self.second_only
        return float(binomtest(self.first_only, differing).pvalue) if differing else 1.0

    def __repr__(self) -> str:
        return (
            f"only the first correct: {self.first_only:,}, only the second: {self.second_only:,}, "
            f"both: {self.both:,}, neither: {self.neither:,}; exact McNemar test p = {self.p_value:.2g}"
        )


def mcnemar(first: Evaluation, second: Evaluation) -> McNemar:
    """Compare two models on the same images.

    Args:
        first: The evaluation of one model.
        second: The evaluation of the other model on the same split.

    Returns:
        The four counts and the p-value.

    Raises:
        ValueError: The labels of the two evaluations differ.

    Example:
        >>> import numpy as np
        >>> from mnist_nn import Evaluation, mcnemar
        >>> labels, probabilities = np.array([0, 1, 2]), np.eye(10)
        >>> mcnemar(Evaluation(labels, probabilities[:3]), Evaluation(labels, probabilities[[0, 1, 7]]))
        only the first correct: 1, only the second: 0, both: 2, neither: 0; exact McNemar test p = 1

    Notes:
        Q. McNemar, Psychometrika 12, 1947.
    """
    if not np.array_equal(first.labels, second.labels):
        raise ValueError("first and second must be evaluations of the same images; evaluate both models on one split")
    a, b = first.predicted == first.labels, second.predicted == second.labels
    counts = (a & b).sum(), (a & ~b).sum(), (~a & b).sum(), (~a & ~b).sum()
    return McNemar(*map(int, counts))


@dataclass(frozen=True, repr=False)
class SeedSummary:
    """The accuracies of one recipe over several seeds, and separately the uncertainty due to the number of images.

    Args:
        correct: The number of correctly classified images for each seed.
        images: The number of all images.
    """

    correct: tuple[int, ...]
    images: int

    @property
    def mean(self) -> float:
        """The mean accuracy, 0 to 1."""
        return float(np.mean(self.correct)) / self.images

    @property
    def deviation(self) -> float:
        """The standard deviation of the accuracies over seeds (with n - 1); NaN for a single seed."""
        return float(np.std(self.correct, ddof=1)) / self.images if len(self.correct) > 1 else float("nan")

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest accuracy, 0 to 1."""
        return min(self.correct) / self.images, max(self.correct) / self.images

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the mean accuracy for this number of images; more seeds do not narrow it."""
        return wilson_interval(round(self.mean * self.images), self.images)

    def __repr__(self) -> str:
        (lowest, highest), (low, high) = self.range, self.interval
        return (
            f"{100 * self.mean:.2f} % ± {100 * self.deviation:.2f} (standard deviation over {len(self.correct)} seeds, "
            f"{100 * lowest:.2f} to {100 * highest:.2f} %); "
            f"95 % interval for {self.images:,} images: {100 * low:.2f} to {100 * high:.2f} %"
        )


def summarize_seeds(correct: Sequence[int] | np.ndarray, images: int) -> SeedSummary:
    """Summarise the results of one recipe over several seeds.

    Args:
        correct: The number of correctly classified images, one value per seed.
        images: The number of all images.

    Returns:
        Mean, standard deviation, range and 95 % interval of the accuracy.

    Raises:
        ValueError: There are no values, or one is not a whole number from 0 to `images`.

    Example:
        >>> from mnist_nn import summarize_seeds
        >>> round(summarize_seeds([9917, 9918, 9914], images=10_000).mean, 4)
        0.9916
    """
    counts = np.asarray(correct)
    is_plausible = counts.ndim == 1 and len(counts) and counts.dtype.kind in "iu" and images >= 1
    if not is_plausible or not ((counts >= 0) & (counts <= images)).all():
        raise ValueError(f"correct must be counts of at most {images:,} images, one per seed, not {correct!r}")
    return SeedSummary(tuple(map(int, counts)), images)
