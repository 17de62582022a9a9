"""The Keras model: 28x28 = 784 inputs, 128 and 64 ReLU units, 10 probabilities; 109,386 parameters. Saving weights."""

import io
from pathlib import Path

import numpy as np

from ._internal.tensorflow import keras
from ._internal.files import replacing
from .network import PRETRAINED, UNITS, check_model, read_weights, weight_name


def build_model(seed: int = 0) -> keras.Model:
    """Return the untrained 784-128-64-10 network.

    Input: raw pixels 0 to 255, (n, 28, 28), any numeric type; scaling to 0..1 and flattening happen inside.
    Output: probabilities of the ten digits, float32 (n, 10).
    seed: determines the initial weights (K. He et al., "Delving deep into rectifiers", 2015), a whole number from 0.

    Raises ValueError for another seed.
    """
    check_seed(seed)
    # Keras takes seeds of 31 bits.
    seeds = [int(state) // 2 for state in np.random.SeedSequence(seed).generate_state(3)]
    initializers = map(keras.initializers.HeNormal, seeds)
    names, activations = ["hidden_1", "hidden_2", "digits"], ["relu", "relu", "softmax"]
    return keras.Sequential(
        [
            keras.Input((28, 28), name="pixels"),
            keras.layers.Rescaling(1 / 255, name="scaled"),
            keras.layers.Flatten(name="flat"),
            *(
                keras.layers.Dense(units, activation, kernel_initializer=initializer, name=name)
                for units, activation, initializer, name in zip(UNITS, activations, initializers, names, strict=True)
            ),
        ],
        name="mnist_nn",
    )


def check_seed(seed: int) -> None:
    """Raise ValueError if `seed` is not a whole number from 0 to 4,294,967,295."""
    if not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise ValueError(f"seed must be a whole number from 0 to 4,294,967,295, not {seed!r}")


def load_pretrained() -> keras.Model:
    """Return the network with the weights that ship; pretrained/README.md beside them is their model card."""
    return load_weights(build_model(), PRETRAINED)


def save_weights(model: keras.Model, path: str | Path) -> Path:
    """Write the weights to `path` in Keras' format, whole or not at all, and return the path.

    The optimizer's state is left out. path: ends in `.weights.h5`; its folder is made if need be.
    """
    path = Path(path)
    if not path.name.endswith(".weights.h5"):
        raise ValueError(f"{path}: Keras' weight files end in .weights.h5; name it so")
    bare = model.from_config(check_model(model).get_config())  # a copy has no optimizer to be saved with it
    bare.set_weights(model.get_weights())
    file = _WeightsFile()
    bare.save_weights(file)
    with replacing(path) as written:
        written.write_bytes(file.getvalue())
    return path


class _WeightsFile(io.BytesIO):
    """A file in memory, where Keras may write: HDF5 crashes the process when it finds the disk full."""

    def __str__(self) -> str:
        return "model.weights.h5"  # Keras looks at the ending


def load_weights(model: keras.Model, path: str | Path) -> keras.Model:
    """Return `model` with its weights read from a `.weights.h5` file, all of them or none.

    Read by name and shape: nothing else in the file is looked at, so it can neither run code nor fill the memory.

    Raises FileNotFoundError if there is no such file, ValueError if it is not one or is of another architecture.
    """
    weights = read_weights(path, _names_and_shapes(check_model(model)))
    model.set_weights(weights)
    return model


def _names_and_shapes(model):
    """Yield the name in a weights file and the shape of every weight, in the order of `model.get_weights()`."""
    layers = [layer for layer in model.layers if layer.weights]
    for number, layer in enumerate(layers):
        if not isinstance(layer, keras.layers.Dense):
            raise ValueError(
                f"model must hold its weights in Dense layers, not in a {type(layer).__name__}; use Keras to load it"
            )
        for i, weight in enumerate(layer.weights):
            yield weight_name(number, i), tuple(weight.shape)
