"""Processes for some tests: one that is killed, and one that trains under unusual conditions.

Each function here gets an empty folder and returns what its tests look at.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import mnist_nn

FINGERPRINT = """
import hashlib
from mnist_nn import build_model, load_mnist, train

mnist = load_mnist()

def fingerprint(seed):
    model = build_model(seed=0)
    train(model, mnist.train[:8000], mnist.validation[:100], epochs=2, seed=seed, verbose=0)
    return hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()
"""

# A process with two devices trains on one of them first, and then on both.
TWO_DEVICES = """
from mnist_nn._internal.tensorflow import tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
"""
REPEATED = """
import gc, pathlib
status, resident = pathlib.Path("/proc/self/status"), []
for seed in range(4 if status.exists() else 0):
    train(build_model(seed), mnist.train[:30_000], mnist.validation[:100], epochs=1, seed=seed, verbose=0)
    gc.collect()
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    resident.append(int(line.split()[1]) / 1024)
# What is kept shows in every training; the allocator's own steps do not.
print(min(resident[2] - resident[1], resident[3] - resident[2]) if resident else None)
"""
DISTRIBUTED = """
with strategy.scope():
    model = build_model(seed=0)
settings = dict(epochs=4, batch_size=64, augmentation=None, verbose=0)
history = train(model, mnist.train[:2000], mnist.validation[:1000], **settings)
assert model.distribute_strategy is strategy
assert strategy.num_replicas_in_sync == 2
print(history.history["val_accuracy"][-1])
"""
MIRRORED = 'strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])' + DISTRIBUTED

# The process kills itself in the middle of an epoch, so the moment does not depend on the speed of the machine.
KILLED = """
import os, signal, sys
from mnist_nn import build_model, load_mnist, train
from mnist_nn._internal.tensorflow import keras

class Kill(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if len(self.model.history.epoch) == 3:
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))

mnist = load_mnist()
train(build_model(3), mnist.train[:2000], mnist.validation[:500], epochs=8, seed=4, verbose=0, callbacks=[Kill()],
      checkpoint=sys.argv[1])
"""


def elsewhere(folder: Path) -> tuple[list[str], str]:
    """Train with another number of threads, from a read-only copy of the package; return its output and errors."""
    folder = folder / "Übung mit Leerzeichen"
    package = Path(mnist_nn.__file__).parent
    copy = shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    paths = [*copy.rglob("*"), copy]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    unusual = dict.fromkeys(["HOME", "TMPDIR"], "/dev/null/none") | {"LC_ALL": "C"}
    unusual |= dict.fromkeys(["MPLCONFIGDIR", "PYTHONPATH"], str(folder))
    first = "import mnist_nn; print(fingerprint(5), mnist_nn.__file__, sep='\\n')"
    process = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", TWO_DEVICES + FINGERPRINT + first + REPEATED + MIRRORED],
        env=os.environ | unusual | {"TF_NUM_INTRAOP_THREADS": "4", "TF_NUM_INTEROP_THREADS": "1"},
        capture_output=True,
        encoding="utf8",
        check=False,
        cwd=folder,
    )
    for path in paths:  # so that the folder can be removed
        path.chmod(0o755)
    assert process.returncode == 0, process.stderr
    return process.stdout.splitlines(), process.stderr


def killed(folder: Path) -> Path:
    """Kill a training in its fourth epoch and return the folder with its checkpoint."""
    process = subprocess.run([sys.executable, "-c", KILLED, folder], check=False)
    assert process.returncode != 0
    return folder
