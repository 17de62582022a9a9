"""The Muon optimiser, which makes the update of every hidden weight matrix nearly orthogonal.

Sources: K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024. The scale of the update
follows J. Liu et al., "Muon is scalable for LLM training", arXiv:2502.16982.
"""

from typing import Any

from .tensorflow import keras

ops = keras.ops


@keras.saving.register_keras_serializable("mnist_nn")
class Muon(keras.optimizers.Adam):
    """Momentum with an orthogonalised update, so that all directions in a weight matrix are learned equally fast.

    Args:
        learning_rate: A number or a Keras schedule.
        hidden: The paths of the weight matrices to treat this way. Adam trains all other variables.
        momentum: Nesterov momentum of the gradients of these matrices.
        name: The optimiser's name.
        **adam: Further arguments of `keras.optimizers.Adam`.
    """

    def __init__(self, learning_rate: Any = 0.01, hidden=(), momentum=0.9, name="muon", **adam):
        super().__init__(learning_rate, name=name, **adam)
        self.hidden = list(hidden)
        self.momentum = momentum

    def build(self, variables):  # pyright: ignore[reportIncompatibleMethodOverride] (Keras has no annotations)
        super().build(variables)
        self._is_hidden = [variable.path in self.hidden for variable in variables]

    def update_step(self, gradient, variable, learning_rate):
        index = self._get_variable_index(variable)
        if not self._is_hidden[index]:
            super().update_step(gradient, variable, learning_rate)
            return
        velocity = self._momentums[index]
        self.assign(velocity, self.momentum * velocity + gradient)
        update = orthogonalize(gradient + self.momentum * velocity)
        # The entries of an orthogonal matrix are about 1/sqrt(longer side): scale them to 0.2, like Adam's updates.
        scale = 0.2 * max(variable.shape) ** 0.5
        self.assign_sub(variable, learning_rate * scale * update)

    def get_config(self):
        return super().get_config() | {"hidden": self.hidden, "momentum": self.momentum}


def orthogonalize(matrix):
    """Return approximately U @ V.T, where U S V.T is the singular value decomposition of `matrix`.

    Three Newton-Schulz steps with Jordan's coefficients; five steps cost more and did not raise validation accuracy.
    A step is X <- X p(X.T X), and p(X.T X) commutes with X.T X. So all steps work on that smaller square matrix, and
    only their product is multiplied by X.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix / (ops.norm(matrix) + 1e-7)
    square = ops.transpose(x) @ x if tall else x @ ops.transpose(x)
    steps = []
    for _ in range(3):
        steps.append(3.4445 * ops.eye(square.shape[0]) - 4.7750 * square + 2.0315 * square @ square)
        square = steps[-1] @ square @ steps[-1]
    product = steps[0] @ steps[1] @ steps[2]
    return x @ product if tall else product @ x
