"""Feed mutated files of every format to every reader: `python tests/benchmarks/fuzz.py [INPUTS]`, 120,000 by default.

Each input is an array, a picture, weights or a checkpoint, or else refused by the documented exceptions with one
sentence; anything else is a failure, and its input is kept in the folder `failures` beside this file's caller. Each
format runs in a process of its own, so that a crash is seen and counted; all take two or three minutes on two cores.
"""

import collections
import gzip
import hashlib
import io
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

NUMBERS = [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\x01\0\0\0"]


def mutated(random, seeds: list[bytes]) -> bytes:
    """Return a file with some bytes changed, cut off, doubled or put in from another one."""
    content = bytearray(seeds[random.integers(len(seeds))])
    for _ in range(random.integers(1, 6)):
        # The structure is at the beginning of most files, and at the end of a zip.
        span = int(random.choice([64, 1024, len(content) + 1]))
        place = int(random.integers(min(span, len(content) + 1)))
        if random.random() < 0.3:
            place = max(0, len(content) - place)
        match random.integers(6):
            case 0:
                content[place : place + 1] = random.bytes(1)
            case 1:
                number = NUMBERS[random.integers(len(NUMBERS))]
                content[place : place + len(number)] = number * int(random.integers(1, 3))
            case 2:
                if random.random() < 0.3:
                    del content[place:]
            case 3:
                content[place:place] = content[place : place + int(random.integers(1, 100))]
            case 4:
                other = seeds[random.integers(len(seeds))]
                start = int(random.integers(len(other)))
                content[place : place + 20] = other[start : start + 20]
            case 5:
                if place < len(content):
                    content[place] ^= 1 << int(random.integers(8))
    return bytes(content)


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def arrays() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    names = ["x_train", "y_train", "x_test", "y_test"]
    images = [random.integers(0, 256, (n, 28, 28), np.uint8) for n in (24, 5)]
    return dict(zip(names, [images[0], np.arange(24) % 10, images[1], np.arange(5)], strict=True))


def fuzz_idx(folder: Path):
    from mnist_nn import load_mnist

    contents = [idx(array.astype(np.uint8)) for array in arrays().values()]
    names = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]
    for name, content in zip(names, contents, strict=True):
        (folder / name).write_bytes(content)
    seeds = [contents[0], gzip.compress(contents[0])]

    def read(content):
        (folder / names[0]).write_bytes(content)
        return load_mnist(folder)

    return seeds, read


def fuzz_npz(folder: Path):
    from mnist_nn import load_mnist

    seeds = []
    for save in (np.savez, np.savez_compressed):
        save(file := io.BytesIO(), **arrays())
        seeds.append(file.getvalue())

    def read(content):
        (folder / "a.npz").write_bytes(content)
        return load_mnist(folder / "a.npz")

    return seeds, read


def fuzz_weights(folder: Path):
    from mnist_nn import build_model, load_weights, save_weights

    model = build_model()
    model.save_weights(folder / "keras.weights.h5")
    seeds = [save_weights(model, folder / "a.weights.h5").read_bytes(), (folder / "keras.weights.h5").read_bytes()]

    def read(content):
        (folder / "a.weights.h5").write_bytes(content)
        return load_weights(model, folder / "a.weights.h5")

    return seeds, read


def fuzz_checkpoints(folder: Path):
    from mnist_nn import Split, build_model, train
    from mnist_nn.checkpoint import FILE, Checkpoint

    model = build_model()
    split = Split(np.zeros((3, 28, 28), np.uint8), np.arange(3))
    history = train(model, split, split, epochs=1, checkpoint=folder, verbose=0)
    seed = (folder / FILE).read_bytes()

    def read(content):
        (folder / FILE).write_bytes(content)
        return Checkpoint(folder, {}, model, history).restore(model)

    return [seed], read


def fuzz_pictures(_: Path):
    from mnist_nn import open_picture
    from mnist_nn.pictures import grey

    picture = Image.new("L", (40, 40), "white")
    ImageDraw.Draw(picture).line([(10, 8), (30, 8), (17, 33)], "black", 4)
    seeds = []
    for format in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "ICO", "TGA", "PCX", "SGI", "JPEG2000", "AVIF"):
        for mode in ("L", "RGB"):
            try:
                picture.convert(mode).save(file := io.BytesIO(), format)
            except (OSError, KeyError, ValueError):  # a format that this Pillow cannot write, or not in this mode
                continue
            seeds.append(file.getvalue())
    return seeds, lambda content: grey(open_picture(content))


# The share of all inputs that each format gets, by what one takes.
FORMATS = {
    "idx": (fuzz_idx, 0.25),
    "npz": (fuzz_npz, 0.25),
    "weights": (fuzz_weights, 0.1),
    "checkpoints": (fuzz_checkpoints, 0.1),
    "pictures": (fuzz_pictures, 0.3),
}


def child(name: str, first: int, last: int) -> None:
    """Run inputs number `first` to `last` of a format; the number of the one under way is in the file `at`."""
    folder = Path(tempfile.mkdtemp())
    seeds, read = FORMATS[name][0](folder)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcomes, slowest = collections.Counter(), 0.0
    at = os.open("at", os.O_RDWR | os.O_CREAT)
    for number in range(first, last):
        content = mutated(np.random.default_rng(number), seeds)
        os.pwrite(at, f"{number:10}".encode(), 0)
        began = time.perf_counter()
        try:
            read(content)
            outcomes["read"] += 1
        except (ValueError, FileNotFoundError) as error:
            outcomes["refused" if "\n" not in str(error) else "refused in several lines"] += 1
            if "\n" in str(error):
                keep(name, content)
        except Exception as error:
            outcomes[f"FAILED by {type(error).__name__}: {error}"[:100]] += 1
            keep(name, content)
        slowest = max(slowest, time.perf_counter() - began)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    print(f"  {first} to {last}: {dict(outcomes)}; slowest {slowest:.2f} s; {grown} MB more at most", flush=True)


def keep(name: str, content: bytes) -> None:
    Path("failures").mkdir(exist_ok=True)
    Path("failures", f"{name}-{hashlib.sha256(content).hexdigest()[:8]}").write_bytes(content)


def main(inputs: int) -> None:
    for name, (make, share) in FORMATS.items():
        first, last, crashes = 0, int(inputs * share), 0
        print(f"{name}: {last:,} inputs")
        while first < last:
            done = subprocess.run([sys.executable, __file__, name, str(first), str(last)], check=False)
            if done.returncode == 0:
                break
            number = int(Path("at").read_text())
            crashes += 1
            print(f"  CRASH ({done.returncode}) at input {number}", flush=True)
            with tempfile.TemporaryDirectory() as folder:
                keep(f"crash-{name}", mutated(np.random.default_rng(number), make(Path(folder))[0]))
            first = number + 1
        print(f"  {crashes} crashes")


if __name__ == "__main__":
    if len(sys.argv) == 4:
        child(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) == 2 else 120_000)
