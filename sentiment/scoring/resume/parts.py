"""Keep the finished parts of an output in a folder beside it, locked for one job at a time."""

import fcntl
import os
import re
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from sentiment.errors import CheckpointError
from sentiment.scoring.errors import NO_ROOM
from sentiment.storage.atomic import PartialFile, sync_folder
from sentiment.storage.files import hash_file

CHECKPOINT = "checkpoint.json"
_OURS = re.compile(r"checkpoint\.json|\d{6,}\.(rows|rejects)|.*\.partial")


@dataclass(frozen=True, slots=True)
class Part:
    """A file of the folder, with its size and digest."""

    name: str
    size: int  # bytes
    sha256: str


class Publishable(AbstractContextManager["Publishable"], Protocol):
    """A file being written, which exists once published and is removed at the end otherwise."""

    file: BinaryIO

    def publish(self) -> None:
        """Give it its name, replacing one there before."""


class Parts(AbstractContextManager["Parts"], Protocol):
    """The finished parts of an output, in a folder beside it, to be used in a `with`."""

    def create(self, name: str) -> Publishable:
        """Return a file to be written, there once it is published."""

    def has(self, name: str) -> bool:
        """Return whether there is such a file."""

    def open(self, name: str) -> BinaryIO:
        """Return a file, to be read."""

    def describe(self, name: str) -> Part:
        """Return the part as it is now."""
        with self.open(name) as file:
            return Part(name, *hash_file(file))

    def check(self, part: Part) -> None:
        """Raise CheckpointError unless it is as it was written."""
        if not self.has(part.name):
            raise CheckpointError(f"{self}/{part.name}: is gone; --restart starts again")
        found = self.describe(part.name)
        if found != part:
            reason = f"has {found.size} bytes, SHA-256 {found.sha256:.12}; written were {part.size}, {part.sha256:.12}"
            raise CheckpointError(f"{self}/{part.name}: was altered: {reason}; --restart starts again")

    def check_names(self, names: Iterable[str]) -> None:
        """Raise CheckpointError if one of the files is none that a job may have written."""
        foreign = next((name for name in names if not _OURS.fullmatch(name)), None)
        if foreign is not None:
            raise CheckpointError(f"{self}: holds {foreign!r}, which is no part of a job; move it away")

    def clear(self) -> None:
        """Remove all files, the checkpoint first: parts without one are never resumed."""

    def remove(self) -> None:
        """Remove all files and the folder, the checkpoint last: it records that the parts are no longer needed."""


class PartsFolder(Parts):
    """`OUTPUT.parts`, locked: no other job may use it meanwhile."""

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(f"{target.name}.parts")
        self._descriptor = -1

    def __enter__(self) -> "PartsFolder":
        if self.path.exists() and not self.path.is_dir():
            raise CheckpointError(f"{self.path}: is a file; a folder of this name is needed for what is done")
        while not self._locked():  # removed by another job that ended between making and locking it
            self._release()
        try:
            self.check_names(path.name for path in self.path.iterdir())
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._release()

    def __str__(self) -> str:
        return str(self.path)

    def create(self, name: str) -> PartialFile:
        return PartialFile(self.path / name)

    def has(self, name: str) -> bool:
        return (self.path / name).exists()

    def open(self, name: str) -> BinaryIO:
        return (self.path / name).open("rb")

    def clear(self) -> None:
        (self.path / CHECKPOINT).unlink(missing_ok=True)
        sync_folder(self.path)
        for path in list(self.path.iterdir()):
            path.unlink()

    def remove(self) -> None:
        for path in sorted(self.path.iterdir(), key=lambda path: path.name == CHECKPOINT):
            path.unlink()
        self.path.rmdir()
        sync_folder(self.path.parent)

    def _locked(self) -> bool:
        if not self.path.exists():
            try:
                self.path.mkdir(exist_ok=True)
            except OSError as error:
                if error.errno in NO_ROOM:
                    raise
                reason = f"can't be made ({error.strerror}); name an output in a folder that can be written to"
                raise CheckpointError(f"{self.path}: {reason}") from None
            sync_folder(self.path.parent)
        self._descriptor = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the kernel frees it, however a job ends
        except BlockingIOError:
            self._release()
            raise CheckpointError(f"{self.path}: is in use by another job; wait, or name another output") from None
        return self.path.exists() and os.path.samestat(os.fstat(self._descriptor), self.path.stat())

    def _release(self) -> None:
        if self._descriptor != -1:
            os.close(self._descriptor)
            self._descriptor = -1
