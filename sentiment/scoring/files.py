"""Which reader and which writer: a file's suffix says what is in it."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from sentiment.errors import DataError
from sentiment.scoring.lines import Lines
from sentiment.scoring.rows import Values, Window
from sentiment.scoring.text_readers import csv_windows, json_windows, line_windows
from sentiment.scoring.text_writers import CsvWriter, JsonWriter

DELIMITERS = {".csv": ",", ".tsv": "\t"}
JSON_SUFFIXES = (".jsonl", ".ndjson")
TABLE_SUFFIX = ".parquet"
LINE_SUFFIX = ".txt"
OUTPUT_SUFFIXES = (*DELIMITERS, *JSON_SUFFIXES, TABLE_SUFFIX)
INPUT_SUFFIXES = (*OUTPUT_SUFFIXES, LINE_SUFFIX)


class Writer(Protocol):
    """Writes rows with their answers, in order, and counts them in `rows`."""

    rows: int

    def write(self, window: Window, answers: Mapping[int, Values]) -> dict[int, str]:
        """Why a row can't be written, for the places where that is so. `answers`, too, is by place."""

    def close(self) -> None:
        """Writes what is held back."""


@dataclass(frozen=True)
class Input:
    """The windows of a file, at least one, and how much of it they have covered: 0 to 1."""

    windows: Iterator[Window]
    fraction_read: Callable[[], float]


@contextmanager
def open_input(path: Path, text_column: str, added: Collection[str]) -> Iterator[Input]:
    """The rows of a file. Raises DataError, then or from its windows, where they can't be read or added to."""
    suffix = _suffix(path, INPUT_SUFFIXES, "scores")
    if path.is_dir():
        raise DataError(f"{path}: is a folder; give a file")
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file") from None
    with file:
        yield (_open_table if suffix == TABLE_SUFFIX else _open_text)(path, file, text_column, added)


def check_output(path: Path, input_path: Path) -> None:
    """Raises DataError where no output can be written: before hours of work, not after."""
    _suffix(path, OUTPUT_SUFFIXES, "writes")
    if path.is_dir():
        raise DataError(f"{path}: is a folder; give a file")
    if not path.parent.is_dir():
        raise DataError(f"{path}: there is no folder {path.parent}")
    if path.exists() and input_path.exists() and path.samefile(input_path):
        raise DataError(f"{path}: is the input too; give the output another name")


def writer_for(path: Path, file: BinaryIO, first: Window, added: Mapping[str, type]) -> Writer:
    """The writer of the format that the suffix of `path` stands for, onto `file`."""
    suffix = path.suffix.lower()
    if suffix in JSON_SUFFIXES:
        return JsonWriter(file)
    if suffix in DELIMITERS:
        return CsvWriter(file, first.columns, added, DELIMITERS[suffix])
    with _pyarrow(path):
        from sentiment.scoring.table_writer import ParquetWriter
    return ParquetWriter(file, first, added)


def _open_text(path: Path, file: BinaryIO, text_column: str, added: Collection[str]) -> Input:
    size = path.stat().st_size
    lines = Lines(file)
    suffix = path.suffix.lower()
    windows: Iterator[Window]
    if suffix in DELIMITERS:
        windows = csv_windows(lines, str(path), text_column, added, DELIMITERS[suffix])
    elif suffix in JSON_SUFFIXES:
        windows = json_windows(lines, str(path), text_column, added)
    else:
        windows = line_windows(lines, str(path), text_column, added)
    return Input(windows, lambda: lines.bytes_read / size if size else 1.0)


def _open_table(path: Path, file: BinaryIO, text_column: str, added: Collection[str]) -> Input:
    with _pyarrow(path):
        from sentiment.scoring.table_reader import ParquetInput
    table = ParquetInput(str(path), file, text_column, added)
    return Input(table.windows(), table.fraction_read)


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
