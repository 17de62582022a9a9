"""Two processes train one model together and reach the accuracy of one process."""

import json
import os
import socket
import subprocess
import sys

import pytest

WORKER = """
from mnist_nn._internal.tensorflow import tf
strategy = tf.distribute.MultiWorkerMirroredStrategy()
from mnist_nn import build_model, load_mnist, train
mnist = load_mnist()
with strategy.scope():
    model = build_model(seed=0)
settings = dict(epochs=4, batch_size=64, augmentation=None, verbose=0)
history = train(model, mnist.train[:2000], mnist.validation[:1000], **settings)
assert model.distribute_strategy is strategy
print(strategy.num_replicas_in_sync, history.history["val_accuracy"][-1])
"""


def free_ports(number):
    """Return ports that were free a moment ago."""
    sockets = [socket.socket() for _ in range(number)]
    for listening in sockets:
        listening.bind(("127.0.0.1", 0))
    ports = [listening.getsockname()[1] for listening in sockets]
    for listening in sockets:
        listening.close()
    return ports


@pytest.fixture(scope="module")
def workers():
    """What the two processes printed."""
    cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(2)]}
    processes = []
    for index in range(2):
        environment = {"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})}
        command = [sys.executable, "-c", WORKER]
        pipe = subprocess.PIPE
        processes.append(subprocess.Popen(command, env=os.environ | environment, stdout=pipe, stderr=pipe, text=True))
    results = [process.communicate() for process in processes]
    assert all(process.returncode == 0 for process in processes), [error for _, error in results]
    return [output.split() for output, _ in results]


def test_two_processes_give_the_accuracy_of_one(workers, trained):
    expected = trained[1].history["val_accuracy"][-1]
    for replicas, accuracy in workers:
        assert replicas == "2"
        assert float(accuracy) == pytest.approx(expected, abs=0.01)
