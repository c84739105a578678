"""Files of an object store or a web server, by fsspec: `s3://`, `gs://`, `https://`.

An object is there when it is whole: no rename is needed, and none is to be had.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import BinaryIO, cast

import fsspec

from sentiment.errors import DataError
from sentiment.scoring.errors import CheckpointError
from sentiment.scoring.formats import is_input
from sentiment.scoring.parts import CHECKPOINT, Part, describe, is_ours, part_error

_GOES_ON = "no row is lost: the same command goes on from what is done"


class RemoteFile:
    """A file being written here, which is sent to its place when published."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.file = cast("BinaryIO", tempfile.NamedTemporaryFile(prefix="sentiment-"))  # noqa: SIM115

    def publish(self) -> None:
        """Sends the file, replacing one there before."""
        self.file.flush()
        with refusal(self.path):
            filesystem, path = _filesystem(self.path)
            filesystem.put_file(self.file.name, path)

    def __enter__(self) -> "RemoteFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.close()


class RemoteParts:
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
        """There is no lock to free."""

    def create(self, name: str) -> RemoteFile:
        """A file to be written, there once it is published."""
        return RemoteFile(f"{self._folder}/{name}")

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return exists(f"{self._folder}/{name}")

    def open(self, name: str) -> BinaryIO:
        """A file, to be read."""
        return open_to_read(f"{self._folder}/{name}")

    def describe(self, name: str) -> Part:
        """The part as it is now."""
        with self.open(name) as file:
            return describe(name, file)

    def check(self, part: Part) -> None:
        """Raises CheckpointError unless it is as it was written."""
        found = self.describe(part.name) if self.has(part.name) else None
        if found != part:
            raise part_error(f"{self}/{part.name}", part, found)

    def clear(self) -> None:
        """Drops all that is in it, the checkpoint first: parts without one are never gone on from."""
        for name in sorted(names(self._folder), key=lambda name: name != CHECKPOINT):
            delete(f"{self._folder}/{name}")

    def remove(self) -> None:
        """Drops all, the checkpoint last: it knows that the parts are no longer needed."""
        for name in sorted(names(self._folder), key=lambda name: name == CHECKPOINT):
            delete(f"{self._folder}/{name}")


def is_remote(name: str) -> bool:
    """Whether a name is a URL."""
    return "://" in name


def open_to_read(name: str) -> BinaryIO:
    """The file of a URL, from any byte on."""
    with refusal(name):
        filesystem, path = _filesystem(name)
        return filesystem.open(path, "rb")


def exists(name: str) -> bool:
    """Whether there is such a file."""
    with refusal(name):
        filesystem, path = _filesystem(name)
        return filesystem.isfile(path)


def size(name: str) -> int:
    """How many bytes it has."""
    with refusal(name):
        filesystem, path = _filesystem(name)
        return int(filesystem.size(path) or 0)


def version(name: str) -> str:
    """What the store changes when the file is written: its entity tag, else the time."""
    with refusal(name):
        filesystem, path = _filesystem(name)
        facts = filesystem.info(path)
    return str(next((facts[key] for key in ("ETag", "etag", "LastModified", "mtime") if key in facts), None))


def names(folder: str) -> list[str]:
    """The names of the files right in a folder; none where there is no such folder."""
    with refusal(folder):
        filesystem, path = _filesystem(folder)
        try:
            entries = filesystem.ls(path, detail=True)
        except FileNotFoundError:
            return []
    return [entry["name"].rsplit("/", 1)[-1] for entry in entries if entry["type"] == "file"]


def delete(name: str) -> None:
    """Removes a file, if it is there."""
    with refusal(name):
        filesystem, path = _filesystem(name)
        if filesystem.isfile(path):
            filesystem.rm_file(path)


def expand(name: str) -> list[str]:
    """The files that a URL stands for: itself, those of a folder, or those of a glob."""
    with refusal(name):
        filesystem, path = _filesystem(name)
        if not name.startswith("http") and not filesystem.exists(path.split("/", 1)[0]):
            return []  # no such bucket
        if "*" in path:
            found = [entry for entry in filesystem.glob(path) if filesystem.isfile(entry)]
        elif name.startswith("http") or filesystem.isfile(path):
            return [name]
        else:
            found = [entry for entry in filesystem.find(path) if is_input(entry)]
        return sorted(filesystem.unstrip_protocol(entry) for entry in found)


@contextmanager
def refusal(name: str) -> Iterator[None]:
    """What a store's client raises, as DataError."""
    try:
        yield
    except (DataError, FileNotFoundError):
        raise
    except ImportError as error:
        raise DataError(f"{name}: {error}; pip install 'sentiment-bilstm[remote]'") from None
    except Exception as error:  # each client has exceptions of its own
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{name}: {reason}; {_GOES_ON}") from error


def _filesystem(name: str) -> tuple[fsspec.AbstractFileSystem, str]:
    # Without a cache of listings: what was just written must be seen.
    filesystem, path = fsspec.core.url_to_fs(name, use_listings_cache=False)
    return filesystem, path
