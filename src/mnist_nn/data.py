"""MNIST as three splits: the bundled copy, verified by its checksum, or another data set in the same format.

MNIST: Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document recognition",
Proceedings of the IEEE 86(11), 1998. Nothing here needs TensorFlow, except `load_mnist("keras")`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from ._internal.formats import DataError, read_idx_folder, read_npz

__all__ = ["DataError", "Mnist", "Split", "load_mnist"]

BUNDLED = Path(__file__).parent / "mnist" / "mnist.npz"
BUNDLED_SHA256 = "06af5dfe73b70e3bc1c36439982b18a8d76803db9b544f6fdf838a37fbb01b64"
VALIDATION_IMAGES = 5_000


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Images and their labels.

    Args:
        images: uint8 (n, 28, 28), 0 for background to 255 for ink.
        labels: Integers 0 to 9 of shape (n,), converted to uint8.

    Raises:
        ValueError: There are no images, the numbers of images and labels differ, or a shape, type or range is wrong.

    Example:
        >>> from mnist_nn import load_mnist
        >>> test = load_mnist().test
        >>> test[:1000]
        Split(1,000 images)
        >>> test[test.labels == 7]
        Split(1,028 images)
        >>> test[:1000] + test[-1000:]
        Split(2,000 images)
    """

    images: np.ndarray
    labels: np.ndarray

    def __post_init__(self) -> None:
        images, labels = check_images(self.images), np.asarray(self.labels)
        if labels.ndim != 1 or labels.dtype.kind not in "iu":
            raise ValueError(f"labels must be integers of shape (n,), not {labels.dtype} of shape {labels.shape}")
        if len(images) != len(labels):
            raise ValueError(f"there are {len(images):,} images but {len(labels):,} labels; give one label per image")
        if labels.min() < 0 or labels.max() > 9:
            raise ValueError(
                f"labels must be whole numbers 0 to 9, but they range from {labels.min()} to {labels.max()}; "
                "number the ten classes 0 to 9"
            )
        object.__setattr__(self, "images", images)
        object.__setattr__(self, "labels", labels.astype(np.uint8))

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: slice | np.ndarray) -> "Split":
        """Return the part that a slice, a mask or an array of positions selects, as in `split[:1000]`."""
        if not isinstance(index, slice):
            given = repr(index) if np.isscalar(index) else f"a {type(index).__name__}"
            is_tuple, index = isinstance(index, tuple), np.asarray(index)
            if is_tuple or index.ndim != 1 or index.dtype.kind not in "biu":
                raise TypeError(
                    "a Split is indexed with a slice, a mask or an array of positions, as in split[:100], "
                    f"not with {given}; for one image type split.images[0] and split.labels[0]"
                )
        return Split(self.images[index], self.labels[index])

    def __add__(self, other: "Split") -> "Split":
        """Return the images of both splits, those of `other` last."""
        if not isinstance(other, Split):
            raise TypeError(
                f"only a Split can be added to a Split, not a {type(other).__name__}; type Split(images, labels)"
            )
        return Split(np.concatenate([self.images, other.images]), np.concatenate([self.labels, other.labels]))

    def __iter__(self) -> NoReturn:
        raise TypeError(
            "a Split holds images and labels and cannot be unpacked or iterated over; "
            "type images, labels = split.images, split.labels"
        )

    def __repr__(self) -> str:
        return f"Split({len(self):,} images)"


@dataclass(frozen=True, eq=False)
class Mnist:
    """The three splits of a data set.

    Args:
        train: The images to learn from.
        validation: The images to choose settings with; no model learns from them.
        test: The images to evaluate with, once, at the end.

    Example:
        >>> from mnist_nn import load_mnist
        >>> load_mnist()
        Mnist(train=Split(55,000 images), validation=Split(5,000 images), test=Split(10,000 images))
    """

    train: Split
    validation: Split
    test: Split

    def __iter__(self) -> NoReturn:
        raise TypeError(
            "an Mnist holds three splits and cannot be unpacked or iterated over; "
            "type train, validation, test = mnist.train, mnist.validation, mnist.test"
        )


def load_mnist(source: str | Path | None = None) -> Mnist:
    """Return MNIST, or a data set in the same format, as splits for training, validation and test.

    The validation split is the last 5,000 training images, or the last twelfth if there are fewer than 60,000.

    Args:
        source: Where the data come from:
            None: the copy that is bundled with the package, verified by its SHA-256;
            a path to a `.npz` file in Keras' layout (x_train, y_train, x_test, y_test);
            a path to a folder with four IDX files, plain or `.gz`, the format of MNIST, Fashion-MNIST, KMNIST, EMNIST
            digits and QMNIST;
            "keras": `keras.datasets.mnist`, which downloads the data once.

    Returns:
        The three splits.

    Raises:
        FileNotFoundError: A file is missing, or the download failed.
        DataError: A file is damaged or in another format. (A ValueError; the message names the file.)

    Example:
        >>> from mnist_nn import load_mnist
        >>> mnist = load_mnist()
        >>> mnist.train.images.shape, mnist.train.labels[:3].tolist()
        ((55000, 28, 28), [5, 0, 4])
    """
    if source is None:
        return _splits(BUNDLED, read_npz(BUNDLED, BUNDLED_SHA256))
    if source == "keras":
        return _splits(source, _from_keras())
    path = Path(source)
    if path.is_dir():
        return _splits(path, read_idx_folder(path))
    if path.exists():
        return _splits(path, read_npz(path))
    raise FileNotFoundError(f"{source}: no such file or folder; load_mnist() without a source reads the bundled copy")


def _splits(source: str | Path, arrays: list[np.ndarray]) -> Mnist:
    train_images, train_labels, test_images, test_labels = arrays
    try:
        train, test = Split(train_images, train_labels), Split(test_images, test_labels)
    except ValueError as error:
        raise DataError(f"{source}: {error}") from error
    held_out = min(VALIDATION_IMAGES, len(train) // 12)
    if held_out == 0:
        raise DataError(f"{source}: {len(train)} training images are too few for validation; give at least 12")
    return Mnist(train[:-held_out], train[-held_out:], test)


def _from_keras() -> list[np.ndarray]:
    from ._internal.tensorflow import keras

    try:
        (train_images, train_labels), (test_images, test_labels) = keras.datasets.mnist.load_data()
    except Exception as error:  # Keras raises a plain Exception if the download fails
        raise FileNotFoundError(
            f"'keras': Keras could not download MNIST ({error}); load_mnist() without a source reads the bundled copy"
        ) from error
    return [train_images, train_labels, test_images, test_labels]


def check_images(images: Any) -> np.ndarray:
    """Return images in MNIST's format as an array.

    Args:
        images: uint8 (n, 28, 28), at least one; lists of such images are accepted.

    Returns:
        The same images, as an array.

    Raises:
        ValueError: The images have another shape or type; the message names the conversion.
    """
    if isinstance(images, Split):
        raise ValueError("images must be uint8 of shape (n, 28, 28), not a Split; type split.images")
    images = np.asarray(images)
    if images.shape[1:] != (28, 28) or images.dtype != np.uint8 or len(images) == 0:
        found, remedy = f"{images.dtype} of shape {images.shape}", "prepare_image converts a picture to this format"
        if images.size == 0:
            found, remedy = "an empty array", "give at least one image"
        elif images.shape == (28, 28) and images.dtype == np.uint8:
            remedy = "type image[None] for a single image"
        elif images.shape[1:] == (28, 28) and images.dtype.kind in "biuf":
            whole = images.dtype.kind in "iu"
            remedy = "type images.astype('uint8')" if whole else "type (255 * images).astype('uint8') for 0 to 1"
        raise ValueError(f"images must be uint8 of shape (n, 28, 28) with pixels 0 to 255, not {found}; {remedy}")
    return images


def check_split(name: str, split: Any) -> None:
    """Raise a ValueError that names the argument if `split` is not a Split."""
    if not isinstance(split, Split):
        raise ValueError(
            f"{name} must be a Split, as in load_mnist().train, or Split(images, labels); not a {type(split).__name__}"
        )
