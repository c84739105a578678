"""Files of this machine and behind URLs alike."""

import glob
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import BinaryIO

from sentiment.errors import DataError
from sentiment.storage import remote
from sentiment.storage.formats import has_format


def expand(names: Sequence[str | Path], suffixes: Collection[str]) -> list[str]:
    """The files that the names stand for, each once, in the order given; those of a glob or a folder by name.

    A folder stands for its files of these suffixes. Raises DataError for a name that stands for none.
    """
    paths: list[str] = []
    for name in map(str, names):
        if remote.is_remote(name):
            found = remote.expand(name, suffixes)
            if not found:
                raise DataError(f"{name}: there is no such file")
        elif os.path.isdir(name):
            found = [str(path) for path in Path(name).rglob("*") if path.is_file() and has_format(path.name, suffixes)]
            if not found:
                raise DataError(f"{name}: the folder holds no file of rows: none ends in {', '.join(suffixes)}")
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


def open_file(name: str) -> BinaryIO:
    """The file, to be read from any byte on. Raises DataError where there is none, or none that can be read."""
    try:
        return remote.open_to_read(name) if remote.is_remote(name) else open(name, "rb")
    except FileNotFoundError:
        raise DataError(f"{name}: there is no such file") from None
    except OSError as error:
        raise DataError(f"{name}: can't be read: {error.strerror or error}") from None
