"""Train in two processes together: `pytest tests/stress/train_distributed.py`, half a minute.

This tests the workaround for keras-team/keras#20585. The tests that run by default train on two devices of one process.
"""

import json
import os
import socket
import subprocess
import sys

import pytest

from tests.processes import DISTRIBUTED

WORKER = f"""
from mnist_nn._internal.tensorflow import tf
strategy = tf.distribute.MultiWorkerMirroredStrategy()
from mnist_nn import build_model, load_mnist, train
mnist = load_mnist()
{DISTRIBUTED}
"""


def free_ports(number: int) -> list[int]:
    """Return ports that were free a moment ago."""
    sockets = [socket.socket() for _ in range(number)]
    for listening in sockets:
        listening.bind(("127.0.0.1", 0))
    ports = [listening.getsockname()[1] for listening in sockets]
    for listening in sockets:
        listening.close()
    return ports


def test_two_processes_give_the_accuracy_of_one(trained):
    cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(2)]}
    processes = []
    for index in range(2):
        environment = {"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})}
        command, pipe = [sys.executable, "-c", WORKER], subprocess.PIPE
        processes.append(subprocess.Popen(command, env=os.environ | environment, stdout=pipe, stderr=pipe, text=True))
    results = [process.communicate() for process in processes]
    assert all(process.returncode == 0 for process in processes), [errors for _, errors in results]
    expected = trained[1].history["val_accuracy"][-1]
    assert [float(output) for output, _ in results] == pytest.approx([expected, expected], abs=0.01)
