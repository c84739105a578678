"""Files of an object store or a web server, by fsspec: `s3://`, `gs://`, `hf://`, `https://`.

An object appears when it is complete, so no rename is needed; stores have none.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import BinaryIO

import fsspec

from sentiment.errors import DataError
from sentiment.storage.formats import is_in_folder

BUCKETS = ("s3://", "gs://")
INSTALL_REMOTE = "pip install 'sentiment-bilstm[remote]'"
INSTALL = {"gs": "pip install gcsfs", "hf": "pip install huggingface_hub"}  # what the extra leaves out


class RemoteError(DataError):
    """A store, or the way to it, fails."""


def is_remote(name: str) -> bool:
    """Return whether a name is a URL."""
    return "://" in name


def open_to_read(name: str) -> BinaryIO:
    """Return the file of a URL, from any byte on."""
    with _opened(name) as (filesystem, path):
        return filesystem.open(path, "rb")


def read(name: str) -> bytes:
    """Return all of a file. Raises DataError if there is none."""
    try:
        with _opened(name) as (filesystem, path):
            return filesystem.cat_file(path)
    except FileNotFoundError:
        raise DataError(f"{name}: there is no such file") from None


def send(local: str, name: str) -> None:
    """Send a file of this machine to its place, replacing one there before."""
    with _opened(name) as (filesystem, path):
        filesystem.put_file(local, path)


def exists(name: str) -> bool:
    """Return whether there is such a file."""
    with _opened(name) as (filesystem, path):
        return filesystem.isfile(path)


def size(name: str) -> int:
    """Return the size of a file in bytes."""
    with _opened(name) as (filesystem, path):
        return int(filesystem.size(path) or 0)


def version(name: str) -> str:
    """Return a value that changes when the file is written: its entity tag, else the time."""
    with _opened(name) as (filesystem, path):
        facts = filesystem.info(path)
    return str(next((facts[key] for key in ("ETag", "etag", "LastModified", "mtime") if key in facts), None))


def names(folder: str) -> list[str]:
    """Return the names of the files right in a folder; none where there is no such folder."""
    with _opened(folder) as (filesystem, path):
        try:
            entries = filesystem.ls(path, detail=True)
        except FileNotFoundError:
            return []
    return [entry["name"].rsplit("/", 1)[-1] for entry in entries if entry["type"] == "file"]


def delete(name: str) -> None:
    """Remove a file, if it is there."""
    with _opened(name) as (filesystem, path):
        if filesystem.isfile(path):
            filesystem.rm_file(path)


def expand(name: str, suffixes: Collection[str]) -> list[str]:
    """Return the files of a URL: itself, those of a folder that have these suffixes, or those of a glob.

    Raises DataError for a bucket that isn't there.
    """
    with _opened(name) as (filesystem, path):
        is_glob = "*" in path
        if not is_glob and (name.startswith("http") or filesystem.isfile(path)):
            return [name]
        bucket = path.split("/", 1)[0]
        if name.startswith(BUCKETS) and not filesystem.exists(bucket):
            raise DataError(f"{name}: there is no bucket {bucket!r}, or you may not read it")
        if is_glob:
            shown = "/." in path  # as here, a glob finds what is hidden only where it names it
            found = [each for each in filesystem.glob(path) if filesystem.isfile(each) and (shown or "/." not in each)]
        else:
            folder = path.rstrip("/")
            found = [each for each in filesystem.find(path) if is_in_folder(each.removeprefix(folder)[1:], suffixes)]
        return sorted(filesystem.unstrip_protocol(entry) for entry in found)


@contextmanager
def _opened(name: str) -> Iterator[tuple[fsspec.AbstractFileSystem, str]]:
    """Yield the store and the path in it. Raise what its client raises as RemoteError; FileNotFoundError stays."""
    try:
        yield fsspec.core.url_to_fs(name, use_listings_cache=False)  # what was just written must be seen
    except DataError:
        raise
    except FileNotFoundError as error:
        if not _is_unreachable(error):
            raise
        raise RemoteError(f"{name}: {_first_line(error.__cause__)}") from error
    except ImportError as error:
        scheme = name.split("://", 1)[0]
        raise DataError(f"{name}: a package is missing: {INSTALL.get(scheme, INSTALL_REMOTE)}") from error
    except Exception as error:  # each client has exceptions of its own
        raise RemoteError(f"{name}: {_first_line(error)}") from error


def _is_unreachable(error: FileNotFoundError) -> bool:
    # A web server that can't be asked: its file "isn't found" for that reason.
    return isinstance(error.__cause__, OSError) and not isinstance(error.__cause__, FileNotFoundError)


def _first_line(error: BaseException | None) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
