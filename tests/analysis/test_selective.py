"""Thresholds keep their promise: by hand, in simulations whose truth is known, and on the shipped weights."""

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
from mnist_nn.pictures.digit import SURE, mean_probabilities


def answers(confidence, wrong):
    """An evaluation of images read as 0 with these confidences (0.5 and more), wrong or right."""
    probabilities = np.zeros((len(confidence), 10), np.float32)
    probabilities[:, 0], probabilities[:, 1] = confidence, 1 - confidence
    return Evaluation(np.where(wrong, 1, 0), probabilities)


@pytest.fixture
def worked():
    """Eight images, the surest first; the third and the last two are wrong, the third as sure as the second."""
    confidence = np.array([1, 0.9375, 0.9375, 0.875, 0.8125, 0.75, 0.6875, 0.625])
    return answers(confidence, np.array([0, 0, 1, 0, 0, 0, 1, 1], bool))


def test_a_curve_worked_by_hand(worked):
    expected = {
        "threshold": [1, 0.9375, 0.875, 0.8125, 0.75, 0.6875, 0.625],
        "accepted": [1, 3, 4, 5, 6, 7, 8],
        "wrong": [0, 1, 1, 1, 1, 2, 3],
        "coverage": np.array([1, 3, 4, 5, 6, 7, 8]) / 8,
        "error": [0, 1 / 3, 1 / 4, 1 / 5, 1 / 6, 2 / 7, 3 / 8],
    }
    pd.testing.assert_frame_equal(risk_coverage(worked), pd.DataFrame(expected), check_dtype=False)


def test_thresholds_worked_by_hand(worked):
    assert confidence_threshold(worked, budget=0.35) == 0.75  # (1 + 1) / 6
    assert confidence_threshold(worked, budget=0.43) == 0.6875  # (2 + 1) / 7
    assert confidence_threshold(worked, budget=0.3) == np.inf  # never: (1 + 1) / 6 is the least
    assert select_confident(worked, np.inf).coverage == 0


def test_certain_thresholds_worked_by_hand(worked):
    # Of 2 that are surer than the third, whose confidence it is, at most 1 is wrong with probability 1 - 0.6**2 = 0.64,
    # too often to be half certain; of 3 with 0.352, of 4 with 0.18, ..., and at most 3 of 7 with 0.29.
    assert confidence_threshold(worked, budget=0.6, certainty=0.5) == np.inf
    assert confidence_threshold(worked, budget=0.6, certainty=0.3) == 0.625


def test_a_selection_worked_by_hand(worked):
    chosen = select_confident(worked, 0.75)
    assert (chosen.images, chosen.accepted, chosen.wrong) == (8, 6, 1)
    assert (chosen.coverage, chosen.error) == (0.75, 1 / 6)
    assert chosen.interval == pytest.approx(proportion_confint(1, 6, method="wilson"))
    assert repr(chosen).startswith("6 of 8 answered (75.0%), 1 of these wrong: 16.667% (95 % interval ")


# How probable a mistake is at a rank from 0, the least sure, to 1: the first as one hopes, the second upside down.
TRUTHS = {"the sure are right": lambda rank: 0.3 * (1 - rank), "the sure are wrong": lambda rank: 0.08 * rank}
IMAGES, BUDGET, TIMES = 300, 0.05, 500


def simulated(truth, seed, **options):
    """The thresholds, as ranks, that many sets of images lead to, and how many of each set's images they accept."""
    random, thresholds, accepted = np.random.default_rng(seed), [], []
    for _ in range(TIMES):
        rank = random.random(IMAGES)
        result = answers(0.5 + rank / 2, random.random(IMAGES) < truth(rank))
        threshold = confidence_threshold(result, **options)
        thresholds.append(min(2 * threshold - 1, 1))
        accepted.append(select_confident(result, threshold).accepted)
    return np.array(thresholds), np.array(accepted)


def wrong_above(truth, thresholds):
    """The probability that an image is accepted and read wrong, for each threshold."""
    ranks = (np.arange(10_000) + 0.5) / 10_000
    above = np.append(np.cumsum(truth(ranks)[::-1])[::-1], 0) / 10_000
    return above[(thresholds * 10_000).round().astype(int)]


@pytest.mark.parametrize("name", TRUTHS)
def test_the_promise_in_expectation_is_kept(name):
    truth = TRUTHS[name]
    thresholds, accepted = simulated(truth, seed=0, budget=BUDGET)
    error = wrong_above(truth, thresholds) / np.maximum(accepted / (IMAGES + 1), 1e-9)
    margin = 3 * error.std() / np.sqrt(TIMES)
    assert error.mean() <= BUDGET + margin
    assert error.mean() >= 0.5 * BUDGET  # and not by answering next to nothing


def test_without_the_one_more_the_promise_is_broken(monkeypatch):
    truth = TRUTHS["the sure are right"]

    def one_less(result):
        table = risk_coverage(result)
        return table.assign(wrong=table["wrong"] - 1)

    monkeypatch.setattr("mnist_nn.analysis.selective.risk_coverage", one_less)
    thresholds, accepted = simulated(truth, seed=0, budget=BUDGET)
    error = wrong_above(truth, thresholds) / np.maximum(accepted / (IMAGES + 1), 1e-9)
    assert error.mean() > BUDGET + 3 * error.std() / np.sqrt(TIMES)


def test_the_promise_with_certainty_is_kept():
    def truth(rank):
        return 0.3 * (1 - rank) ** 3

    thresholds, _ = simulated(truth, seed=1, budget=BUDGET, certainty=0.9)
    coverage = 1 - thresholds
    broken = wrong_above(truth, thresholds) > BUDGET * coverage + 1e-6
    assert binomtest(int(broken.sum()), TIMES, 0.1, alternative="greater").pvalue > 0.01
    assert coverage.mean() > 0.2


@pytest.fixture(scope="module")
def shipped():
    return load_pretrained()


def test_the_shipped_weights_answer_nearly_all_with_hardly_an_error(shipped, mnist):
    validation, test = evaluate(shipped, mnist.validation), evaluate(shipped, mnist.test)
    chosen = select_confident(test, confidence_threshold(validation, budget=0.001))
    assert chosen.coverage >= 0.92
    assert chosen.error <= 0.001
    certain = select_confident(test, confidence_threshold(validation, budget=0.001, certainty=0.95))
    assert 0.8 < certain.coverage < 0.9
    assert certain.wrong == 1


def test_predictions_are_sure_with_room_to_spare(shipped, mnist):
    probabilities = mean_probabilities(shipped, mnist.validation.images)
    assert confidence_threshold(Evaluation(mnist.validation.labels, probabilities), budget=0.001) <= SURE


def test_too_few_images_promise_nothing():
    few = answers(np.full(900, 0.99), np.zeros(900, bool))
    assert confidence_threshold(few, budget=0.001) == np.inf
    assert confidence_threshold(few, budget=0.001, certainty=0.95) == np.inf
    assert repr(select_confident(few, np.inf)).startswith("0 of 900 answered (0.0%), 0 of these wrong: ")


def test_what_it_refuses(worked):
    with pytest.raises(ValueError, match="budget must be between 0 and 1"):
        confidence_threshold(worked, budget=0)
    with pytest.raises(ValueError, match="certainty must be between 0 and 1"):
        confidence_threshold(worked, certainty=95)
