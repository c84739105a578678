"""Keep a job's parts and checkpoint in an object store."""

import tempfile
from types import TracebackType
from typing import BinaryIO, cast

from sentiment.errors import CheckpointError
from sentiment.scoring.resume.parts import CHECKPOINT, Parts, is_ours
from sentiment.storage.remote import delete, exists, names, open_to_read, send


class RemoteFile:
    """A file being written locally, and uploaded when published."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.file = cast("BinaryIO", tempfile.NamedTemporaryFile(prefix="sentiment-"))  # noqa: SIM115

    def publish(self) -> None:
        """Send the file, replacing one there before."""
        self.file.flush()
        send(self.file.name, self.path)

    def __enter__(self) -> "RemoteFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.close()


class RemoteParts(Parts):
    """The objects under `OUTPUT.parts/`. Nothing keeps two jobs from writing one output at a time."""

    def __init__(self, target: str) -> None:
        self._folder = f"{target}.parts"

    def __str__(self) -> str:
        return self._folder

    def __enter__(self) -> "RemoteParts":
        foreign = next((name for name in names(self._folder) if not is_ours(name)), None)
        if foreign is not None:
            raise CheckpointError(f"{self}: holds {foreign!r}, which is no part of a job; move it away")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do nothing: there is no lock."""

    def create(self, name: str) -> RemoteFile:
        """Return a file to be written, there once it is published."""
        return RemoteFile(f"{self._folder}/{name}")

    def has(self, name: str) -> bool:
        """Return whether there is such a file."""
        return exists(f"{self._folder}/{name}")

    def open(self, name: str) -> BinaryIO:
        """Return a file, to be read."""
        return open_to_read(f"{self._folder}/{name}")

    def clear(self) -> None:
        """Remove all files, the checkpoint first: parts without one are never resumed."""
        for name in sorted(names(self._folder), key=lambda name: name != CHECKPOINT):
            delete(f"{self._folder}/{name}")

    def remove(self) -> None:
        """Remove all files, the checkpoint last: it records that the parts are no longer needed."""
        for name in sorted(names(self._folder), key=lambda name: name == CHECKPOINT):
            delete(f"{self._folder}/{name}")
