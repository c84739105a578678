"""Write a file so that it exists only when complete, and sync folders."""

import os
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import BinaryIO


class PartialFile(AbstractContextManager["PartialFile"]):
    """A file being written in `folder`, else beside `path`, and renamed to `path` when published.

    Unpublished, it is removed at the end. The next process overwrites what a killed one left: use one at a time.
    """

    def __init__(self, path: Path, folder: Path | None = None) -> None:
        self.path = path
        self._scratch = (folder or path.parent) / f"{path.name}.partial"
        self.file: BinaryIO = self._scratch.open("wb")

    def publish(self) -> None:
        """Give the file its name, replacing one there before, so that no crash leaves half of it."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        self._scratch.replace(self.path)
        sync_folder(self.path.parent)

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # what is still to be written to a full disk
            self.file.close()
        self._scratch.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Sync the folder, so that renames and removals in it survive a crash."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
