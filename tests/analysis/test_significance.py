"""Networks are compared as the textbooks of statistics say."""

import math
import statistics

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.proportion import proportion_confint

from mnist_nn import Evaluation, mcnemar, over_seeds


def answers(labels, wrong):
    """An evaluation of images with these labels, those at the positions `wrong` read wrong."""
    predicted = np.array(labels)
    predicted[wrong] = (predicted[wrong] + 1) % 10
    return Evaluation(np.array(labels), np.eye(10, dtype=np.float32)[predicted])


def test_mcnemar_worked_by_hand():
    labels = np.arange(40) % 10
    first, second = answers(labels, [0, 1, 2, 3, 4]), answers(labels, [0, *range(10, 20)])
    result = mcnemar(first, second)
    assert (result.both, result.first_only, result.second_only, result.neither) == (25, 10, 4, 1)
    assert result.p_value == pytest.approx(2 * sum([1, 14, 91, 364, 1001]) / 2**14)  # of 14 coins at most 4 heads
    assert mcnemar(second, first).p_value == result.p_value
    assert repr(result).startswith("only the first right: 10, only the second: 4, both: 25, neither: 1; ")


@pytest.mark.parametrize(("ours", "theirs"), [(0, 3), (20, 45), (100, 101), (0, 0)])
def test_mcnemar_agrees_with_statsmodels(ours, theirs):
    labels = np.arange(1000) % 10
    result = mcnemar(answers(labels, np.arange(ours)), answers(labels, 500 + np.arange(theirs)))
    table = [[result.both, result.first_only], [result.second_only, result.neither]]
    assert result.p_value == pytest.approx(statsmodels_mcnemar(table, exact=True).pvalue)


def test_mcnemar_of_a_network_with_itself():
    result = answers(np.arange(40) % 10, [3])
    assert mcnemar(result, result).p_value == 1


def test_mcnemar_of_other_images():
    with pytest.raises(ValueError, match="evaluations of the same images"):
        mcnemar(answers(np.arange(40) % 10, [3]), answers(np.arange(30) % 10, [3]))


def test_seeds_are_told_apart_from_sampling():
    counts = [9910, 9920, 9920, 9931]
    seeds = over_seeds(counts, 10_000)
    assert seeds.mean == pytest.approx(statistics.mean(counts) / 10_000)
    assert seeds.deviation == pytest.approx(statistics.stdev(counts) / 10_000)
    assert seeds.range == (0.991, 0.9931)
    assert seeds.interval == pytest.approx(proportion_confint(9920, 10_000, method="wilson"))
    assert repr(seeds) == "99.20% ± 0.09% between 4 seeds (99.10% to 99.31%); 10,000 images leave 99.01% to 99.36%"


def test_a_single_seed_has_no_deviation():
    assert math.isnan(over_seeds([9910], 10_000).deviation)


@pytest.mark.parametrize("counts", [[], [0.99], [10_001], [[1, 2]]])
def test_what_are_no_counts(counts):
    with pytest.raises(ValueError, match="correct must be counts of at most 10,000 images"):
        over_seeds(counts, 10_000)
