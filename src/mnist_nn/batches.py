"""The batches of a training, each of which depends on (seed, step) only."""

import math

import numpy as np

from ._internal.tensorflow import tf
from .augmentation import Augmentation
from .data import Split
from .non_digits import NON_DIGIT, NonDigits


def steps_per_epoch(images: int, batch_size: int) -> int:
    """Return the number of batches in one pass over so many images; a batch holds at most all of them."""
    return images // min(batch_size, images)


def batches(
    split: Split,
    batch_size: int,
    steps: int,
    seed: int,
    augmentation: Augmentation | None,
    non_digits: NonDigits | None = None,
    first_step: int = 0,
) -> tf.data.Dataset:
    """Return the batches (images, labels) from `first_step` to `steps`, each a function of (seed, step) only.

    The batches of an epoch come from its own permutation. Images that do not fill a batch are left out; these are
    others in each epoch.

    Args:
        split: The training images and labels.
        batch_size: The number of digits in a batch.
        steps: The number of batches in the whole training.
        seed: Determines the permutations, the distortions and the non-digits.
        augmentation: How strongly images are distorted, or None.
        non_digits: The non-digits that follow the digits of each batch, with the label 10, or None.
        first_step: Where to start, for a resumed training.

    Returns:
        A data set of (images, labels), where images are uint8, or float32 if they are distorted.
    """
    images, labels, n = _shared_tensor(split.images), tf.constant(split.labels), len(split)
    others = None if non_digits is None else tf.constant(non_digits.images(split, seed))
    added = 0 if non_digits is None else math.ceil(non_digits.share * batch_size)
    steps_in_epoch = steps_per_epoch(n, batch_size)
    index_shuffle = tf.random.experimental.index_shuffle  # pyright: ignore[reportAttributeAccessIssue]

    @tf.autograph.experimental.do_not_convert
    def batch(step):
        epoch, position = step // steps_in_epoch, step % steps_in_epoch * batch_size
        key = tf.stack([tf.constant(seed, tf.int64), epoch])
        order = position + tf.range(batch_size, dtype=tf.int64)
        chosen = index_shuffle(order, tf.cast(key, tf.uint32), max_index=n - 1)
        batch_images, batch_labels = tf.gather(images, chosen), tf.gather(labels, chosen)
        if others is not None:
            key = tf.stack([tf.constant(seed, tf.int64), -1 - step])  # the distortions use `step`
            which = tf.random.stateless_uniform([added], key, 0, len(others), tf.int32)
            batch_images = tf.concat([batch_images, tf.gather(others, which)], axis=0)
            batch_labels = tf.concat([batch_labels, tf.fill([added], tf.cast(NON_DIGIT, labels.dtype))], axis=0)
        if augmentation is not None:
            strength = augmentation.strength(tf.cast(step, tf.float32) / steps)
            batch_images = augmentation.warp(batch_images, seed, step, strength)
        return batch_images, batch_labels

    # One batch at a time on all threads: two at a time are no faster and need twice the memory.
    return _without_tuning(tf.data.Dataset.range(first_step, steps).map(batch).prefetch(1))


def validation_batches(split: Split) -> tf.data.Dataset:
    """Return a split in batches of 1,000, in order."""
    return _without_tuning(tf.data.Dataset.from_tensor_slices((_shared_tensor(split.images), split.labels)).batch(1000))


def _without_tuning(data: tf.data.Dataset) -> tf.data.Dataset:
    """Disable tf.data's autotuning, which can delay the end of `fit`, and its optimisations, which copy the images."""
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    return data.with_options(options)


def _shared_tensor(array: np.ndarray) -> tf.Tensor:
    """Return a tensor that shares the array's memory if its alignment allows it, else a copy."""
    shareable = array.flags.c_contiguous and array.flags.writeable and array.ctypes.data % 64 == 0
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__()) if shareable else tf.constant(array)
