"""Training: batches that are a pure function of (seed, step), a warm-up and cosine schedule, Keras' fit."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .augmentation import Augmentation
from ._internal.tensorflow import keras, tf
from ._internal.checkpoint import Checkpoint, digest
from .data import Split, check_split
from .model import check_seed
from ._internal.muon import Muon
from .network import check_model
from ._internal.steps import shared_steps


class InterruptedTraining(UserWarning):
    """Training was interrupted by hand: the history is of the epochs before."""


def train(
    model: keras.Model,
    train: Split,
    validation: Split,
    *,
    epochs: int = 17,
    batch_size: int = 2048,
    learning_rate: float = 0.04,
    weight_decay: float = 0.2,
    augmentation: Augmentation | None = Augmentation(),
    optimizer: keras.optimizers.Optimizer | None = None,
    teacher: keras.Model | None = None,
    seed: int = 0,
    verbose: str | int = "auto",
    callbacks: Sequence = (),
    checkpoint: str | Path | None = None,
) -> keras.callbacks.History:
    """Train `model` in place and return Keras' History: loss, accuracy, val_loss and val_accuracy of every epoch.

    epochs: passes over the training images.
    batch_size: images a step. Half as many, at half the learning rate, take more time and gain nothing.
    learning_rate: the peak; it rises linearly over the first tenth of the steps and falls to 0 as a cosine.
    weight_decay: the share of the learning rate by which every weight shrinks at each step.
    augmentation: how strongly training images are warped; None for not at all.
    optimizer: one of your own in the place of `muon`; learning_rate and weight_decay are then its affair.
    teacher: a trained model whose probabilities for each warped image are learned instead of the image's label
        (distillation: G. Hinton, O. Vinyals and J. Dean, arXiv:1503.02531).
    seed: determines the order of the images and their warps, a whole number of at least 0. The same model, data and
        seed give the same weights bit for bit on the same machine.
    verbose: Keras' progress: "auto" or 1 a bar, 2 a line an epoch, 0 nothing.
    callbacks: further Keras callbacks. With dense layers alone, up to 64 steps are taken at once (Keras'
        `steps_per_execution`), and those on batches called once for all of them.
    checkpoint: a folder of this training's own, to which its state is written after every epoch. If the process is
        killed, the same call goes on from the last finished epoch, to the same weights and history bit for bit (your
        own callbacks begin anew); after the last one it returns the finished result at once.

    Interrupted by hand (Ctrl-C, the stop button), it warns of InterruptedTraining and returns the history of the
    finished epochs; the model is as the last step left it, or with a checkpoint as the last finished epoch did.
    A model made under a `tf.distribute` strategy is trained by that, the batch split among the devices.

    Raises ValueError, naming the argument, before anything is changed; also for a checkpoint of another training.
    """
    check_model(model)
    check_split("train", train)
    check_split("validation", validation)
    for name, value in {"epochs": epochs, "batch_size": batch_size}.items():
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, not {value!r}")
    for name, value, least in [("learning_rate", learning_rate, 1e-9), ("weight_decay", weight_decay, 0)]:
        if not isinstance(value, int | float) or not least <= value < float("inf"):
            raise ValueError(f"{name} must be a number of at least {least}, not {value!r}")
    check_seed(seed)
    batch_size = min(batch_size, len(train))
    steps = len(train) // batch_size
    history = keras.callbacks.History()
    history.set_params({"epochs": epochs})
    history.epoch, kept = [], None
    if checkpoint is not None:
        names = ("epochs", "batch_size", "learning_rate", "weight_decay", "augmentation", "seed")
        settings = {name: str(value) for name, value in locals().items() if name in names} | {
            "optimizer": repr(optimizer and (type(optimizer).__name__, optimizer.get_config())),
            "teacher": teacher and digest(*check_model(teacher).get_weights()),
            "training images": digest(train.images, train.labels),
            "validation images": digest(validation.images, validation.labels),
        }
        kept = Checkpoint(checkpoint, settings, model, history)
    first = kept.epochs if kept else 0
    data = batches(train, batch_size, epochs * steps, seed, augmentation, first * steps)
    loss, truth = "sparse_categorical_crossentropy", validation.labels
    if teacher is not None:
        data = taught(data, check_model(teacher))
        loss, truth = "categorical_crossentropy", keras.utils.to_categorical(truth, 10)
    held_out = as_is(tf.data.Dataset.from_tensor_slices((in_place(validation.images), truth)).batch(1000))
    strategy = model.distribute_strategy
    with strategy.scope():
        model.compile(
            optimizer or muon(model, warmup_cosine(learning_rate, epochs * steps), weight_decay),
            loss=loss,
            metrics=["accuracy"],
            jit_compile=False,  # as fast as XLA here, sooner off, and 100 MB less
            steps_per_execution=1 if tf.distribute.has_strategy() else steps_at_once(model, steps),
        )
        model.optimizer.build(model.trainable_variables)
    if kept:
        kept.restore(model)
        if kept.finished:
            return history
    try:
        with shared_steps(model, data, held_out):
            model.fit(
                data,
                initial_epoch=first,
                epochs=epochs,
                steps_per_epoch=steps,
                validation_data=held_out,
                shuffle=False,  # the batches are shuffled already
                verbose=verbose,
                callbacks=[history, *callbacks, *([kept] if kept else [])],
            )
    except KeyboardInterrupt:
        if kept:
            kept.restore(model)
        begun = len(history.epoch) + 1
        warnings.warn(f"training was interrupted in epoch {begun} of {epochs}", InterruptedTraining, stacklevel=2)
    return history


def steps_at_once(model: keras.Model, steps: int) -> int:
    """Return how many of an epoch's `steps` to take without a look at callbacks: all up to 64, else an equal part.

    Keras spends about a millisecond between two executions, an eighth of what the default's step takes. A model with
    other than dense layers may take seconds for a few steps: one at a time, that its progress shows.
    """
    dense = all(isinstance(layer, keras.layers.Dense) for layer in model.layers if layer.weights)
    return max(number for number in range(1, 65) if steps % number == 0) if dense else 1


def taught(data: tf.data.Dataset, teacher: keras.Model) -> tf.data.Dataset:
    """Return the batches with the teacher's probabilities, float32 (n, 10), in the place of the labels."""
    answer = tf.function(lambda images: teacher(images, training=False))
    return data.map(lambda images, _: (images, answer(images)), num_parallel_calls=2, deterministic=True).prefetch(4)


def muon(
    model: keras.Model,
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
    weight_decay: float,
    momentum: float = 0.8,
) -> Muon:
    """Return Muon for the hidden layers and Adam for the last one and all biases.

    The fewer the steps, the less momentum serves. The weight decay is decoupled from the gradient (I. Loshchilov and
    F. Hutter, arXiv:1711.05101).
    """
    kernels = [layer.kernel.path for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    return Muon(learning_rate, hidden=kernels[:-1], momentum=momentum, weight_decay=weight_decay)


def warmup_cosine(learning_rate: float, steps: int) -> keras.optimizers.schedules.CosineDecay:
    """Return a learning rate that rises linearly over the first tenth of `steps` and falls to zero as a cosine."""
    warmup = steps // 10
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        warmup_target=learning_rate,
        warmup_steps=warmup,
        decay_steps=steps - warmup,
    )


def batches(
    split: Split, batch_size: int, steps: int, seed: int, augmentation: Augmentation | None, first: int = 0
) -> tf.data.Dataset:
    """Return batches number `first` to `steps` of (images, labels), each a function of (seed, its number) alone.

    An epoch takes `len(split) // batch_size` batches from a permutation of its own; the few images left over are
    other ones in each epoch.
    """
    images, labels, n = in_place(split.images), tf.constant(split.labels), len(split)
    steps_per_epoch = n // batch_size

    @tf.autograph.experimental.do_not_convert
    def batch(step):
        epoch, place = step // steps_per_epoch, step % steps_per_epoch * batch_size
        key = tf.cast(tf.stack([tf.constant(seed, tf.int64), epoch]), tf.uint32)
        order = place + tf.range(batch_size, dtype=tf.int64)
        chosen = tf.random.experimental.index_shuffle(order, key, max_index=n - 1)
        batch_images = tf.gather(images, chosen)
        if augmentation is not None:
            strength = augmentation.strength(tf.cast(step, tf.float32) / steps)
            batch_images = augmentation.warp(batch_images, seed, step, strength)
        return batch_images, tf.gather(labels, chosen)

    # One batch at a time, on all threads: two at a time are no faster, and take the memory twice.
    return as_is(tf.data.Dataset.range(first, steps).map(batch).prefetch(1))


def as_is(data: tf.data.Dataset) -> tf.data.Dataset:
    """Return the data set with nothing in it to be tuned or optimised: there is no gain, and the images were copied."""
    options = tf.data.Options()
    options.autotune.enabled = False  # the tuner's thread can hold up the end of fit for half a minute
    options.experimental_optimization.apply_default_optimizations = False
    return data.with_options(options)


def in_place(array: np.ndarray) -> tf.Tensor:
    """Return a tensor that shares the array's memory if that is possible, else a copy."""
    shared = array.flags.c_contiguous and array.flags.writeable and array.ctypes.data % 64 == 0
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__()) if shared else tf.constant(array)
