"""A training that survives being killed: after each epoch its whole state goes into one file, whole or not at all.

Keras' BackupAndRestore writes weights and epoch into two files, each in place, and keeps neither the history nor which
training they are of: killed between the two it repeats an epoch, and given other settings it mixes two trainings.
"""

import hashlib
import io
import json
import zipfile
from pathlib import Path

import numpy as np

from .tensorflow import keras
from .files import make_folder, replacing
from .steps import without_initializers

FILE = "checkpoint.zip"
LONGEST = 2_000_000  # bytes of the description: the history of 20,000 epochs
REMEDY = "remove it, or choose another folder for this training"


class Checkpoint(keras.callbacks.Callback):
    """Writes `folder`/checkpoint.zip: state, the bytes of all variables, and training.json, which says what they are.

    settings: by name, as JSON has it, all that decides the result.
    history: the callback that holds the history; it comes before this one.

    Raises ValueError, naming the file and the remedy, if the checkpoint there is of another training, or damaged.
    """

    def __init__(self, folder: str | Path, settings: dict, model: keras.Model, history: keras.callbacks.History):
        super().__init__()
        self.path = make_folder(folder) / FILE
        architecture = json.dumps(without_initializers(model.get_config()), sort_keys=True, default=repr)
        self.settings = settings | {"model": hashlib.sha256(architecture.encode()).hexdigest()}
        self.history = history
        self.initial = digest(*model.get_weights())
        self.found = self._read(model) if self.path.exists() else None
        if self.found:
            other = [name for name, value in self.settings.items() if self.found["settings"].get(name) != value]
            if self.initial not in (self.found["initial weights"], self.found["weights"]):
                other.append("initial weights")
            if other:
                raise ValueError(f"{self.path}: a checkpoint of another training (other {', '.join(other)}); {REMEDY}")

    @property
    def epochs(self) -> int:
        """How many epochs are finished."""
        return self.found["epochs"] if self.found else 0

    @property
    def finished(self) -> bool:
        """Whether the training is, be it that it was stopped early by a callback."""
        return bool(self.found and self.found["finished"])

    def restore(self, model: keras.Model) -> None:
        """Bring a model whose optimizer is built, and the history, to the last finished epoch, if there is one."""
        if not self.path.exists():
            return
        self.found = self._read(model)
        self.initial = self.found["initial weights"]
        variables, state, start = _variables(model), self.found["state"], 0
        if len(state) != sum(_bytes(variable) for variable in variables):
            raise ValueError(self._damaged("its state is of another size than the model"))
        for variable in variables:
            value = np.frombuffer(state, variable.dtype, int(np.prod(variable.shape)), start)
            variable.assign(value.reshape(variable.shape))
            start += _bytes(variable)
        self.on_train_begin()

    def on_train_begin(self, logs=None):
        if self.found:  # Keras has just emptied the history
            self.history.epoch = list(range(self.epochs))
            self.history.history = {name: list(values) for name, values in self.found["history"].items()}
        else:
            self._write(0)

    def on_epoch_end(self, epoch, logs=None):
        self._write(epoch + 1, self.model.stop_training)

    def on_train_end(self, logs=None):
        self._write(len(self.history.epoch), finished=True)

    def _write(self, epochs: int, finished: bool = False) -> None:
        description = {
            "settings": self.settings,
            "initial weights": self.initial,
            "weights": digest(*self.model.get_weights()),
            "epochs": epochs,
            "finished": finished,
            "history": self.history.history,
        }
        with replacing(self.path) as written, zipfile.ZipFile(written, "w") as archive:
            archive.writestr("training.json", json.dumps(description, default=float))
            archive.writestr("state", b"".join(np.asarray(v).tobytes() for v in _variables(self.model)))

    def _read(self, model) -> dict:
        # No optimizer keeps more than a few numbers for each weight.
        if self.path.stat().st_size > LONGEST + 10 * sum(map(_bytes, model.variables)) + 1_000_000:
            raise ValueError(self._damaged("it is too large"))
        content = self.path.read_bytes()
        try:
            description, state = _parts(content)
            found = json.loads(description) | {"state": state}
            lengths = {len(values) for values in found["history"].values()}
            if not isinstance(found["epochs"], int) or lengths != ({found["epochs"]} if found["epochs"] else set()):
                raise ValueError("its history is not as long as it says")
            if (
                not isinstance(found["settings"], dict)
                or not {"finished", "weights", "initial weights"} <= found.keys()
            ):
                raise ValueError("its description is not complete")
        except Exception as error:  # zipfile and json raise whatever a damaged file makes them raise
            raise ValueError(self._damaged(error)) from error
        return found

    def _damaged(self, reason) -> str:
        return f"{self.path}: a damaged checkpoint ({reason}); {REMEDY}"


def digest(*arrays) -> str:
    """Return the SHA-256 of the arrays' bytes, in hexadecimal."""
    total = hashlib.sha256()
    for array in arrays:
        total.update(np.ascontiguousarray(array))
    return total.hexdigest()


def _variables(model) -> list:
    return [*model.variables, *model.optimizer.variables]


def _bytes(variable) -> int:
    return int(np.prod(variable.shape)) * np.dtype(variable.dtype).itemsize


def _parts(content: bytes) -> list[bytes]:
    """Return the two parts of a checkpoint; they cannot be larger than it, since they are not compressed."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = [archive.getinfo(name) for name in ("training.json", "state")]
        if any(part.compress_type != zipfile.ZIP_STORED for part in parts):
            raise ValueError("it is compressed, which it was not when it was written")
        if parts[0].file_size > LONGEST:
            raise ValueError("its description is too long")
        return [archive.read(part) for part in parts]
