"""Which reader and which writer: a file's suffix says what is in it."""

import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from sentiment.errors import DataError
from sentiment.scoring.rows import Position, Selection, Values, Window
from sentiment.scoring.text_readers import csv_source, json_source, line_source
from sentiment.scoring.text_writers import CsvWriter, JsonWriter

DELIMITERS = {".csv": ",", ".tsv": "\t"}
JSON_SUFFIXES = (".jsonl", ".ndjson")
TABLE_SUFFIX = ".parquet"
LINE_SUFFIX = ".txt"
OUTPUT_SUFFIXES = (*DELIMITERS, *JSON_SUFFIXES, TABLE_SUFFIX)
INPUT_SUFFIXES = (*OUTPUT_SUFFIXES, LINE_SUFFIX)
_COPY_BYTES = 1 << 20


class Writer(Protocol):
    """Writes rows with their answers, in order, and counts them in `rows`."""

    rows: int

    def write(self, window: Window, answers: Mapping[int, Values]) -> dict[int, str]:
        """Why a row can't be written, for the places where that is so. `answers`, too, is by place."""

    def close(self) -> None:
        """Writes what is held back."""


class Source(Protocol):
    """Reads the rows of an input, from any position that it gave out before; `start` is the first of them."""

    start: Position

    @property
    def head(self) -> Window:
        """The first rows, or none of them: what columns there are, and of which types."""

    def windows(self, start: Position, max_rows: int) -> Iterator[tuple[Window, Position]]:
        """The windows of the next rows, each with the position after it: the same ones wherever reading began."""

    def is_end(self, position: Position) -> bool:
        """Whether no row follows."""

    def fraction(self, position: Position) -> float:
        """How much of the input lies before: 0 to 1."""


@contextmanager
def open_input(path: Path, selection: Selection) -> Iterator[Source]:
    """The rows of a file. Raises DataError, then or from its windows, where they can't be read or added to."""
    suffix = _suffix(path, INPUT_SUFFIXES, "scores")
    if path.is_dir():
        raise DataError(f"{path}: is a folder; give a file")
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file") from None
    with file:
        if suffix in DELIMITERS:
            yield csv_source(file, str(path), selection, DELIMITERS[suffix])
        elif suffix in JSON_SUFFIXES:
            yield json_source(file, str(path), selection)
        elif suffix == LINE_SUFFIX:
            yield line_source(file, str(path), selection)
        else:
            with _pyarrow(path):
                from sentiment.scoring.table_reader import TableSource
            yield TableSource(file, str(path), selection)


def check_output(path: Path, input_path: Path) -> None:
    """Raises DataError where no output can be written: before hours of work, not after."""
    _suffix(path, OUTPUT_SUFFIXES, "writes")
    if path.is_dir():
        raise DataError(f"{path}: is a folder; give a file")
    if not path.parent.is_dir():
        raise DataError(f"{path}: there is no folder {path.parent}")
    if path.exists() and input_path.exists() and path.samefile(input_path):
        raise DataError(f"{path}: is the input too; give the output another name")


def writer_for(path: Path, file: BinaryIO, head: Window, added: Mapping[str, type], *, first: bool) -> Writer:
    """The writer of a part, the first one or a later, of what `path` is to hold, onto `file`."""
    suffix = path.suffix.lower()
    if suffix in JSON_SUFFIXES:
        return JsonWriter(file)
    if suffix in DELIMITERS:
        return CsvWriter(file, head.columns, added, DELIMITERS[suffix], names=first)
    with _pyarrow(path):
        from sentiment.scoring.table_writer import TableWriter
    return TableWriter(file, head, added)


def join(path: Path, parts: Sequence[Path], file: BinaryIO) -> None:
    """Writes what the parts of `path` hold, in order, onto `file`."""
    if path.suffix.lower() == TABLE_SUFFIX:
        with _pyarrow(path):
            from sentiment.scoring.table_writer import join_tables
        join_tables(parts, file)
        return
    for part in parts:
        with part.open("rb") as opened:
            shutil.copyfileobj(opened, file, _COPY_BYTES)


@contextmanager
def _pyarrow(path: Path) -> Iterator[None]:
    # Late and by need: text files are scored without it.
    try:
        yield
    except ModuleNotFoundError as error:
        raise DataError(f"{path}: Parquet needs {error.name}; pip install 'sentiment-bilstm[score]'") from None


def _suffix(path: Path, known: Collection[str], verb: str) -> str:
    suffix = path.suffix.lower()
    if suffix not in known:
        raise DataError(f"{path}: the suffix says the format, and score {verb} {', '.join(known)}, not {suffix!r}")
    return suffix
