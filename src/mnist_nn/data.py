"""MNIST as three splits of one format: the bundled, checksummed copy, or another source in the same form.

MNIST: Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document recognition",
Proceedings of the IEEE 86(11), 1998. Nothing here needs TensorFlow (except `load_mnist("keras")`).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ._internal.formats import DataError, read_idx_folder, read_npz, reading

BUNDLED = Path(__file__).parent / "mnist" / "mnist.npz"
BUNDLED_SHA256 = "06af5dfe73b70e3bc1c36439982b18a8d76803db9b544f6fdf838a37fbb01b64"
VALIDATION_IMAGES = 5_000


def check_images(images) -> np.ndarray:
    """Return `images` as an array if it is uint8 (n, 28, 28) with at least one image; else raise ValueError."""
    images = np.asarray(images)
    if images.shape[1:] != (28, 28) or images.dtype != np.uint8 or len(images) == 0:
        found = "an empty array; give at least one" if images.size == 0 else f"{images.dtype} of shape {images.shape}"
        raise ValueError(
            f"images must be uint8 of shape (n, 28, 28) with pixels 0 to 255, not {found}; "
            "prepare_image brings any picture to that form"
        )
    return images


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Images and their labels.

    images: uint8 (n, 28, 28), 0 background to 255 ink.
    labels: uint8 (n,), digits 0 to 9; any integer type is taken and converted.

    Raises ValueError if there are none, if their numbers differ, or for another shape, type or range.
    """

    images: np.ndarray
    labels: np.ndarray

    def __post_init__(self):
        images, labels = check_images(self.images), np.asarray(self.labels)
        if labels.ndim != 1 or labels.dtype.kind not in "iu":
            raise ValueError(f"labels must be integers of shape (n,), not {labels.dtype} of shape {labels.shape}")
        if len(images) != len(labels):
            raise ValueError(f"there are {len(images):,} images but {len(labels):,} labels; give one label an image")
        if labels.min() < 0 or labels.max() > 9:
            raise ValueError(f"labels must be digits 0 to 9, but they go from {labels.min()} to {labels.max()}")
        object.__setattr__(self, "images", images)
        object.__setattr__(self, "labels", labels.astype(np.uint8))

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index) -> "Split":
        """Return the part that a slice, a mask or an array of positions selects, as in `split[:1000]`."""
        return Split(self.images[index], self.labels[index])

    def __repr__(self) -> str:
        return f"Split({len(self):,} images)"


def check_split(name: str, split: Split) -> None:
    """Raise ValueError, naming the argument, if `split` is not a Split."""
    if not isinstance(split, Split):
        raise ValueError(
            f"{name} must be a Split, as in load_mnist().train, or Split(images, labels); not a {type(split).__name__}"
        )


@dataclass(frozen=True, eq=False)
class Mnist:
    """The three splits: choose on `validation`, score `test` once, at the end."""

    train: Split
    validation: Split
    test: Split


def load_mnist(source: str | Path | None = None) -> Mnist:
    """Return MNIST, or a set in its format, as splits for training, validation and test.

    source: None for the bundled copy, checked against its SHA-256; the path of a Keras-layout `.npz` (x_train, y_train,
    x_test, y_test); the path of a folder with the four IDX files, plain or `.gz`, as MNIST, Fashion-MNIST, KMNIST,
    EMNIST digits and QMNIST are distributed; or "keras" for `keras.datasets.mnist`, which downloads once.

    Validation is the last 5,000 training images, or the last twelfth of a training set under 60,000.

    Raises FileNotFoundError for a missing file and DataError (a ValueError) for a damaged one, each naming the file.
    """
    if source is None:
        arrays, source = read_npz(BUNDLED, BUNDLED_SHA256), BUNDLED
    elif source == "keras":
        arrays = _from_keras()
    elif Path(source).is_dir():
        arrays = read_idx_folder(Path(source))
    elif Path(source).exists():
        arrays = read_npz(Path(source))
    else:
        raise FileNotFoundError(
            f"{source}: no such file or folder; load_mnist() without a source reads the bundled copy"
        )
    return _splits(source, *arrays)


def _splits(source, train_images, train_labels, test_images, test_labels) -> Mnist:
    with reading(source):
        train, test = Split(train_images, train_labels), Split(test_images, test_labels)
        held_out = min(VALIDATION_IMAGES, len(train) // 12)
        if held_out == 0:
            raise DataError(f"{source}: {len(train)} training images are too few to hold some out; give at least 12")
        return Mnist(train[:-held_out], train[-held_out:], test)


def _from_keras() -> list[np.ndarray]:
    from ._internal.tensorflow import keras

    try:
        (train_images, train_labels), (test_images, test_labels) = keras.datasets.mnist.load_data()
    except Exception as error:  # Keras raises plain Exception when a download fails
        raise FileNotFoundError(
            f"'keras': Keras could not download MNIST ({error}); load_mnist() without a source reads the bundled copy"
        ) from error
    return [train_images, train_labels, test_images, test_labels]
