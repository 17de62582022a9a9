"""TensorFlow and Keras, imported without the start-up noise that TensorFlow writes to stderr.

Modules that need them import `keras` and `tf` from here. The noise comes from C++ and goes to file descriptor 2
before any setting of TensorFlow's own is read, so that descriptor is turned away while the import lasts. Afterwards
every line that is not known noise is passed on, and so is all of it if the import fails.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# Information and warnings in the format of TensorFlow's log (I0000, W0000), and the lines that say there is no GPU.
NOISE = re.compile(
    rb"[IW]\d{4} "
    rb"|\d{4}-\d\d-\d\d .*: [IW] "
    rb"|E\d{4} .*(cuInit|Unable to register cu)"
    rb"|WARNING: All log messages before absl::InitializeLog"
    rb"|To enable the following instructions: "
)


@contextmanager
def _without_noise() -> Iterator[None]:
    try:
        stderr = os.dup(2)
        held = tempfile.TemporaryFile()  # noqa: SIM115 (closed below)
    except OSError:  # no stderr at all, or no folder for what it holds: nothing is kept quiet
        yield
        return
    with held:
        os.dup2(held.fileno(), 2)
        noise = re.compile(rb"(?!)")  # if the block raises, nothing counts as noise
        try:
            yield
            noise = NOISE
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            held.seek(0)
            for line in held:
                if not noise.match(line):
                    os.write(2, line)


if os.environ.setdefault("KERAS_BACKEND", "tensorflow") != "tensorflow":
    raise ImportError(
        f"mnist_nn trains with Keras on TensorFlow, but KERAS_BACKEND is {os.environ['KERAS_BACKEND']!r}; "
        "unset it or set it to 'tensorflow'"
    )
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # after the import: errors only

with _without_noise():
    import tensorflow as tf

    # How a sum is split over threads decides its last digits, so the number of threads is part of a result. Two are
    # as many as this network keeps busy. A number that was set in Python before this import stays.
    if tf.config.threading.get_intra_op_parallelism_threads() == 0:
        with suppress(RuntimeError):  # TensorFlow has started already
            tf.config.threading.set_intra_op_parallelism_threads(2)
    tf.config.list_physical_devices()  # looks for GPUs now, inside, rather than at the first operation
    import keras

__all__ = ["keras", "tf"]
