"""Resume a training that was interrupted, killed or cut off from power.

After every epoch the complete state of a training is written to one file, which replaces the previous one in one
step. (Keras' BackupAndRestore writes weights and epoch to two files in place, and stores neither the history nor the
settings. A kill between the two writes repeats an epoch, and other settings silently mix two trainings.)

The file holds the SHA-256 of everything after it, in hexadecimal; one line of JSON that describes the training; and
the bytes of all variables of the model and the optimiser.
"""

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from .files import CHECKPOINT, atomic_write, make_folder
from .tensorflow import keras

MAX_DESCRIPTION_BYTES = 2_000_000  # the history of about 20,000 epochs
VALUES_PER_WEIGHT = 10  # upper bound: no Keras optimiser stores more than a few values for each weight
WEIGHTS = "initial weights", "weights", "final weights"  # digests; a training goes on from any of these weights
REMEDY = "remove it, or choose another folder for this training"


class Checkpoint(keras.callbacks.Callback):
    """A callback that saves the training after every epoch and can restore it.

    Args:
        folder: Where the file is written.
        settings: Everything that decides the result, by name, as text.
        model: The model to be trained.
        history: The callback that holds the history. It must come before this one in the list of callbacks.

    Raises:
        ValueError: The file in the folder is damaged or belongs to another training. The message names it.
    """

    def __init__(self, folder: str | Path, settings: dict[str, str], model: Any, history: keras.callbacks.History):
        super().__init__()
        self.start = time.perf_counter()
        self.path = make_folder(folder) / CHECKPOINT
        architecture = json.dumps(model.get_config(), sort_keys=True, default=repr)
        self.settings = settings | {"model": digest(architecture.encode())}
        self.history = history
        self.initial_weights = digest(*model.get_weights())
        self.saved = self._read(model) if self.path.exists() else None
        if self.saved:
            differing = [name for name in self.settings if self.saved["settings"].get(name) != self.settings[name]]
            if self.initial_weights not in [self.saved.get(name) for name in WEIGHTS]:
                differing.append("initial weights")
            if differing:
                raise ValueError(
                    f"{self.path}: checkpoint of another training (other {', '.join(differing)}); {REMEDY}"
                )

    @property
    def epochs(self) -> int:
        """The number of finished epochs."""
        return self.saved["epochs"] if self.saved else 0

    @property
    def seconds(self) -> float:
        """The training time of earlier processes."""
        return self.saved["seconds"] if self.saved else 0.0

    @property
    def finished(self) -> bool:
        """True if the training has ended, normally or because a callback stopped it."""
        return bool(self.saved and self.saved["finished"])

    def restore(self, model: Any) -> None:
        """Set the model, its built optimiser and the history to the last finished epoch, if a checkpoint exists."""
        if not self.path.exists():
            return
        self.saved = self._read(model)
        self.initial_weights = self.saved["initial weights"]
        variables = _variables(model)
        if len(self.saved["state"]) != sum(map(_size, variables)):
            raise ValueError(self._damaged("its state does not fit the model and optimiser"))
        start = 0
        for variable in variables:
            value = np.frombuffer(self.saved["state"], variable.dtype, int(np.prod(variable.shape)), start)
            variable.assign(value.reshape(variable.shape))
            start += _size(variable)
        self.on_train_begin()

    def on_train_begin(self, logs=None):
        if self.saved:  # Keras has just emptied the list of epochs
            self.history.epoch = list(range(self.epochs))
            self.history.history = {name: list(values) for name, values in self.saved["history"].items()}
        else:
            self._write(0)

    def on_epoch_end(self, epoch, logs=None):
        model: Any = self.model
        self._write(epoch + 1, finished=model.stop_training)

    def on_train_end(self, logs=None):
        self._write(len(self.history.epoch), finished=True)

    def remember(self, model: Any) -> None:
        """Store the digest of the final weights, with their temperature, so that the same call accepts them again."""
        saved, final = self._read(model), digest(*model.get_weights())
        state = saved.pop("state")
        if saved.get("final weights") != final:
            self._replace(saved | {"final weights": final}, state)

    def _write(self, epochs: int, finished: bool = False) -> None:
        model: Any = self.model
        description = {
            "settings": self.settings,
            "initial weights": self.initial_weights,
            "weights": digest(*model.get_weights()),
            "epochs": epochs,
            "finished": finished,
            "seconds": self.seconds + time.perf_counter() - self.start,
            "history": self.history.history,
        }
        self._replace(description, b"".join(np.asarray(variable).tobytes() for variable in _variables(model)))

    def _replace(self, description: dict[str, Any], state: bytes) -> None:
        content = json.dumps(description, default=float).encode() + b"\n" + state
        with atomic_write(self.path) as written:
            written.write_bytes(digest(content).encode() + content)

    def _read(self, model: Any) -> dict[str, Any]:
        if self.path.stat().st_size > MAX_DESCRIPTION_BYTES + VALUES_PER_WEIGHT * sum(map(_size, model.variables)):
            raise ValueError(self._damaged("it is too large"))
        try:
            return parse(self.path.read_bytes())
        except Exception as error:  # json raises various exceptions for hostile content
            raise ValueError(self._damaged(error)) from error

    def _damaged(self, reason: object) -> str:
        return f"{self.path}: damaged checkpoint ({reason}); {REMEDY}"


def parse(content: bytes) -> dict[str, Any]:
    """Return the description and the state in a checkpoint; raise an exception if they are not complete."""
    checksum, content = content[:64], content[64:]
    if checksum != digest(content).encode():
        raise ValueError("its checksum differs")
    line, _, state = content.partition(b"\n")
    if len(line) > MAX_DESCRIPTION_BYTES:
        raise ValueError("its description is too long")
    saved = json.loads(line)
    types = {"settings": dict, "initial weights": str, "weights": str, "epochs": int, "finished": bool, "history": dict}
    types |= {"seconds": float}
    for name, kind in types.items():
        if not isinstance(saved[name], kind):
            raise ValueError(f"its {name} has the wrong type")
    if {len(values) for values in saved["history"].values()} != ({saved["epochs"]} if saved["epochs"] else set()):
        raise ValueError("its history has another number of epochs")
    return saved | {"state": state}


def digest(*arrays: np.ndarray | bytes) -> str:
    """Return the SHA-256 of the bytes of all arrays together, in hexadecimal."""
    total = hashlib.sha256()
    for array in arrays:
        total.update(array if isinstance(array, bytes) else np.ascontiguousarray(array).data)
    return total.hexdigest()


def _variables(model: Any) -> list:
    return [*model.variables, *model.optimizer.variables]


def _size(variable: Any) -> int:
    """Return the size of a variable in bytes."""
    return int(np.prod(variable.shape)) * np.dtype(variable.dtype).itemsize
