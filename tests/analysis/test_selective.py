"""Thresholds keep the error budget: in examples computed by hand, in simulations, and for the pretrained weights."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from mnist_nn import (
    Evaluation,
    confidence_threshold,
    evaluate,
    load_pretrained,
    risk_coverage,
    select_confident,
)
from mnist_nn.pictures.prediction import SURE_CONFIDENCE, mean_probabilities


def predicting_zero(confidence, wrong):
    """Return an Evaluation that predicts 0 with these confidences (at least 0.5), wrong or correct, both (n,)."""
    probabilities = np.zeros((len(confidence), 10), np.float32)
    probabilities[:, 0], probabilities[:, 1] = confidence, 1 - confidence
    return Evaluation(np.where(wrong, 1, 0), probabilities)


@pytest.fixture
def eight():
    """Eight images in order of confidence. The third and the last two are wrong; the second and third are tied."""
    confidence = np.array([1, 0.9375, 0.9375, 0.875, 0.8125, 0.75, 0.6875, 0.625])
    return predicting_zero(confidence, np.array([0, 0, 1, 0, 0, 0, 1, 1], bool))


def test_a_curve_computed_by_hand(eight):
    expected = {
        "threshold": [1, 0.9375, 0.875, 0.8125, 0.75, 0.6875, 0.625],
        "accepted": [1, 3, 4, 5, 6, 7, 8],
        "wrong": [0, 1, 1, 1, 1, 2, 3],
        "coverage": np.array([1, 3, 4, 5, 6, 7, 8]) / 8,
        "error": [0, 1 / 3, 1 / 4, 1 / 5, 1 / 6, 2 / 7, 3 / 8],
    }
    pd.testing.assert_frame_equal(risk_coverage(eight), pd.DataFrame(expected), check_dtype=False)


def test_thresholds_computed_by_hand(eight):
    assert confidence_threshold(eight, budget=0.35) == 0.75  # (1 + 1) / 6
    assert confidence_threshold(eight, budget=0.43) == 0.6875  # (2 + 1) / 7
    assert confidence_threshold(eight, budget=0.3) == np.inf  # impossible: the lowest value is (1 + 1) / 6
    assert select_confident(eight, np.inf).coverage == 0


def test_thresholds_with_certainty_computed_by_hand(eight):
    # At the threshold 0.9375 three answers are accepted. The one that sets the threshold does not count; 1 of the other
    # 2 is wrong. If the error were 0.6, at most 1 of 2 would be wrong with probability 1 - 0.6**2 = 0.64 > 1 - 0.5.
    # The further probabilities are lower: 0.352 for at most 1 of 3, 0.18 for at most 1 of 4, ..., 0.29 for 3 of 7.
    assert confidence_threshold(eight, budget=0.6, certainty=0.5) == np.inf
    assert confidence_threshold(eight, budget=0.6, certainty=0.3) == 0.625


def test_a_selection_computed_by_hand(eight):
    selection = select_confident(eight, 0.75)
    assert (selection.images, selection.accepted, selection.wrong) == (8, 6, 1)
    assert (selection.coverage, selection.error) == (0.75, 1 / 6)
    assert selection.interval == pytest.approx(proportion_confint(1, 6, method="wilson"))
    assert repr(selection).startswith("6 of 8 accepted (75.0 %), 1 of these wrong: 16.667 % (95 % interval ")


# The probability of a mistake at a rank from 0 (least confident) to 1 (most confident), as expected and reversed.
ERROR_RATES = {
    "confident answers are correct": lambda rank: 0.3 * (1 - rank),
    "confident answers are wrong": lambda rank: 0.08 * rank,
}
IMAGES, BUDGET, REPETITIONS = 300, 0.05, 500


def simulate(error_rate, seed, **options):
    """Choose a threshold for many random sets of images; return the thresholds, as ranks, and the accepted counts."""
    random, thresholds, accepted = np.random.default_rng(seed), [], []
    for _ in range(REPETITIONS):
        rank = random.random(IMAGES)
        result = predicting_zero(0.5 + rank / 2, random.random(IMAGES) < error_rate(rank))
        threshold = confidence_threshold(result, **options)
        thresholds.append(min(2 * threshold - 1, 1))
        accepted.append(select_confident(result, threshold).accepted)
    return np.array(thresholds), np.array(accepted)


def accepted_and_wrong(error_rate, thresholds):
    """Return the probability that a new image is accepted and misclassified, for each threshold."""
    ranks = (np.arange(10_000) + 0.5) / 10_000
    above = np.append(np.cumsum(error_rate(ranks)[::-1])[::-1], 0) / 10_000
    return above[(thresholds * 10_000).round().astype(int)]


@pytest.mark.parametrize("name", ERROR_RATES)
def test_the_budget_is_kept_in_expectation(name):
    error_rate = ERROR_RATES[name]
    thresholds, accepted = simulate(error_rate, seed=0, budget=BUDGET)
    error = accepted_and_wrong(error_rate, thresholds) / np.maximum(accepted / (IMAGES + 1), 1e-9)
    margin = 3 * error.std() / np.sqrt(REPETITIONS)
    assert error.mean() <= BUDGET + margin
    assert error.mean() >= 0.5 * BUDGET  # so it does not keep the budget by accepting hardly anything


def test_the_budget_is_exceeded_without_the_added_mistake(monkeypatch):
    """The rule is wrong + 1 <= budget * accepted; without the + 1 it does not hold."""
    error_rate = ERROR_RATES["confident answers are correct"]

    def one_mistake_less(result):
        table = risk_coverage(result)
        return table.assign(wrong=table["wrong"] - 1)

    monkeypatch.setattr("mnist_nn.analysis.selective.risk_coverage", one_mistake_less)
    thresholds, accepted = simulate(error_rate, seed=0, budget=BUDGET)
    error = accepted_and_wrong(error_rate, thresholds) / np.maximum(accepted / (IMAGES + 1), 1e-9)
    assert error.mean() > BUDGET + 3 * error.std() / np.sqrt(REPETITIONS)


def test_the_budget_is_kept_with_the_given_certainty():
    def error_rate(rank):
        return 0.3 * (1 - rank) ** 3

    thresholds, _ = simulate(error_rate, seed=1, budget=BUDGET, certainty=0.9)
    coverage = 1 - thresholds
    exceeded = accepted_and_wrong(error_rate, thresholds) > BUDGET * coverage + 1e-6
    assert binomtest(int(exceeded.sum()), REPETITIONS, 0.1, alternative="greater").pvalue > 0.01
    assert coverage.mean() > 0.2


@pytest.fixture(scope="module")
def pretrained():
    return load_pretrained()


def test_the_pretrained_weights_have_high_coverage_within_the_budget(pretrained, mnist):
    validation, test = evaluate(pretrained, mnist.validation), evaluate(pretrained, mnist.test)
    selection = select_confident(test, confidence_threshold(validation, budget=0.001))
    assert selection.coverage >= 0.92
    assert selection.error <= 0.001
    certain = select_confident(test, confidence_threshold(validation, budget=0.001, certainty=0.95))
    assert 0.6 < certain.coverage < 0.8
    assert certain.wrong <= 1


def test_the_sure_confidence_is_at_least_the_threshold(pretrained, mnist):
    probabilities = mean_probabilities(pretrained, mnist.validation.images)
    assert confidence_threshold(Evaluation(mnist.validation.labels, probabilities), budget=0.001) <= SURE_CONFIDENCE


def test_too_few_images_give_an_infinite_threshold():
    few = predicting_zero(np.full(900, 0.99), np.zeros(900, bool))
    assert confidence_threshold(few, budget=0.001) == np.inf
    assert confidence_threshold(few, budget=0.001, certainty=0.95) == np.inf
    assert repr(select_confident(few, np.inf)).startswith("0 of 900 accepted (0.0 %), 0 of these wrong: ")


def test_invalid_arguments_are_refused(eight):
    with pytest.raises(ValueError, match="budget must be between 0 and 1"):
        confidence_threshold(eight, budget=0)
    with pytest.raises(ValueError, match="certainty must be between 0 and 1"):
        confidence_threshold(eight, certainty=95)
