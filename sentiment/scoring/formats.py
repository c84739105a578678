"""A name's suffixes say what is in a file: of which format, and whether compressed."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePosixPath

from sentiment.errors import DataError
from sentiment.scoring.streams import COMPRESSIONS

DELIMITERS = {".csv": ",", ".tsv": "\t"}
JSON_SUFFIXES = (".jsonl", ".ndjson")
TABLES = {".parquet": "Parquet", ".arrow": "Arrow"}
LINE_SUFFIX = ".txt"
OUTPUT_SUFFIXES = (*DELIMITERS, *JSON_SUFFIXES, *TABLES)
INPUT_SUFFIXES = (*OUTPUT_SUFFIXES, LINE_SUFFIX)


@dataclass(frozen=True)
class Format:
    """How rows stand in a file: its `suffix` in lower case, without that of its `compression`."""

    suffix: str
    compression: str | None = None

    @property
    def is_table(self) -> bool:
        """Whether columns have types."""
        return self.suffix in TABLES

    @property
    def kind(self) -> str:
        """What formats that may follow each other have in common."""
        if self.is_table:
            return "a table"
        if self.suffix in DELIMITERS:
            return "cells"
        return "plain lines" if self.suffix == LINE_SUFFIX else "JSON lines"

    def __str__(self) -> str:
        packing = next((suffix for suffix, name in COMPRESSIONS.items() if name == self.compression), "")
        return self.suffix + packing


def input_format(name: str) -> Format:
    """Raises DataError where nothing reads it."""
    return _format(name, INPUT_SUFFIXES, "reads")


def output_format(name: str) -> Format:
    """Raises DataError where nothing writes it."""
    return _format(name, OUTPUT_SUFFIXES, "writes")


def is_input(name: str) -> bool:
    """Whether it is one of those that a folder is read for."""
    try:
        input_format(name)
    except DataError:
        return False
    return True


def _format(name: str, known: Collection[str], verb: str) -> Format:
    suffixes = [suffix.lower() for suffix in PurePosixPath(name).suffixes[-2:]]
    compression = COMPRESSIONS.get(suffixes[-1]) if suffixes else None
    if compression:
        suffixes.pop()
    suffix = suffixes[-1] if suffixes else ""
    if suffix not in known or (compression and suffix in TABLES):
        given = "".join(PurePosixPath(name).suffixes[-2:] if compression else PurePosixPath(name).suffixes[-1:])
        packed = f"{', '.join(COMPRESSIONS)} after those of text"
        raise DataError(
            f"{name}: the suffix says the format, and score {verb} {', '.join(known)}, and {packed}, not {given!r}"
        )
    return Format(suffix, compression)
