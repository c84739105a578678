"""Keep the finished parts of an output in a folder beside it, locked for one job at a time."""

import fcntl
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol

from sentiment.errors import CheckpointError
from sentiment.scoring.errors import NO_ROOM
from sentiment.storage.atomic import PartialFile, sync_folder

CHECKPOINT = "checkpoint.json"
_OURS = re.compile(r"\d{6,}\.(rows|rejects)|.*\.partial")
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """A file of the folder, with its size and digest."""

    name: str
    size: int  # bytes
    sha256: str


class Publishable(Protocol):
    """A file being written, which exists once published and is removed at the end otherwise."""

    @property
    def file(self) -> BinaryIO:
        """Return a file to write."""

    def publish(self) -> None:
        """Give it its name, replacing one there before."""

    def __enter__(self) -> "Publishable": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Parts(Protocol):
    """The finished parts of an output, in a folder beside it."""

    def create(self, name: str) -> Publishable:
        """Return a file to be written."""

    def has(self, name: str) -> bool:
        """Return whether there is such a file."""

    def open(self, name: str) -> BinaryIO:
        """Return a file, to be read."""

    def describe(self, name: str) -> Part:
        """Return the part as it is now."""
        with self.open(name) as file:
            return describe(name, file)

    def check(self, part: Part) -> None:
        """Raise CheckpointError unless it is as it was written."""
        found = self.describe(part.name) if self.has(part.name) else None
        if found != part:
            raise part_error(f"{self}/{part.name}", part, found)

    def clear(self) -> None:
        """Remove all files."""

    def remove(self) -> None:
        """Remove all files, and the folder."""

    def __enter__(self) -> "Parts": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class PartsFolder(Parts):
    """`OUTPUT.parts`, to be used in a `with`: no other job may use it meanwhile."""

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(f"{target.name}.parts")
        self._descriptor = -1

    def __enter__(self) -> "PartsFolder":
        if self.path.exists() and not self.path.is_dir():
            raise CheckpointError(f"{self.path}: is a file; a folder of this name is needed for what is done")
        while not self._locked():  # removed by another job that ended between making and locking it
            self._release()
        try:
            foreign = next((path.name for path in self.path.iterdir() if not is_ours(path.name)), None)
            if foreign is not None:
                raise CheckpointError(f"{self.path}: holds {foreign!r}, which is no part of a job; move it away")
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    def __str__(self) -> str:
        return str(self.path)

    def create(self, name: str) -> PartialFile:
        """Return a file to be written, there once it is published."""
        return PartialFile(self.path / name)

    def has(self, name: str) -> bool:
        """Return whether there is such a file."""
        return (self.path / name).exists()

    def open(self, name: str) -> BinaryIO:
        """Return a file, to be read."""
        return (self.path / name).open("rb")

    def clear(self) -> None:
        """Remove all files, the checkpoint first: parts without one are never resumed."""
        (self.path / CHECKPOINT).unlink(missing_ok=True)
        sync_folder(self.path)
        for path in list(self.path.iterdir()):
            path.unlink()

    def remove(self) -> None:
        """Remove the folder, the checkpoint last: it records that the parts are no longer needed."""
        for path in sorted(self.path.iterdir(), key=lambda path: path.name == CHECKPOINT):
            path.unlink()
        self.path.rmdir()
        sync_folder(self.path.parent)

    def _locked(self) -> bool:
        if not self.path.exists():
            self._make()
            sync_folder(self.path.parent)
        self._descriptor = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the kernel frees it, however a job ends
        except BlockingIOError:
            self._release()
            raise CheckpointError(f"{self.path}: is in use by another job; wait, or name another output") from None
        return self.path.exists() and os.path.samestat(os.fstat(self._descriptor), self.path.stat())

    def _make(self) -> None:
        try:
            self.path.mkdir(exist_ok=True)
        except OSError as error:
            if error.errno in NO_ROOM:
                raise
            reason = f"can't be made ({error.strerror})"
            raise CheckpointError(f"{self.path}: {reason}; name an output in a folder that can be written to") from None

    def _release(self) -> None:
        if self._descriptor != -1:
            os.close(self._descriptor)
            self._descriptor = -1


def describe(name: str, file: BinaryIO) -> Part:
    """Return the part that the file is."""
    digest, size = hashlib.sha256(), 0
    while block := file.read(_READ_BYTES):
        digest.update(block)
        size += len(block)
    return Part(name, size, digest.hexdigest())


def part_error(path: str, part: Part, found: Part | None) -> CheckpointError:
    """Return the error of a part that differs from what was written."""
    if found is None:
        return CheckpointError(f"{path}: is gone; --restart starts again")
    reason = f"has {found.size} bytes, SHA-256 {found.sha256:.12}; written were {part.size}, {part.sha256:.12}"
    return CheckpointError(f"{path}: was altered: {reason}; --restart starts again")


def is_ours(name: str) -> bool:
    """Return whether a job may have written a file of this name."""
    return name == CHECKPOINT or _OURS.fullmatch(name) is not None
