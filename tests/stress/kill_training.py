"""Kill training at random moments and go on until it ends; compare with a training that nothing disturbed.

    python tests/benchmarks/kills.py

trains 20 times, each killed at a moment drawn at random between its first second and its last, and started again.
"""

import hashlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

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
    """Return what a training says at its end, or None if it was killed before that, after so many seconds."""
    try:
        command = [sys.executable, "-c", TRAINING, folder]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=seconds).stdout
    except subprocess.TimeoutExpired:
        return None


def checkpoint(folder: Path) -> str:
    """Return which checkpoint is there, as the beginning of its hash."""
    file = folder / "checkpoint.zip"
    return hashlib.sha256(file.read_bytes()).hexdigest()[:6] if file.exists() else "none"


def main(kills: int = 20) -> None:
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        undisturbed = run(Path(folder, "undisturbed"))
        seconds = time.perf_counter() - began
        print(f"undisturbed: {seconds:.1f} s, {undisturbed[:12]}")
        identical = 0
        for number in range(1, kills + 1):
            place, moment = Path(folder, str(number)), random.uniform(1, seconds)
            ended = run(place, moment)
            kept = checkpoint(place)
            result = ended or run(place)
            identical += result == undisturbed
            print(f"{number}: killed after {moment:.1f} s (checkpoint {kept}): {result[:12]}", flush=True)
        print(f"{identical} of {kills} identical, weights and history")
        sys.exit(identical != kills)


if __name__ == "__main__":
    main()
