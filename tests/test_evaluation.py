"""All metrics agree with an example computed by hand and with Keras, scikit-learn and statsmodels."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import classification_report, confusion_matrix, log_loss
from statsmodels.stats.proportion import proportion_confint

from mnist_nn import Evaluation, evaluate
from mnist_nn.evaluation import wilson_interval


@pytest.fixture(scope="module")
def result(trained, mnist):
    return evaluate(trained[0], mnist.validation)


@pytest.fixture
def four():
    """Four images, three of them correct; the true digits have the probabilities 0.5, 0.9, 0.1 and 0.8."""
    probabilities = np.full((4, 10), 0.0, np.float32)
    probabilities[0, [3, 5]] = 0.5, 0.5
    probabilities[1, [3, 5]] = 0.9, 0.1
    probabilities[2, [7, 5]] = 0.1, 0.9
    probabilities[3, [7, 1]] = 0.8, 0.2
    return Evaluation(np.array([3, 3, 7, 7], np.uint8), probabilities)


def test_metrics_computed_by_hand(four):
    assert four.predicted.tolist() == [3, 3, 5, 7]
    assert (four.correct, four.accuracy) == (3, 0.75)
    assert four.loss == pytest.approx(-np.log([0.5, 0.9, 0.1, 0.8]).mean())
    assert four.mistakes.tolist() == [2]
    assert four.confusion[7].tolist() == [0, 0, 0, 0, 0, 1, 0, 1, 0, 0]
    assert four.confusion.sum() == 4
    assert four.per_class.loc[7].tolist() == pytest.approx([1, 0.5, 2 / 3, 2])
    assert four.per_class.loc[5, "precision"] == 0
    assert repr(four) == "3 of 4 correct: 75.00 % (95 % interval 30.06 to 95.44 %), loss 0.8311"


@pytest.mark.parametrize(("correct", "images"), [(0, 10), (3, 4), (4968, 5000), (9937, 10_000), (7, 7)])
def test_the_interval_agrees_with_statsmodels(correct, images):
    assert wilson_interval(correct, images) == pytest.approx(
        proportion_confint(correct, images, method="wilson"), abs=1e-9
    )


@pytest.mark.parametrize(("correct", "images"), [(5, 3), (-1, 3), (0, 0), (0.5, 3)])
def test_an_interval_of_impossible_counts_is_refused(correct, images):
    with pytest.raises(ValueError, match="must be a whole number"):
        wilson_interval(correct, images)


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
    assert np.array_equal(result.confusion, confusion_matrix(result.labels, result.predicted))


def test_the_metrics_are_consistent(result):
    assert result.confusion.sum() == 5000
    assert np.trace(result.confusion) == result.correct
    assert len(result.mistakes) == 5000 - result.correct
    assert (result.predicted[result.mistakes] != result.labels[result.mistakes]).all()
    assert (np.diff(result.confidence[result.mistakes]) <= 0).all()


def test_digits_without_images_count_as_zero(trained, small):
    result = evaluate(trained[0], small[small.labels == 4])
    assert result.confusion.shape == (10, 10)
    assert result.per_class["images"].tolist() == [0, 0, 0, 0, (small.labels == 4).sum(), 0, 0, 0, 0, 0]


def test_the_loss_is_finite_if_a_true_digit_has_probability_0():
    probabilities = np.eye(10, dtype=np.float32)[[1]]
    assert 80 < Evaluation(np.array([0]), probabilities).loss < 100


def test_invalid_arguments_are_refused(trained, mnist):
    with pytest.raises(ValueError, match="split must be a Split"):
        evaluate(trained[0], mnist.test.images)
    with pytest.raises(ValueError, match="model must be a Keras model"):
        evaluate("run/model.weights.h5", mnist.test)


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        (np.array([[1], [2]]), np.eye(10)[:2], r"\(2, 1\); type labels.ravel\(\)"),
        (np.eye(10)[:2], np.eye(10)[:2], r"labels.argmax\(axis=1\) for one-hot"),
        (np.array([1, 12]), np.eye(10)[:2], "labels must be from 0 to 9, not from 1 to 12"),
        (np.array([1, 2, 3]), np.eye(10)[:2], r"probabilities must have shape \(3, 10\), not \(2, 10\)"),
        (np.array([1, 2]), np.eye(3)[:2], r"probabilities must have shape \(2, 10\), not \(2, 3\)"),
        (np.array([], int), np.empty((0, 10)), "labels must hold at least one"),
        (np.array([1, 2]), np.full((2, 10), np.nan), "probabilities must be from 0 to 1, without NaN"),
        (np.array([1, 2]), np.full((2, 10), -3.0), "probabilities must be from 0 to 1, without NaN"),
    ],
)
def test_an_evaluation_of_other_shapes_is_refused(labels, probabilities, message):
    with pytest.raises(ValueError, match=message):
        Evaluation(labels, probabilities)


def test_an_evaluation_accepts_what_other_libraries_return():
    expected = Evaluation(np.array([1, 2]), np.eye(10)[[1, 3]])
    for result in (
        Evaluation([1, 2], np.eye(10)[[1, 3]].tolist()),
        Evaluation(pd.Series([1, 2], index=[7, 3]), pd.DataFrame(np.eye(10)[[1, 3]])),
    ):
        assert (result.correct, result.loss) == (expected.correct, expected.loss)
        assert np.array_equal(result.confusion, expected.confusion)
