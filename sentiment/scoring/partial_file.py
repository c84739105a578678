"""A file is there when it is whole, or it isn't there."""

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType


class PartialFile:
    """A file being written beside `path`. It takes that name when published, and is gone at the end if it isn't."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._scratch = path.with_name(f".{path.name}.{os.getpid()}.partial")
        self.file = self._scratch.open("wb")

    def publish(self) -> None:
        """Gives the file its name, replacing one there before, so that no crash leaves half of it."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        self._scratch.replace(self.path)
        sync_folder(self.path.parent)

    def __enter__(self) -> "PartialFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # what is still to be written to a full disk
            self.file.close()
        self._scratch.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Makes what was renamed or removed in the folder last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
