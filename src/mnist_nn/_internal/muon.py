"""The Muon optimiser: 14 epochs of it gave the validation accuracy of 24 epochs of Adam.

K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024; update scaled as in J. Liu et al.,
"Muon is scalable for LLM training", arXiv:2502.16982. Keras has a Muon too, but its defaults and its scaling differ
between the Keras releases for Python 3.10 and 3.13, and one recipe should mean one thing.
"""

from .tensorflow import keras

ops = keras.ops


@keras.saving.register_keras_serializable("mnist_nn")
class Muon(keras.optimizers.Adam):
    """Momentum whose update of a weight matrix is made orthogonal: all directions in it are learned equally fast.

    hidden: paths of the weight matrices (two-dimensional variables) to treat so; Adam trains all others.
    momentum: of the matrices' gradients, Nesterov's form.
    Other arguments are Adam's.
    """

    def __init__(self, learning_rate=0.01, hidden=(), momentum=0.9, name="muon", **adam):
        super().__init__(learning_rate, name=name, **adam)
        self.hidden = list(hidden)
        self.momentum = momentum

    def build(self, variables):
        super().build(variables)
        self._orthogonal = [variable.path in self.hidden for variable in variables]

    def update_step(self, gradient, variable, learning_rate):
        index = self._get_variable_index(variable)
        if not self._orthogonal[index]:
            super().update_step(gradient, variable, learning_rate)
            return
        velocity = self._momentums[index]
        self.assign(velocity, self.momentum * velocity + gradient)
        update = orthogonal(gradient + self.momentum * velocity)
        # An orthogonal matrix has entries of about 1/sqrt(its longer side): bring them to 0.2, like Adam's.
        scale = 0.2 * max(variable.shape) ** 0.5
        self.assign_sub(variable, learning_rate * scale * update)

    def get_config(self):
        return super().get_config() | {"hidden": self.hidden, "momentum": self.momentum}


def orthogonal(matrix):
    """Return nearly U @ V.T of the singular value decomposition U S V.T of a matrix, by three Newton-Schulz steps.

    With these coefficients (Jordan, 2024) a step multiplies small singular values by more than three. The usual five
    steps cost more and gave no higher validation accuracy here. A step is X <- X p(X.T X), and p(X.T X) commutes with
    X.T X: so all is done on that smaller, square matrix, and only the product of the steps multiplies X.
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
