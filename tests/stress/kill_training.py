"""Kill trainings at random moments, resume them, and compare the results: `python -m tests.stress.kill_training`.

It trains once without interruption and then 20 times with a kill at a random moment after the first second. Each killed
training is started again with the same checkpoint folder. Its weights and history must be identical, bit for bit, to
those of the training without interruption.
"""

import hashlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from mnist_nn._internal.checkpoint import CHECKPOINT

TRAINING = """
import hashlib, json, sys
from mnist_nn import build_model, load_mnist, train
mnist = load_mnist()
model = build_model(0)
history = train(model, mnist.train[:20_000], mnist.validation, epochs=8, verbose=0, checkpoint=sys.argv[1])
weights = b"".join(weight.tobytes() for weight in model.get_weights())
print(hashlib.sha256(weights + json.dumps(history.history).encode()).hexdigest())
"""


def run(folder: Path, seconds: float | None = None) -> str | None:
    """Train; return the hash of weights and history, or None if the training was killed after so many seconds."""
    try:
        command = [sys.executable, "-c", TRAINING, folder]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=seconds).stdout
    except subprocess.TimeoutExpired:
        return None


def checkpoint_hash(folder: Path) -> str:
    """Return the beginning of the hash of the checkpoint in a folder, or "none"."""
    file = folder / CHECKPOINT
    return hashlib.sha256(file.read_bytes()).hexdigest()[:6] if file.exists() else "none"


def main(kills: int = 20) -> None:
    """Print the hash of every training; exit with an error if one differs."""
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        uninterrupted = run(Path(folder, "uninterrupted"))
        seconds = time.perf_counter() - start
        print(f"uninterrupted: {seconds:.1f} s, result {uninterrupted[:12]}")
        identical = 0
        for number in range(1, kills + 1):
            run_folder, moment = Path(folder, str(number)), random.uniform(1, seconds)
            finished = run(run_folder, moment)
            checkpoint = checkpoint_hash(run_folder)
            result = finished or run(run_folder)
            identical += result == uninterrupted
            state = "finished before the kill" if finished else f"killed after {moment:.1f} s"
            print(f"{number}: {state}, checkpoint {checkpoint}, result {result[:12]}", flush=True)
        print(f"{identical} of {kills} results are identical")
        sys.exit(identical != kills)


if __name__ == "__main__":
    main()
