"""Train on one device, on two devices, and in two processes: `python -m tests.stress.train_distributed`.

It prints the validation accuracy after five epochs of each training. All use the same seed, so that the accuracies
differ only by rounding errors.
"""

import json
import os
import socket
import subprocess
import sys

TRAINING = """
import sys
from mnist_nn._internal.tensorflow import tf
if sys.argv[1] == "two devices":
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
elif sys.argv[1] == "two processes":
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
else:
    strategy = tf.distribute.get_strategy()
from mnist_nn import build_model, load_mnist, train
mnist = load_mnist()
with strategy.scope():
    model = build_model(0)
history = train(model, mnist.train, mnist.validation, epochs=5, verbose=0)
print(f"{sys.argv[1]} ({strategy.num_replicas_in_sync}): {history.history['val_accuracy'][-1]:.2%}")
"""


def free_port() -> int:
    """Return a TCP port that no other program uses."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def main() -> None:
    """Run the three trainings in new processes; exit with an error if one fails."""
    workers = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    for kind in ("one device", "two devices", "two processes"):
        processes = []
        for index in range(2 if kind == "two processes" else 1):
            task = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
            environment = {"TF_CONFIG": json.dumps(task)} if kind == "two processes" else {}
            processes.append(subprocess.Popen([sys.executable, "-c", TRAINING, kind], env=os.environ | environment))
        if any(process.wait() for process in processes):
            sys.exit(f"{kind}: training failed")


if __name__ == "__main__":
    main()
