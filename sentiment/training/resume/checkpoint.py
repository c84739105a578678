"""Save a training to disk, so that a killed one resumes.

A folder of two files: the tensors, and a JSON file that names them with their SHA-256. Each is written beside, synced
and renamed, the JSON file last: at any moment the folder contains one complete checkpoint, the last or the one before.
"""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from sentiment.errors import CheckpointError
from sentiment.storage.atomic import PartialFile

FORMAT_VERSION = 1
STATE = "state.json"
TENSORS = "tensors-*.safetensors"
LOCK = "lock"
EVERY_SECONDS = 60.0  # and at the end of each epoch; writing one of the default model takes about a second
LEAST_WORK = 20  # times what the last one took to write: a large encoder's is gigabytes


@dataclass(frozen=True)
class Saved:
    """The content of a checkpoint."""

    tensors: dict[str, Tensor]
    numbers: dict[str, Any]


class Checkpoint:
    """The checkpoint of one training, to be used in a `with`: no other training may use it meanwhile.

    `fingerprint` contains all that decides a training, by name: a training of another fingerprint is not resumed.
    """

    def __init__(self, folder: Path, fingerprint: Mapping[str, str], *, restart: bool = False) -> None:
        self.folder = folder
        self.fingerprint = dict(fingerprint)
        self._restart = restart
        self._lock = -1
        self._written = time.monotonic()
        self._writing_seconds = 0.0
        self.saved: Saved | None = None  # what was found

    def __enter__(self) -> "Checkpoint":
        if self.folder.exists() and not self.folder.is_dir():
            raise CheckpointError(f"{self.folder} is a file; a folder of this name is needed for checkpoints")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.folder / LOCK, os.O_CREAT | os.O_RDWR, 0o644)
        except OSError as error:
            raise CheckpointError(
                f"no checkpoint can be written to {self.folder}: {error.strerror}; choose another --out"
            ) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the kernel frees it, however the process ends
        except OSError:
            os.close(self._lock)
            raise CheckpointError(
                f"{self.folder} is in use by another training; wait, or choose another --out"
            ) from None
        try:
            if self._restart:
                self._empty()
            self.saved = self._read()
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    def due(self) -> bool:
        """Return whether the last one was written long enough ago."""
        return time.monotonic() - self._written >= max(EVERY_SECONDS, LEAST_WORK * self._writing_seconds)

    def save(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
        """Replace the checkpoint, at once or not at all. Raises CheckpointError if the disk does not take it."""
        begun = time.monotonic()
        content = safetensors.torch.save({name: tensor.contiguous() for name, tensor in tensors.items()})
        name = TENSORS.replace("*", f"{numbers['step']:09}")
        body = {
            "format_version": FORMAT_VERSION,
            "identity": self.fingerprint,
            "tensors": {"file": name, "sha256": hashlib.sha256(content).hexdigest()},
            "numbers": dict(numbers),
        }
        try:
            self._write(name, content)
            self._write(STATE, json.dumps({**body, "sha256": _digest(body)}, allow_nan=False).encode())
        except OSError as error:
            raise CheckpointError(
                f"checkpoint {self.folder} can't be written: {error.strerror}; once it can, the same command resumes"
            ) from None
        for old in self.folder.glob(TENSORS):
            if old.name != name:
                old.unlink()
        self._written = time.monotonic()
        self._writing_seconds = self._written - begun

    def remove(self) -> None:
        """Remove the checkpoint: its training is done, or can only fail again."""
        self._empty()
        self.saved = None

    def _read(self) -> Saved | None:
        path = self.folder / STATE
        if not path.exists():
            return None
        try:
            body = json.loads(path.read_bytes())
            digest = body.pop("sha256")
            if digest != _digest(body) or body["format_version"] != FORMAT_VERSION:
                raise ValueError("its sha256 or format_version does not match")
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise _unusable(path, f"can't be read: {error}") from None
        check_fingerprint(self.folder, body["identity"], self.fingerprint)
        file = self.folder / body["tensors"]["file"]
        try:
            content = file.read_bytes()
            if hashlib.sha256(content).hexdigest() != body["tensors"]["sha256"]:
                raise ValueError("its sha256 does not match")
            return Saved(safetensors.torch.load(content), body["numbers"])
        except (OSError, ValueError, SafetensorError) as error:
            raise _unusable(file, f"can't be read: {error}") from None

    def _write(self, name: str, content: bytes) -> None:
        with PartialFile(self.folder / name) as file:
            file.file.write(content)
            file.publish()

    def _empty(self) -> None:
        (self.folder / STATE).unlink(missing_ok=True)  # first: without it the others mean nothing
        for pattern in (TENSORS, f"{TENSORS}.partial", f"{STATE}.partial"):
            for file in self.folder.glob(pattern):
                file.unlink()

    def _release(self) -> None:
        if not (self.folder / STATE).exists():
            self._empty()
            (self.folder / LOCK).unlink(missing_ok=True)
            if not any(self.folder.iterdir()):
                self.folder.rmdir()
        os.close(self._lock)


def check_fingerprint(folder: Path, saved: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    """Raise CheckpointError, naming each difference, if the two fingerprints differ."""
    changed = [
        f"{name} was {saved.get(name, 'not there')}, is {wanted.get(name, 'not there')}"
        for name in sorted(saved.keys() | wanted.keys())
        if saved.get(name) != wanted.get(name)
    ]
    if changed:
        raise _unusable(folder, f"belongs to another training: {'; '.join(changed)}")


def _digest(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, allow_nan=False).encode()).hexdigest()


def _unusable(path: Path, reason: str) -> CheckpointError:
    return CheckpointError(f"checkpoint {path} {reason}. Undo that change to resume, or start again with --restart")
