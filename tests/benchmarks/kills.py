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


def start(folder) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", TRAINING, folder], stdout=subprocess.PIPE, text=True)


def main(kills: int = 20) -> None:
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        undisturbed = start(Path(folder, "undisturbed")).communicate()[0]
        seconds = time.perf_counter() - began
        print(f"undisturbed: {seconds:.1f} s, {undisturbed[:12]}")
        identical = 0
        for number in range(kills):
            place, moment = Path(folder, str(number)), random.uniform(1, seconds)
            with start(place) as process:
                try:
                    ended = process.communicate(timeout=moment)[0]
                except subprocess.TimeoutExpired:
                    process.kill()
                    ended = None
            kept = (
                hashlib.sha256((place / "checkpoint.zip").read_bytes()).hexdigest()[:6]
                if any(place.glob("checkpoint.zip"))
                else "none"
            )
            result = ended or start(place).communicate()[0]
            identical += result == undisturbed
            print(f"{number + 1}: killed after {moment:.1f} s (checkpoint {kept}): {result[:12]}", flush=True)
        print(f"{identical} of {kills} identical, weights and history")
        sys.exit(identical != kills)


if __name__ == "__main__":
    main()
