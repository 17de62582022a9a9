"""TensorFlow and Keras, imported without TensorFlow's start-up messages.

TensorFlow's C++ code writes to file descriptor 2 before it reads any setting, so that descriptor is redirected during
the import, and only then. Afterwards every line that is not a known start-up message is written to stderr; if the
import fails, all lines are.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# Information and warnings in the format of TensorFlow's log (I0000, W0000), and the messages about a missing GPU.
START_UP_MESSAGE = re.compile(
    rb"[IW]\d{4} "
    rb"|\d{4}-\d\d-\d\d .*: [IW] "
    rb"|E\d{4} .*(cuInit|Unable to register cu)"
    rb"|WARNING: All log messages before absl::InitializeLog"
    rb"|To enable the following instructions: "
)


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hold back what the block writes to file descriptor 2, then write all but the start-up messages."""
    try:
        stderr = os.dup(2)
        held = tempfile.TemporaryFile()  # noqa: SIM115 (closed below)
    except OSError:  # there is no stderr, or no folder for temporary files: change nothing
        yield
        return
    with held:
        os.dup2(held.fileno(), 2)
        succeeded = False
        try:
            yield
            succeeded = True
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            held.seek(0)
            for line in held:
                if not (succeeded and START_UP_MESSAGE.match(line)):
                    os.write(2, line)


if os.environ.setdefault("KERAS_BACKEND", "tensorflow") != "tensorflow":
    raise ImportError(
        f"mnist_nn trains with Keras on TensorFlow, but KERAS_BACKEND is {os.environ['KERAS_BACKEND']!r}; "
        "unset it or set it to 'tensorflow'"
    )
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # after the import: errors only

with quiet_stderr():
    import tensorflow as tf

    # The number of threads decides the order of additions and so the last digits of a result. Fix it at two, as many
    # as this network can use, unless the caller has already set it.
    if tf.config.threading.get_intra_op_parallelism_threads() == 0:
        with suppress(RuntimeError):  # TensorFlow is already running
            tf.config.threading.set_intra_op_parallelism_threads(2)
    tf.config.list_physical_devices()  # look for GPUs now, while messages are held back
    import keras

# Keras traces the training step once for every model, so TensorFlow's advice against it would only puzzle the user.
tf.get_logger().addFilter(lambda record: "TensorFlowTrainer" not in record.getMessage())

__all__ = ["keras", "tf"]
