"""Every number agrees with an independent source."""

import numpy as np
import pytest
from scipy.stats import binom, norm
from sklearn.metrics import classification_report, log_loss

from mnist_nn import Evaluation, evaluate, mcnemar


@pytest.fixture(scope="module")
def result(trained, mnist):
    return evaluate(trained[0], mnist.validation)


@pytest.fixture
def worked():
    """Four images: 3 right; the true digit's probabilities are 0.5, 0.9, 0.1 and 0.8."""
    probabilities = np.full((4, 10), 0.0, np.float32)
    probabilities[0, [3, 5]] = 0.5, 0.5
    probabilities[1, [3, 5]] = 0.9, 0.1
    probabilities[2, [7, 5]] = 0.1, 0.9
    probabilities[3, [7, 1]] = 0.8, 0.2
    return Evaluation(np.array([3, 3, 7, 7], np.uint8), probabilities)


def test_a_case_worked_by_hand(worked):
    assert worked.predicted.tolist() == [3, 3, 5, 7]
    assert (worked.correct, worked.accuracy) == (3, 0.75)
    assert worked.loss == pytest.approx(-np.log([0.5, 0.9, 0.1, 0.8]).mean())
    assert worked.mistakes.tolist() == [2]
    assert worked.confusion[7].tolist() == [0, 0, 0, 0, 0, 1, 0, 1, 0, 0]
    assert worked.confusion.sum() == 4
    assert worked.per_class.loc[7].tolist() == pytest.approx([1, 0.5, 2 / 3, 2])
    assert worked.per_class.loc[5, "precision"] == 0
    assert repr(worked) == "3 of 4 right: 75.00% (95 % interval 30.06% to 95.44%), loss 0.8311"


def test_wilson_interval_solves_its_equation(result):
    n, z = 5000, norm.ppf(0.975)
    for bound in result.interval:  # the bounds are the p for which the accuracy lies z standard errors away
        assert abs(result.accuracy - bound) == pytest.approx(z * np.sqrt(bound * (1 - bound) / n), rel=1e-9)


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


def test_mcnemar_agrees_with_the_binomial_distribution():
    labels = np.arange(1000) % 10
    for ours, theirs in [(0, 3), (20, 45), (100, 101)]:
        result = mcnemar(answers(labels, np.arange(ours)), answers(labels, 500 + np.arange(theirs)))
        assert result.p_value == pytest.approx(min(1, 2 * binom.cdf(ours, ours + theirs, 0.5)))


def test_mcnemar_of_a_network_with_itself(result):
    assert mcnemar(result, result).p_value == 1


def test_mcnemar_of_other_images(result, worked):
    with pytest.raises(ValueError, match="evaluations of the same images"):
        mcnemar(result, worked)


def test_accuracy_and_loss_agree_with_keras(trained, mnist, result):
    loss, accuracy = trained[0].evaluate(mnist.validation.images, mnist.validation.labels, verbose=0)
    assert result.accuracy == pytest.approx(accuracy, abs=1e-6)
    assert result.loss == pytest.approx(loss, rel=1e-3)


def test_loss_and_per_class_agree_with_scikit_learn(result):
    exact = result.probabilities.astype(np.float64)
    exact /= exact.sum(axis=1, keepdims=True)
    assert result.loss == pytest.approx(log_loss(result.labels, exact, labels=range(10)), rel=1e-4)
    report = classification_report(result.labels, result.predicted, output_dict=True)
    for digit in range(10):
        expected = [report[str(digit)][name] for name in ("precision", "recall", "f1-score", "support")]
        assert result.per_class.loc[digit].tolist() == pytest.approx(expected)


def test_the_parts_fit_together(result):
    assert result.confusion.sum() == 5000
    assert np.trace(result.confusion) == result.correct
    assert len(result.mistakes) == 5000 - result.correct
    assert (result.predicted[result.mistakes] != result.labels[result.mistakes]).all()
    assert (np.diff(result.confidence[result.mistakes]) <= 0).all()


def test_a_digit_that_does_not_occur(trained, small):
    result = evaluate(trained[0], small[small.labels == 4])
    assert result.confusion.shape == (10, 10)
    assert result.per_class["images"].tolist() == [0, 0, 0, 0, (small.labels == 4).sum(), 0, 0, 0, 0, 0]


def test_an_impossible_true_digit_has_a_finite_loss():
    probabilities = np.eye(10, dtype=np.float32)[[1]]
    assert 80 < Evaluation(np.array([0]), probabilities).loss < 100


def test_what_it_refuses(trained, mnist):
    with pytest.raises(ValueError, match="split must be a Split"):
        evaluate(trained[0], mnist.test.images)
    with pytest.raises(ValueError, match="model must be a Keras model"):
        evaluate("run/model.weights.h5", mnist.test)
