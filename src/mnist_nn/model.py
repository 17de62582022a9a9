"""The network 784-128-64-10: as a Keras model for training, and in NumPy for predictions without TensorFlow.

Importing TensorFlow takes seconds, and the three matrix products of a prediction take none. So TensorFlow is imported
inside the functions that need it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

from ._internal.arguments import check_whole_number
from ._internal.files import atomic_write
from ._internal.weights import (
    MAX_LAYERS,
    MAX_UNITS,
    names_and_shapes,
    read_network,
    read_weights,
    serialize_weights,
)
from .data import check_images

if TYPE_CHECKING:
    from ._internal.tensorflow import keras

HIDDEN, CLASSES = (128, 64), 10  # units of the textbook's ReLU layers, and of the softmax layer
PRETRAINED = Path(__file__).parent / "pretrained" / "mnist_nn.weights.h5"
MAX_BATCH = 10_000  # images at once, which take 40 MB


class Network:
    """The network in NumPy. It gives the same probabilities as the Keras model, except for the last digits.

    Args:
        weights: Kernel and bias of each layer in turn, float32, as `model.get_weights()` returns them.
    """

    input_shape: tuple[int | None, ...] = (None, 28, 28)  # like the attributes of a Keras model
    output_shape: tuple[int | None, ...] = (None, CLASSES)

    def __init__(self, weights: Sequence[np.ndarray]) -> None:
        self.layers: list[tuple[np.ndarray, np.ndarray]] = list(zip(weights[::2], weights[1::2], strict=True))

    def __repr__(self) -> str:
        kernels = [kernel for kernel, _ in self.layers]
        return f"Network({'-'.join(str(n) for n in [len(kernels[0]), *(kernel.shape[1] for kernel in kernels)])})"

    def __call__(self, images: np.ndarray, training: bool = False) -> np.ndarray:
        """Return the probabilities of the ten digits, float32 (n, 10), for pixels 0 to 255, (n, 28, 28)."""
        values = images.reshape(len(images), -1) * np.float32(1 / 255)
        for kernel, bias in self.layers[:-1]:
            values = np.maximum(values @ kernel + bias, 0)
        kernel, bias = self.layers[-1]
        logits = values @ kernel + bias
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)


ModelLike: TypeAlias = "keras.Model | Network"
Model = TypeVar("Model", bound=ModelLike)


def build_model(seed: int = 0, *, hidden: Sequence[int] = HIDDEN) -> keras.Model:
    """Return the untrained network, by default 784-128-64-10 with 109,386 parameters.

    The input is raw pixels 0 to 255, (n, 28, 28), of any numeric type: the model scales them to 0..1 and flattens
    them. The output is the probabilities of the ten digits, float32 (n, 10).

    Args:
        seed: Determines the initial weights: a whole number from 0 to 4,294,967,295.
        hidden: The number of units of each hidden layer. The default is the textbook's; () gives no hidden layer.

    Returns:
        A Keras model, not yet compiled.

    Raises:
        ValueError: `seed` is out of range or not a whole number, or `hidden` is not at most 8 numbers from 1 to 2,048.

    Example:
        >>> from mnist_nn import build_model
        >>> build_model(seed=0).count_params()
        109386
        >>> build_model(hidden=(300, 100)).count_params()
        266610

    Notes:
        He initialisation: K. He et al., "Delving deep into rectifiers", arXiv:1502.01852.
    """
    from ._internal.tensorflow import keras

    check_seed(seed)
    hidden = _check_hidden(hidden)
    # Keras takes seeds of 31 bits.
    seeds = [int(state) // 2 for state in np.random.SeedSequence(seed).generate_state(len(hidden) + 1)]
    initializers: Any = [keras.initializers.HeNormal(state) for state in seeds]
    return keras.Sequential(
        [
            keras.Input((28, 28), name="pixels"),
            keras.layers.Rescaling(1 / 255, name="scaled"),
            keras.layers.Flatten(name="flat"),
            *(
                keras.layers.Dense(units, "relu", kernel_initializer=initializer, name=f"hidden_{number}")
                for number, (units, initializer) in enumerate(zip(hidden, initializers, strict=False), 1)
            ),
            keras.layers.Dense(CLASSES, "softmax", kernel_initializer=initializers[-1], name="digits"),
        ],
        name="mnist_nn",
    )


def load_pretrained() -> keras.Model:
    """Return the Keras model with the pretrained weights; `pretrained/README.md` in the package describes them.

    Returns:
        A Keras model that classifies 99.45 % of MNIST's test images correctly.

    Example:
        >>> from mnist_nn import load_pretrained
        >>> load_pretrained().output_shape
        (None, 10)
    """
    return load_weights(build_model(), PRETRAINED)


def load_network(path: str | Path = PRETRAINED) -> Network:
    """Return the network in NumPy, which predicts without TensorFlow.

    Args:
        path: A `.weights.h5` file of a network that `build_model` returned, with any number of hidden layers. The
            default is the pretrained weights.

    Returns:
        A Network, accepted by every function that only predicts.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not a weights file, is damaged, or belongs to another architecture.

    Example:
        >>> from mnist_nn import load_network
        >>> load_network()
        Network(784-128-64-10)
    """
    return Network(read_network(path, inputs=28 * 28, outputs=CLASSES))


def save_weights(model: keras.Model, path: str | Path) -> Path:
    """Write the weights of a model to a file in Keras' format, whole or not at all.

    Args:
        model: A Keras model from (n, 28, 28) pixels to (n, 10) probabilities. The optimiser's state is not saved.
        path: A file name that ends in `.weights.h5`. Its folder is created if necessary.

    Returns:
        The path of the file.

    Raises:
        ValueError: `path` has another suffix, or `model` is not such a model.
        OSError: The file cannot be written; an earlier file at `path` is unchanged.

    Example:
        >>> import tempfile
        >>> from mnist_nn import build_model, save_weights
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_weights(build_model(), f"{folder}/my.weights.h5").name
        'my.weights.h5'
    """
    path = Path(path)
    if not path.name.endswith(".weights.h5"):
        remedy = f"type {path / 'model.weights.h5'}" if path.is_dir() else "rename it"
        raise ValueError(f"{path}: the name of a weights file must end in .weights.h5; {remedy}")
    content = serialize_weights(check_keras_model(model))
    with atomic_write(path) as written:
        written.write_bytes(content)
    return path


def load_weights(model: keras.Model, path: str | Path) -> keras.Model:
    """Read weights from a `.weights.h5` file into a model: all of them or none.

    The file need not be trusted: nothing in it can run code or fill the memory.

    Args:
        model: A Keras model whose weights are all in Dense layers, as `build_model` returns it.
        path: A file written by `save_weights` or by Keras.

    Returns:
        The same model.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not a weights file, is damaged, or belongs to another architecture.

    Example:
        >>> import tempfile
        >>> from mnist_nn import build_model, load_weights, save_weights
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = save_weights(build_model(seed=1), f"{folder}/my.weights.h5")
        ...     model = load_weights(build_model(), path)
    """
    check_keras_model(model)
    model.set_weights(read_weights(path, names_and_shapes(model)))
    return model


def predict_probabilities(model: ModelLike, images: np.ndarray) -> np.ndarray:
    """Return the probabilities of the ten digits for images in MNIST's format.

    Args:
        model: A Keras model from (n, 28, 28) pixels to (n, 10) probabilities, or a Network.
        images: uint8 (n, 28, 28), 0 for background to 255 for ink.

    Returns:
        float32 (n, 10); every row sums to 1.

    Raises:
        ValueError: The images have another shape or type, or the model's outputs are not probabilities.

    Example:
        >>> from mnist_nn import load_mnist, load_network, predict_probabilities
        >>> mnist = load_mnist()
        >>> predict_probabilities(load_network(), mnist.test.images[:3]).argmax(axis=1).tolist()
        [7, 2, 1]
    """
    images = check_images(images)
    check_model(model)
    # A direct call gives the same bits whether or not the model is compiled, and needs 3 ms for one image where
    # model.predict needs 50.
    parts = [model(images[start : start + MAX_BATCH], training=False) for start in range(0, len(images), MAX_BATCH)]
    probabilities = np.concatenate([np.asarray(part) for part in parts])
    if not np.allclose(probabilities.sum(axis=1), 1, atol=1e-3):  # also false for NaN
        raise ValueError(
            "the model's outputs are not probabilities; end it in softmax (if they are NaN, train it with a lower "
            "learning_rate)"
        )
    return probabilities


def check_keras_model(model: keras.Model) -> keras.Model:
    """Return `model` if it is a Keras model from 28x28 pixels to ten outputs, else raise ValueError."""
    from ._internal.tensorflow import keras

    if not isinstance(check_model(model), keras.Model):
        raise ValueError(
            f"model must be a Keras model, not a {type(model).__name__}; type load_pretrained(), or "
            "load_weights(build_model(), path)"
        )
    return model


def check_model(model: Model) -> Model:
    """Return `model` if it maps 28x28 pixels to ten outputs, else raise ValueError."""
    shapes = getattr(model, "input_shape", None), getattr(model, "output_shape", None)
    if shapes == (None, None):
        given = repr(str(model)) if isinstance(model, str | Path) else f"a {type(model).__name__}"
        remedy = f"load_network({given})" if given.endswith(".h5'") else "load_network() for the pretrained one"
        raise ValueError(f"model must be a Keras model or a Network, not {given}; type {remedy}")
    if shapes != ((None, 28, 28), (None, 10)):
        raise ValueError(
            f"model must be a Keras model from (n, 28, 28) pixels to (n, 10) probabilities, as build_model() returns; "
            f"this {type(model).__name__} goes from {shapes[0]} to {shapes[1]}"
        )
    return model


def _check_hidden(hidden: Any) -> list[int]:
    """Return the sizes of the hidden layers if they are valid, else raise ValueError."""
    numbers = isinstance(hidden, Sequence) and all(isinstance(units, int | np.integer) for units in hidden)
    if not numbers or not all(0 < units <= MAX_UNITS for units in hidden) or len(hidden) > MAX_LAYERS:
        raise ValueError(
            f"hidden must be at most {MAX_LAYERS} whole numbers from 1 to {MAX_UNITS:,}, as in hidden=(128, 64); "
            f"not {hidden!r}"
        )
    return [int(units) for units in hidden]


def check_seed(seed: int) -> None:
    """Raise ValueError if `seed` is not a whole number from 0 to 4,294,967,295."""
    check_whole_number("seed", seed, 0, 2**32 - 1)
