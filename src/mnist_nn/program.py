"""The compiled steps of training and validation, made once for all models of one kind rather than once for each.

TensorFlow never gives back what XLA has compiled, and Keras compiles anew for every model: 30 MB and two seconds more
each time. But a traced function takes its variables as inputs, so it runs on those of another model just as well.
"""

import json
import warnings
from collections.abc import Callable
from contextlib import contextmanager

from .backend import keras, tf

_programs: dict[str, tuple["_Program", "_Program"]] = {}


@contextmanager
def shared_programs(model: keras.Model, train: tf.data.Dataset, validation: tf.data.Dataset):
    """Within the block a compiled model fits these data sets by the programs of an earlier model like it.

    A model with code of its own (a layer, a function) or under a distribution strategy goes Keras' usual way.
    """
    key = _key(model, train, validation)
    if key is None:
        yield
        return
    _build(model, train)
    variables = _variables(model)
    if key not in _programs:
        _programs[key] = tuple(
            _Program(step, model.jit_compile, data.element_spec, variables)
            for step, data in [(model.train_step, train), (model.test_step, validation)]
        )
    for_training, for_validation = _programs[key]
    # Keras makes functions of its own only where there are none, and forgets these when it compiles again.
    model.train_function = lambda iterator: for_training(iterator, variables)
    model.test_function = lambda iterator: for_validation(iterator, variables)
    try:
        yield
    finally:
        model.train_function = model.test_function = None  # these data sets' alone


def _key(model, *data) -> str | None:
    """Return all that a program depends on, as text; None if not all of it can be told from the configuration."""
    library = all(type(part).__module__.startswith("keras.") for part in [model, *model.layers])
    ours = type(model.optimizer).__module__.startswith(("keras.", __package__))
    if not (library and ours) or model.distribute_strategy.num_replicas_in_sync > 1:
        return None
    if tf.config.functions_run_eagerly() or model.run_eagerly:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a lambda is unsafe to load: nothing is loaded here
        configuration = [model.get_config(), model.get_compile_config(), [repr(part.element_spec) for part in data]]
    key = json.dumps(_without_initializers(configuration), sort_keys=True, default=repr)
    return None if '"function"' in key or "__lambda__" in key else key


def _without_initializers(configuration):
    if isinstance(configuration, dict):
        return {
            name: _without_initializers(value)
            for name, value in configuration.items()
            if not name.endswith("_initializer")
        }
    if isinstance(configuration, list | tuple):
        return [_without_initializers(value) for value in configuration]
    return configuration


def _build(model, data) -> None:
    """Make the variables of the optimizer and the metrics, which Keras makes in its first step."""
    images, truth = (tf.zeros([1, *spec.shape[1:]], spec.dtype) for spec in data.element_spec)
    answer = model(images, training=False)
    model.optimizer.build(model.trainable_variables)
    model.compute_loss(images, truth, answer)
    model.compute_metrics(images, truth, answer)
    model.reset_metrics()


def _variables(model) -> list:
    return [v.value for v in [*model.variables, *model.optimizer.variables, *model.metrics_variables]]


class _Program:
    """A traced step on the next batch of an iterator, to be run on the variables of any model like the first."""

    def __init__(self, step: Callable, jit_compile: bool, spec, variables: list):
        compiled = tf.function(step, jit_compile=jit_compile)
        function = tf.function(lambda iterator: compiled(next(iterator)))
        self.traced = function.get_concrete_function(tf.data.IteratorSpec(spec))
        place = {id(variable.handle): place for place, variable in enumerate(variables)}
        self.places = [place.get(id(tensor)) for tensor in self.traced.captured_inputs]

    def __call__(self, iterator, variables: list):
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
