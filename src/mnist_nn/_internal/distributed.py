"""A workaround that lets Keras' `fit` run under `tf.distribute.MultiWorkerMirroredStrategy`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .tensorflow import tf


@contextmanager
def strategy_scope(model: Any, data: Any) -> Iterator[None]:
    """Enter the model's strategy, so that a compiled model can be fitted to `data` inside the block.

    With several workers Keras fails before the first step (keras-team/keras#20585), because it reduces a batch that
    lies on all of them. It skips this if the model has no strategy of its own; the scope's strategy serves as well.
    Then the variables of the optimiser and the metrics have to exist beforehand.
    """
    strategy = model.distribute_strategy
    with strategy.scope():
        several_workers = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
        if several_workers:
            images, labels = (tf.zeros([1, *spec.shape[1:]], spec.dtype) for spec in data.element_spec)
            model.compute_metrics(images, labels, model(images))
            model.reset_metrics()
            model._distribute_strategy = None
        try:
            yield
        finally:
            if several_workers:
                model._distribute_strategy = strategy
