"""A name's suffixes say what is in a file: of which format, and whether compressed."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from sentiment.errors import ConfigError, DataError

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
DELIMITERS = {".csv": ",", ".tsv": "\t"}
JSON_SUFFIXES = (".jsonl", ".ndjson")
TABLES = {".parquet": "Parquet", ".arrow": "Arrow"}
LINE_SUFFIX = ".txt"
ROW_SUFFIXES = (*DELIMITERS, *JSON_SUFFIXES, *TABLES)  # whose rows have columns


@dataclass(frozen=True)
class Format:
    """The format of a file: its `suffix` in lower case, without that of its `compression`."""

    suffix: str
    compression: str | None = None

    @property
    def is_table(self) -> bool:
        """Return whether columns have types."""
        return self.suffix in TABLES

    @property
    def kind(self) -> str:
        """Return what inputs of one job must have in common."""
        if self.is_table:
            return "a table"
        if self.suffix in DELIMITERS:
            return "cells"
        return "plain lines" if self.suffix == LINE_SUFFIX else "JSON lines"

    def __str__(self) -> str:
        packing = next((suffix for suffix, name in COMPRESSIONS.items() if name == self.compression), "")
        return self.suffix + packing


def format_of(name: str, known: Collection[str], who: str) -> Format:
    """Return the format, one of the `known` suffixes. Raises DataError for another, with what `who` reads or writes."""
    suffixes = [suffix.lower() for suffix in _suffixes(name)[-2:]]
    compression = COMPRESSIONS.get(suffixes[-1]) if suffixes else None
    if compression:
        suffixes.pop()
    suffix = suffixes[-1] if suffixes else ""
    if suffix not in known or (compression and suffix in TABLES):
        given = "".join(_suffixes(name)[-2 if compression else -1 :])
        packed = f"{', '.join(COMPRESSIONS)} after those of text"
        raise DataError(
            f"{name}: the suffix says the format, and {who} {', '.join(known)}, and {packed}, not {given!r}"
        )
    return Format(suffix, compression)


def has_format(name: str, known: Collection[str]) -> bool:
    """Return whether its format is one of these suffixes."""
    try:
        format_of(name, known, "")
    except DataError:
        return False
    return True


def is_in_folder(path: str, known: Collection[str]) -> bool:
    """Return whether a folder is read for the file at this path in it: of a known suffix, and not hidden by a dot."""
    return has_format(path, known) and not any(part.startswith(".") for part in path.split("/"))


def check_separator(separator: str | None) -> None:
    """Raise ConfigError unless it is one character that can stand between cells."""
    if separator is not None and (len(separator) != 1 or separator in '"\r\n'):
        raise ConfigError(f"separator: one character between cells, such as ; or \\t, not {separator!r}")


def base_name(name: str) -> str:
    """Return the last part of a file's, a folder's or a glob's name."""
    return PurePosixPath(_path(name)).name or name


def _suffixes(name: str) -> list[str]:
    return PurePosixPath(_path(name)).suffixes


def _path(name: str) -> str:
    # A URL may continue after the path: ?download=true
    return urlsplit(name).path if name.startswith(("http://", "https://")) else name
