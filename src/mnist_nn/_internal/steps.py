"""The traced steps of training and validation, made once for all models of one kind rather than once for each.

Keras traces them anew for every model: a second more each time, and from the fifth on TensorFlow warns of it. But a
traced function takes its variables as inputs, so it runs on those of another model just as well.
"""

import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from .tensorflow import keras, tf

_traced: dict[str, tuple["_Step", "_Step"]] = {}


@contextmanager
def shared_steps(model: keras.Model, train: tf.data.Dataset, validation: tf.data.Dataset) -> Iterator[None]:
    """Within the block a compiled model fits these data sets by the steps of an earlier model like it.

    A model with code of its own (a layer, a function) goes Keras' usual way, and one made under a distribution
    strategy goes that strategy's.
    """
    strategy = model.distribute_strategy
    with strategy.scope():
        if tf.distribute.has_strategy():
            chosen = [_distributed(strategy, step) for step in (model.train_step, model.test_step)]
            # Keras' fit fails under MultiWorkerMirroredStrategy (keras-team/keras#20585) before its first step, which
            # it takes only with a strategy of the model's own; that of the scope serves it as well.
            model._distribute_strategy = None
            _build(model, train)
        else:
            chosen = _shared(model, train, validation)
        if chosen:
            model.train_function, model.test_function = chosen  # Keras makes its own only where there are none
        try:
            yield
        finally:
            model.train_function = model.test_function = None  # these data sets' alone
            if tf.distribute.has_strategy():
                model._distribute_strategy = strategy


def _build(model, data) -> None:
    """Make the variables of the optimizer and the metrics, which Keras makes in its first step."""
    images, truth = (tf.zeros([1, *spec.shape[1:]], spec.dtype) for spec in data.element_spec)
    answer = model(images, training=False)
    model.optimizer.build(model.trainable_variables)
    model.compute_loss(images, truth, answer)
    model.compute_metrics(images, truth, answer)
    model.reset_metrics()


def _distributed(strategy, step: Callable) -> Callable:
    @tf.function
    def run(iterator):
        results = strategy.run(step, args=(next(iterator),))
        return {name: strategy.experimental_local_results(result)[0] for name, result in results.items()}

    return run


def _shared(model, train, validation) -> list[Callable] | None:
    key = _key(model, train, validation)
    if key is None:
        return None
    _build(model, train)
    variables = [v.value for v in [*model.variables, *model.optimizer.variables, *model.metrics_variables]]
    at_once = model.steps_per_execution
    if key not in _traced:
        steps = (
            _Step(model.train_step, train.element_spec, variables, at_once),
            _Step(model.test_step, validation.element_spec, variables),
        )
        if any(step.keeps_more for step in steps):
            return None
        _traced[key] = steps
    train_steps, test_step = _traced[key]

    def test_steps(iterator):
        logs = test_step(iterator, variables)
        with suppress(tf.errors.OutOfRangeError):  # the last ones may be fewer
            for _ in range(1, at_once):
                logs = test_step(iterator, variables)
        return logs

    return [lambda iterator: train_steps(iterator, variables), test_steps]


def _key(model, *data) -> str | None:
    """Return all that a traced step depends on, as text; None if the configuration does not tell it all."""
    parts = [model, model.optimizer, *model.layers]
    if any(not type(part).__module__.startswith(("keras.", f"{__package__}.")) for part in parts):
        return None
    if model.run_eagerly or tf.config.functions_run_eagerly():
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a lambda is unsafe to load: nothing is loaded here
        configuration = [model.get_config(), model.get_compile_config(), [repr(part.element_spec) for part in data]]
    key = json.dumps(without_initializers(configuration), sort_keys=True, default=repr)
    return None if '"function"' in key or "__lambda__" in key else key


def without_initializers(configuration):
    """Return a Keras configuration without what only decides the first weights."""
    if isinstance(configuration, dict):
        kept = {name: value for name, value in configuration.items() if not name.endswith("_initializer")}
        return {name: without_initializers(value) for name, value in kept.items()}
    if isinstance(configuration, list | tuple):
        return [without_initializers(value) for value in configuration]
    return configuration


class _Step:
    """Traced steps on the next batches of an iterator, to be run on the variables of any model like the first."""

    def __init__(self, function: Callable, spec, variables: list, steps: int = 1):
        step = tf.function(function, autograph=False)  # nothing to translate

        def in_turn(iterator):
            def go_on(done):
                step(next(iterator))
                return [done + 1]

            tf.while_loop(lambda done: done < steps - 1, go_on, [0])
            return step(next(iterator))

        self.traced = tf.function(in_turn, autograph=False).get_concrete_function(tf.data.IteratorSpec(spec))
        place = {id(variable.handle): place for place, variable in enumerate(variables)}
        captured = self.traced.captured_inputs
        self.places = [place.get(id(tensor)) for tensor in captured]
        # Something else than variables that can change, as a table, or a variable that the model does not know of.
        self.keeps_more = any(
            tensor.dtype == tf.resource and place is None for tensor, place in zip(captured, self.places, strict=True)
        )

    def __call__(self, iterator, variables: list) -> dict:
        captured = [
            tensor if place is None else variables[place].handle
            for place, tensor in zip(self.places, self.traced.captured_inputs, strict=True)
        ]
        outputs = tf.raw_ops.StatefulPartitionedCall(
            args=[*tf.nest.flatten(iterator, expand_composites=True), *captured],
            Tout=[output.dtype for output in tf.nest.flatten(self.traced.structured_outputs)],
            f=self.traced,
        )
        return tf.nest.pack_sequence_as(self.traced.structured_outputs, outputs)
