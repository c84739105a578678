"""Keep a job's parts and checkpoint in an object store."""

import tempfile
from contextlib import AbstractContextManager
from typing import BinaryIO, cast

from sentiment.scoring.resume.parts import CHECKPOINT, Parts
from sentiment.storage.remote import delete, exists, names, open_to_read, send


class RemoteFile(AbstractContextManager["RemoteFile"]):
    """A file being written locally, and uploaded when published."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.file = cast("BinaryIO", tempfile.NamedTemporaryFile(prefix="sentiment-"))  # noqa: SIM115

    def publish(self) -> None:
        self.file.flush()
        send(self.file.name, self.path)

    def __exit__(self, *_: object) -> None:
        self.file.close()


class RemoteParts(Parts):
    """The objects under `OUTPUT.parts/`. Nothing keeps two jobs from writing one output at a time."""

    def __init__(self, target: str) -> None:
        self._folder = f"{target}.parts"

    def __str__(self) -> str:
        return self._folder

    def __enter__(self) -> "RemoteParts":
        self.check_names(names(self._folder))
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing: there is no lock."""

    def create(self, name: str) -> RemoteFile:
        return RemoteFile(f"{self._folder}/{name}")

    def has(self, name: str) -> bool:
        return exists(f"{self._folder}/{name}")

    def open(self, name: str) -> BinaryIO:
        return open_to_read(f"{self._folder}/{name}")

    def clear(self) -> None:
        for name in sorted(names(self._folder), key=lambda name: name != CHECKPOINT):
            delete(f"{self._folder}/{name}")

    def remove(self) -> None:
        for name in sorted(names(self._folder), key=lambda name: name == CHECKPOINT):
            delete(f"{self._folder}/{name}")
