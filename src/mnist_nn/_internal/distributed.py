"""A workaround for Keras' `fit` under `tf.distribute.MultiWorkerMirroredStrategy` (keras-team/keras#20585)."""

from contextlib import contextmanager

from .tensorflow import tf


@contextmanager
def strategy_scope(model, data):
    """Enter the model's strategy; with several workers, bypass the averages that Keras fails to compute."""
    strategy = model.distribute_strategy
    with strategy.scope():
        if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            yield
            return
        images, labels = (tf.zeros([1, *spec.shape[1:]], spec.dtype) for spec in data.element_spec)
        model.compute_metrics(images, labels, model(images))  # creates the variables of the metrics
        model.reset_metrics()
        model.train_function, model.test_function = _on_replicas(model.train_step), _on_replicas(model.test_step)
        model._distribute_strategy = None  # Keras then averages no batch, and uses the strategy of the scope
        try:
            yield
        finally:
            model.train_function, model.test_function, model._distribute_strategy = None, None, strategy


def _on_replicas(step):
    def run(iterator):
        strategy = tf.distribute.get_strategy()
        results = strategy.run(step, args=(next(iterator),))
        return {name: strategy.experimental_local_results(result)[0] for name, result in results.items()}

    return tf.function(run)
