"""End the program at Ctrl-C while libraries are being loaded."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def exit_at_once() -> Iterator[None]:
    """End the program at Ctrl-C with one sentence and exit code 130 while the block runs.

    Libraries that are interrupted while they are imported print tracebacks or raise other exceptions, and stderr may
    be redirected then. So the sentence goes to what is stderr now. The block must not write files.
    """
    try:
        stderr = os.dup(2)
        previous = signal.getsignal(signal.SIGINT)
    except OSError:  # there is no stderr
        yield
        return

    def end(*_: object) -> None:
        os.write(stderr, b"mnist_nn: interrupted\n")
        os._exit(130)

    try:
        signal.signal(signal.SIGINT, end)
    except ValueError:  # only the main thread may do this
        previous = None
    try:
        yield
    finally:
        if previous is not None:
            signal.signal(signal.SIGINT, previous)
        os.close(stderr)
