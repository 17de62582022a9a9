"""Train a model: a learning-rate schedule, an optimiser, and Keras' `fit`."""

import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ._internal.arguments import check_whole_number
from ._internal.checkpoint import Checkpoint, digest
from ._internal.distributed import strategy_scope
from ._internal.tensorflow import keras, tf
from .augmentation import Augmentation
from .batches import batches, steps_per_epoch, validation_batches
from .calibration import fold_temperature
from .data import Split, check_split
from .model import check_keras_model, check_seed, predict_probabilities
from .non_digits import DigitAccuracy, DigitLoss, NonDigits

MAX_STEPS_PER_EXECUTION = 64
LEARNING_RATE = 0.04
WEIGHT_DECAY = 0.2


class InterruptedTraining(UserWarning):
    """Training was interrupted by hand; the history covers the finished epochs."""


def train(
    model: keras.Model,
    train: Split,
    validation: Split,
    *,
    epochs: int = 17,
    batch_size: int = 2048,
    augmentation: Augmentation | None = Augmentation(),
    non_digits: NonDigits | None = NonDigits(),
    optimizer: keras.optimizers.Optimizer | None = None,
    seed: int = 0,
    verbose: str | int = "auto",
    callbacks: Sequence[keras.callbacks.Callback] = (),
    checkpoint: str | Path | None = None,
) -> keras.callbacks.History:
    """Train a model in place and return Keras' History.

    The same model, data and seed give the same weights, bit for bit, on the same machine. If you interrupt training
    (Ctrl-C or the stop button), it warns with InterruptedTraining and returns the history of the finished epochs. A
    model created under a `tf.distribute` strategy is trained with it.

    Beside the digits, the model sees images that are not digits and learns to give every digit the probability 0.1
    for them. This makes it less confident about digits too. So after the last epoch a temperature is fitted on the
    validation images and folded into the last layer, if that is a Dense layer with softmax; it changes no prediction.

    Args:
        model: A Keras model that maps pixels (n, 28, 28) to probabilities (n, 10).
        train: The images and labels to learn from.
        validation: The images and labels that are evaluated after every epoch. Only the temperature is fitted on them.
        epochs: The number of passes over the training images, at least 1.
        batch_size: The number of images in a step, at least 1.
        augmentation: How strongly training images are distorted, or None to leave them unchanged.
        non_digits: How many non-digits are shown, or None for none and no temperature. Use None if the images are not
            digits, as in Fashion-MNIST.
        optimizer: Replaces Muon, whose learning rate rises to 0.04 and falls to 0 along a cosine.
        seed: Determines the order of the images, their distortions and the non-digits: a whole number from 0 to
            4,294,967,295.
        verbose: Keras' progress display: 0 for none, 1 or "auto" for a bar, 2 for one line per epoch.
        callbacks: Further Keras callbacks. For a model of Dense layers up to 64 steps form one Keras step, and batch
            callbacks are called once for all of them.
        checkpoint: A folder for this training alone. The complete state is written there after every epoch. If the
            process is killed, the same call continues after the last finished epoch and gives the same weights and
            history, bit for bit; after the last epoch it returns at once. The state of `callbacks` is not stored:
            EarlyStopping, for example, starts counting again.

    Returns:
        History whose `history` holds the lists "loss", "accuracy", "val_loss" and "val_accuracy", one value per epoch.
        "loss" includes the non-digits, "accuracy" does not.

    Raises:
        ValueError: An argument is invalid, or the checkpoint is damaged or of another training; nothing has changed.
        OSError: The checkpoint cannot be written.

    Example:
        >>> from mnist_nn import build_model, load_mnist, train
        >>> mnist = load_mnist()
        >>> model = build_model(seed=0)
        >>> history = train(model, mnist.train[:2000], mnist.validation[:500], epochs=2, verbose=0)
        >>> sorted(history.history)
        ['accuracy', 'loss', 'val_accuracy', 'val_loss']

    Notes:
        Tracing takes about a second. Each further training in a process keeps about 10 MB: TensorFlow never releases
        the custom gradient of `ReplicaContext.all_reduce`, which Keras' optimisers call.
    """
    _check_arguments(model, train, validation, epochs, batch_size, seed)
    _check_settings(augmentation, non_digits, optimizer, callbacks)
    batch_size = min(batch_size, len(train))
    steps = steps_per_epoch(len(train), batch_size)
    history = _empty_history(epochs)
    settings = {"epochs": epochs, "batch_size": batch_size, "augmentation": augmentation, "non_digits": non_digits}
    settings |= {"optimizer": _description(optimizer), "seed": seed}
    saved = None if checkpoint is None else _open_checkpoint(checkpoint, settings, model, history, train, validation)
    first_epoch = saved.epochs if saved else 0
    _compile(model, optimizer, non_digits, epochs, steps)
    if saved:
        saved.restore(model)
        if saved.finished:
            _finish(model, non_digits, validation, saved)
            return history
    data = batches(train, batch_size, epochs * steps, seed, augmentation, non_digits, first_step=first_epoch * steps)
    try:
        with strategy_scope(model, data):
            model.fit(
                data,
                initial_epoch=first_epoch,
                epochs=epochs,
                steps_per_epoch=steps,
                validation_data=validation_batches(validation),
                shuffle=False,  # `batches` has already shuffled them
                verbose=verbose,  # pyright: ignore[reportArgumentType] (inferred from the default)
                callbacks=[history, *callbacks, *([saved] if saved else [])],
            )
    except KeyboardInterrupt:
        if saved:
            saved.restore(model)
        epoch = len(history.epoch) + 1
        warnings.warn(f"training was interrupted in epoch {epoch} of {epochs}", InterruptedTraining, stacklevel=2)
        _finish(model, non_digits)
    else:
        _finish(model, non_digits, validation, saved)
    return history


def _check_arguments(model, train, validation, epochs, batch_size, seed) -> None:
    check_keras_model(model)
    check_split("train", train)
    check_split("validation", validation)
    for name, value in {"epochs": epochs, "batch_size": batch_size}.items():
        check_whole_number(name, value, 1)
    check_seed(seed)
    predict_probabilities(model, train.images[:1])  # refuses a model without softmax


def _check_settings(augmentation, non_digits, optimizer, callbacks) -> None:
    if not isinstance(augmentation, Augmentation | None):
        raise ValueError(f"augmentation must be an Augmentation or None, not {augmentation!r}")
    if not isinstance(non_digits, NonDigits | None):
        raise ValueError(f"non_digits must be a NonDigits or None, not {non_digits!r}")
    if not isinstance(optimizer, keras.optimizers.Optimizer | None):
        raise ValueError(f"optimizer must be an optimiser or None, not {optimizer!r}; type keras.optimizers.Adam()")
    is_list = isinstance(callbacks, list | tuple)
    if not is_list or not all(isinstance(callback, keras.callbacks.Callback) for callback in callbacks):
        raise ValueError(f"callbacks must be a list of Keras callbacks, not {callbacks!r}")


def _empty_history(epochs: int) -> keras.callbacks.History:
    """Return a history that also holds for a training that is interrupted before its first epoch."""
    history = keras.callbacks.History()
    history.set_params({"epochs": epochs})
    history.epoch = []
    return history


def _description(optimizer: keras.optimizers.Optimizer | None) -> str | None:
    """Return what a checkpoint stores about a caller's optimiser: all but its name, which Keras numbers."""
    return optimizer and f"{type(optimizer).__name__} {optimizer.get_config() | {'name': None}}"


def _open_checkpoint(
    folder: str | Path, settings: dict, model: Any, history: Any, train: Split, validation: Split
) -> Checkpoint:
    """Return the checkpoint in a folder, which must belong to this training if there is one."""
    data = {
        "training images": digest(train.images, train.labels),
        "validation images": digest(validation.images, validation.labels),
    }
    return Checkpoint(folder, {name: str(value) for name, value in (settings | data).items()}, model, history)


def _compile(model: Any, optimizer: Any, non_digits: NonDigits | None, epochs: int, steps: int) -> None:
    """Compile the model for integer labels, with Muon by default, and create the optimiser's variables."""
    with model.distribute_strategy.scope():
        model.compile(
            optimizer or muon(model, warmup_cosine(LEARNING_RATE, epochs * steps)),
            loss=DigitLoss(non_digits.weight) if non_digits else "sparse_categorical_crossentropy",
            metrics=[DigitAccuracy(name="accuracy") if non_digits else "accuracy"],
            jit_compile=False,  # XLA runs no faster here, starts later and needs 100 MB more
            steps_per_execution=1 if tf.distribute.has_strategy() else steps_per_execution(model, steps),
        )
        model.optimizer.build(model.trainable_variables)


def _finish(
    model: Any, non_digits: NonDigits | None, validation: Split | None = None, saved: Checkpoint | None = None
) -> None:
    """Compile a model that has seen non-digits with Keras' own loss, so that Keras can copy, save and load it.

    If validation images are given, correct its confidence as well; an interrupted training keeps its weights.
    """
    if non_digits:
        if validation is not None:
            fold_temperature(model, validation)
            if saved:
                saved.remember(model)
        with model.distribute_strategy.scope():
            model.compile(model.optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])


def steps_per_execution(model: keras.Model, steps: int) -> int:
    """Return how many of an epoch's `steps` Keras runs before it calls its callbacks.

    Keras spends about 1 ms between executions, an eighth of a default step. Run up to 64 steps at once, in equal
    parts of an epoch. Models with other layers than Dense may need seconds for a few steps: run one at a time there,
    so that progress is visible.
    """
    only_dense = all(isinstance(layer, keras.layers.Dense) for layer in model.layers if layer.weights)
    return max(n for n in range(1, MAX_STEPS_PER_EXECUTION + 1) if steps % n == 0) if only_dense else 1


def muon(
    model: Any,
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
    weight_decay: float = WEIGHT_DECAY,
    momentum: float = 0.8,
) -> keras.optimizers.Muon:
    """Return Muon for the hidden layers, with Adam for the last Dense layer and all biases.

    Args:
        model: The Keras model to be trained.
        learning_rate: A number or a schedule.
        weight_decay: The fraction of the learning rate by which every weight shrinks in each step. It is decoupled
            from the gradient (I. Loshchilov and F. Hutter, arXiv:1711.05101).
        momentum: Of the hidden layers. The fewer steps a training has, the lower the best value.

    Returns:
        The optimiser.

    Notes:
        K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024. Three Newton-Schulz steps
        instead of five take less time and reach the same validation accuracy.
    """
    last = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)][-1:]
    return keras.optimizers.Muon(
        learning_rate,  # pyright: ignore[reportArgumentType] (inferred from the default)
        exclude_layers=[rf"(^|/){re.escape(layer.name)}/" for layer in last],  # patterns of the variables' paths
        ns_steps=3,
        momentum=momentum,
        weight_decay=weight_decay,
        adam_weight_decay=weight_decay,
    )


def warmup_cosine(learning_rate: float, steps: int) -> keras.optimizers.schedules.CosineDecay:
    """Return a rate that rises linearly over the first tenth of `steps` and falls to zero along a cosine."""
    warmup = steps // 10
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0, warmup_target=learning_rate, warmup_steps=warmup, decay_steps=steps - warmup
    )
