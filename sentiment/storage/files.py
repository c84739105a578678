"""Files of this machine and behind URLs alike."""

import glob
import hashlib
import os
from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO

from sentiment.errors import DataError
from sentiment.storage import remote
from sentiment.storage.formats import has_format, is_in_folder

_READ_BYTES = 1 << 20


def expand(names: Sequence[str | Path], suffixes: Collection[str]) -> list[str]:
    """Return the files that the names stand for, each once, in the order given; those of a glob or a folder by name.

    A folder expands to its files with these suffixes, without hidden ones. Raises DataError for a name without files.
    """
    paths: list[str] = []
    for name in map(str, names):
        if remote.is_remote(name):
            found = remote.expand(name, suffixes)
            if not found:
                raise DataError(f"{name}: there is no such file, or folder of any that end in {', '.join(suffixes)}")
        elif os.path.isdir(name):
            below = [path for path in Path(name).rglob("*") if path.is_file()]
            found = [str(path) for path in below if is_in_folder(path.relative_to(name).as_posix(), suffixes)]
            if not found:
                raise DataError(f"{name}: the folder has no data file: none ends in {', '.join(suffixes)}")
        elif os.path.exists(name) or not glob.has_magic(name):
            found = [name]
        else:
            found = [path for path in glob.glob(name, recursive=True) if os.path.isfile(path)]
            if not found:
                raise DataError(f"{name}: there is no such file")
        paths += sorted(found)
    if not paths:
        raise DataError("there is no input; name at least one")
    return list(dict.fromkeys(paths))


def includes(name: str, path: str, suffixes: Collection[str]) -> bool:
    """Return whether `expand` would find a file of this path in the folder or by the glob of this name."""
    if remote.is_remote(name) != remote.is_remote(path):
        return False
    if remote.is_remote(name):
        is_folder = not has_format(name, suffixes)
        folder, place = f"{name.rstrip('/')}/", path
    else:
        is_folder = os.path.isdir(name)
        folder, place = f"{os.path.realpath(name)}/", os.path.realpath(path)
    if is_folder and not glob.has_magic(name):
        return place.startswith(folder) and is_in_folder(place.removeprefix(folder), suffixes)
    return glob.has_magic(name) and not os.path.exists(name) and _matches(place, folder.rstrip("/"))


def _matches(path: str, pattern: str) -> bool:
    if "**" in pattern:
        return fnmatchcase(path, pattern.replace("**/", "*"))
    parts, patterns = path.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


def open_file(name: str) -> BinaryIO:
    """Return the file, to be read from any byte on. Raises DataError if there is none, or none that can be read."""
    try:
        if remote.is_remote(name):
            return remote.open_to_read(name)
        if os.path.exists(name) and not os.path.isfile(name) and not os.path.isdir(name):
            raise DataError(f"{name}: is a pipe or a device, which can't be read again; save it as a file")
        return open(name, "rb")
    except FileNotFoundError:
        raise DataError(f"{name}: there is no such file") from None
    except OSError as error:
        raise DataError(f"{name}: can't be read: {error.strerror or error}") from None


def hash_file(file: BinaryIO) -> tuple[int, str]:
    """Return the number of bytes from here to the end of a file, and their SHA-256 in hexadecimal digits."""
    size, digest = 0, hashlib.sha256()
    while block := file.read(_READ_BYTES):
        size += len(block)
        digest.update(block)
    return size, digest.hexdigest()
