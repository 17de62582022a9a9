"""McNemar's test and the summary over seeds agree with statsmodels and with examples computed by hand."""

import math
import statistics

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.proportion import proportion_confint

from mnist_nn import Evaluation, mcnemar, summarize_seeds


def misclassifying(labels, positions):
    """Return an Evaluation of images with these labels, of which those at `positions` are misclassified."""
    predicted = np.array(labels)
    predicted[positions] = (predicted[positions] + 1) % 10
    return Evaluation(np.array(labels), np.eye(10, dtype=np.float32)[predicted])


def test_mcnemar_computed_by_hand():
    labels = np.arange(40) % 10
    first, second = misclassifying(labels, [0, 1, 2, 3, 4]), misclassifying(labels, [0, *range(10, 20)])
    result = mcnemar(first, second)
    assert (result.both, result.first_only, result.second_only, result.neither) == (25, 10, 4, 1)
    # Twice the probability of at most 4 heads in 14 tosses of a coin.
    assert result.p_value == pytest.approx(2 * sum([1, 14, 91, 364, 1001]) / 2**14)
    assert mcnemar(second, first).p_value == result.p_value
    assert repr(result).startswith("only the first correct: 10, only the second: 4, both: 25, neither: 1; ")


@pytest.mark.parametrize(("first", "second"), [(0, 3), (20, 45), (100, 101), (0, 0)])
def test_mcnemar_agrees_with_statsmodels(first, second):
    labels = np.arange(1000) % 10
    result = mcnemar(misclassifying(labels, np.arange(first)), misclassifying(labels, 500 + np.arange(second)))
    table = [[result.both, result.first_only], [result.second_only, result.neither]]
    assert result.p_value == pytest.approx(statsmodels_mcnemar(table, exact=True).pvalue)


def test_a_network_does_not_differ_from_itself():
    result = misclassifying(np.arange(40) % 10, [3])
    assert mcnemar(result, result).p_value == 1


def test_evaluations_of_different_images_are_refused():
    with pytest.raises(ValueError, match="evaluations of the same images"):
        mcnemar(misclassifying(np.arange(40) % 10, [3]), misclassifying(np.arange(30) % 10, [3]))


def test_a_summary_separates_seeds_from_sampling():
    counts = [9910, 9920, 9920, 9931]
    summary = summarize_seeds(counts, 10_000)
    assert summary.mean == pytest.approx(statistics.mean(counts) / 10_000)
    assert summary.deviation == pytest.approx(statistics.stdev(counts) / 10_000)
    assert summary.range == (0.991, 0.9931)
    assert summary.interval == pytest.approx(proportion_confint(9920, 10_000, method="wilson"))
    assert repr(summary) == (
        "99.20 % ± 0.09 (standard deviation over 4 seeds, 99.10 to 99.31 %); "
        "95 % interval for 10,000 images: 99.01 to 99.36 %"
    )


def test_a_single_seed_has_no_deviation():
    assert math.isnan(summarize_seeds([9910], 10_000).deviation)


@pytest.mark.parametrize("counts", [[], [0.99], [10_001], [-1], [[1, 2]]])
def test_invalid_counts_are_refused(counts):
    with pytest.raises(ValueError, match="correct must be counts of at most 10,000 images"):
        summarize_seeds(counts, 10_000)
