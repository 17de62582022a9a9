"""Muon's update is nearly the orthogonal factor of the gradient, and a model can be saved with the optimiser."""

import numpy as np
import pytest
from scipy.linalg import polar

from mnist_nn._internal.muon import Muon, orthogonalize
from mnist_nn._internal.tensorflow import keras


@pytest.mark.parametrize("shape", [(784, 128), (128, 64), (30, 40)])
def test_the_update_is_nearly_orthogonal(shape):
    matrix = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    result = np.asarray(orthogonalize(keras.ops.convert_to_tensor(matrix)))
    values = np.linalg.svd(result, compute_uv=False)
    assert 0.5 < values.min() < values.max() < 1.3
    exact = polar(matrix)[0]
    assert (result * exact).sum() / np.linalg.norm(result) / np.linalg.norm(exact) > 0.98


def test_variables_that_are_not_hidden_are_trained_by_adam():
    matrix, bias = (
        keras.Variable(np.eye(4, 3, dtype="f4"), name="kernel"),
        keras.Variable(np.zeros(3, "f4"), name="bias"),
    )
    gradients = [keras.ops.ones((4, 3)), keras.ops.ones(3)]
    muon, adam = Muon(0.1, hidden=[matrix.path]), keras.optimizers.Adam(0.1)
    expected = keras.Variable(np.zeros(3, "f4"))
    muon.apply(gradients, [matrix, bias])
    adam.apply(gradients[1:], [expected])
    np.testing.assert_array_equal(bias.numpy(), expected.numpy())
    step = np.eye(4, 3) - matrix.numpy()  # all entries are equal, because the gradient is all ones
    np.testing.assert_allclose(step, step[0, 0], rtol=1e-4)
    assert np.linalg.norm(step) == pytest.approx(0.1 * 0.2 * 2, rel=0.4)


def test_a_whole_model_can_be_saved_and_loaded(trained, tmp_path):
    trained[0].save(tmp_path / "whole.keras")
    loaded = keras.models.load_model(tmp_path / "whole.keras")
    assert isinstance(loaded.optimizer, Muon)
    assert loaded.optimizer.hidden == trained[0].optimizer.hidden
