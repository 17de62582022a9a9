"""Train the pretrained weights again: `python -m mnist_nn.pretrained [FILE]`, about ten minutes on two cores.

First a convolutional network, the teacher, is trained on the 55,000 training images. Then the network 784-128-64-10
learns the teacher's probabilities for distorted images (distillation: G. Hinton, O. Vinyals and J. Dean,
arXiv:1503.02531). The validation images are only evaluated, and no other data are used.
"""

import sys
from pathlib import Path
from typing import Any

from .._internal.tensorflow import keras, tf
from ..augmentation import Augmentation
from ..data import Mnist, load_mnist
from ..evaluation import evaluate
from ..model import PRETRAINED, build_model, check_seed, save_weights
from ..training import batches, muon, steps_per_execution, train, validation_batches, warmup_cosine

SEED = 0
EPOCHS, BATCH_SIZE, LEARNING_RATE = 100, 1024, 0.015


def build_teacher(seed: int = 0) -> keras.Model:
    """Return an untrained convolutional network from (n, 28, 28) pixels to probabilities, with 66,778 parameters.

    Each convolution is followed by batch normalisation (S. Ioffe and C. Szegedy, arXiv:1502.03167).
    """
    check_seed(seed)
    keras.utils.set_random_seed(seed)
    layers = keras.layers

    def convolution(filters, size, **options):
        convolve = layers.Conv2D(filters, size, use_bias=False, **options)
        return [convolve, layers.BatchNormalization(momentum=0.98), layers.ReLU()]

    return keras.Sequential(
        [
            keras.Input((28, 28), name="pixels"),
            layers.Rescaling(1 / 255),
            layers.Reshape((28, 28, 1)),
            *convolution(16, 5, padding="same"),
            layers.MaxPool2D(),
            *convolution(32, 3, padding="same"),
            layers.MaxPool2D(),
            *convolution(64, 3, padding="same"),
            *convolution(64, 3, strides=2),
            layers.Flatten(),
            layers.Dropout(0.3, seed=seed),
            layers.Dense(10, activation="softmax"),
        ],
        name="teacher",
    )


def train_teacher(mnist: Mnist, seed: int = SEED, epochs: int = 12) -> keras.Model:
    """Return the trained teacher."""
    teacher = build_teacher(seed)
    steps = epochs * (len(mnist.train) // 256)
    optimizer = muon(teacher, warmup_cosine(0.006, steps), weight_decay=0.02)
    splits = mnist.train, mnist.validation
    train(teacher, *splits, epochs=epochs, batch_size=256, optimizer=optimizer, seed=seed, verbose=2)
    return teacher


def distill(
    teacher: keras.Model, mnist: Mnist, seed: int = SEED, epochs: int = EPOCHS, batch_size: int = BATCH_SIZE
) -> keras.Model:
    """Return the network 784-128-64-10, trained on the teacher's probabilities."""
    model: Any = build_model(seed)
    steps = len(mnist.train) // batch_size
    data = batches(mnist.train, batch_size, epochs * steps, seed, Augmentation(final_strength=0.5))
    predict = tf.function(lambda images: teacher(images, training=False))
    data = data.map(lambda images, _: (images, predict(images)), num_parallel_calls=2, deterministic=True).prefetch(4)
    model.compile(
        muon(model, warmup_cosine(LEARNING_RATE, epochs * steps), weight_decay=0.05, momentum=0.9),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,
        steps_per_execution=steps_per_execution(model, steps),
    )
    held_out = validation_batches(mnist.validation).map(lambda images, labels: (images, tf.one_hot(labels, 10)))
    model.fit(data, epochs=epochs, steps_per_epoch=steps, validation_data=held_out, shuffle=False, verbose=2)
    return model


def main(path: Path = PRETRAINED) -> None:
    """Train the teacher and the network, write the network's weights to `path`, and print the progress."""
    mnist = load_mnist()
    teacher = train_teacher(mnist)
    print(f"teacher on validation: {evaluate(teacher, mnist.validation)}")
    model = distill(teacher, mnist)
    save_weights(model, path)
    print(f"network on validation: {evaluate(model, mnist.validation)}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
