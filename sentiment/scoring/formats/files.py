"""Which reader and which writer: a file's suffix says what is in it."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO, Protocol

from sentiment.errors import DataError
from sentiment.scoring.formats.by_suffix import TEXT, check_content, input_format
from sentiment.scoring.formats.compression import packed, unpacked
from sentiment.scoring.formats.rows import Kind, Position, Selection, Values, Window
from sentiment.scoring.formats.text.readers import csv_source, json_source, line_source
from sentiment.scoring.formats.text.writers import CsvWriter, JsonWriter
from sentiment.storage.formats import DELIMITERS, JSON_SUFFIXES, LINE_SUFFIX, TABLES, Format

Opener = Callable[[], BinaryIO]
_COPY_BYTES = 1 << 20


class Writer(Protocol):
    """Writes rows with their answers, in order, and counts them in `rows`."""

    rows: int

    def write(self, window: Window, answers: Mapping[int, Values]) -> dict[int, str]:
        """Write rows and return the reasons of those that can't be written, by index. `answers` is by index, too."""

    def close(self) -> None:
        """Write what is held back."""


class Source(Protocol):
    """Reads the rows of a file, from any position that it gave out before; `start` is the first of them."""

    start: Position

    @property
    def head(self) -> Window:
        """Return the first rows, or none of them: what columns there are, and of which types."""

    def windows(self, start: Position, rows_left: int, shard_rows: int) -> Iterator[tuple[Window, Position]]:
        """Return the windows of all rows from there on, each with the position after it.

        None reaches over the end of a shard: the first ends after `rows_left`, others after `shard_rows` each.
        """

    def locate(self, window: Window, place: int) -> str:
        """Return where a row is in the file, in words. Windows that are still to come can't be read after that."""


@contextmanager
def open_source(file: BinaryIO, path: str, selection: Selection) -> Iterator[Source]:
    """Yield the rows of an open file. Raises DataError, also from its windows, if they can't be read or added to."""
    suffix, compression = input_format(path).suffix, input_format(path).compression
    if suffix in TABLES:
        with _pyarrow(path):
            from sentiment.scoring.formats.arrow.files import ArrowTable, ParquetTable
            from sentiment.scoring.formats.arrow.reader import TableSource
        check_content(file, path, TABLES[suffix])
        table = ParquetTable if TABLES[suffix] == "Parquet" else ArrowTable
        yield TableSource(partial(table, file), path, TABLES[suffix], selection)
        return
    check_content(file, path, compression or TEXT)
    with _pyarrow(path):
        content = unpacked(file, path, compression)
    if compression:
        check_content(content, path, TEXT)
    if suffix in DELIMITERS:
        yield csv_source(content, path, selection, selection.separator or DELIMITERS[suffix])
    elif suffix in JSON_SUFFIXES:
        yield json_source(content, path, selection)
    else:
        assert suffix == LINE_SUFFIX
        yield line_source(content, path, selection)


def writer_for(
    output: Format,
    file: BinaryIO,
    head: Window,
    added: Mapping[str, Kind],
    *,
    names: bool,
    escape_formulas: bool,
) -> Writer:
    """Return the writer of a part of an output to `file`, with a line of the columns' `names` in CSV and TSV."""
    if output.suffix in JSON_SUFFIXES:
        return JsonWriter(file)
    if output.suffix in DELIMITERS:
        delimiter = DELIMITERS[output.suffix]
        return CsvWriter(file, head.columns, added, delimiter, names=names, escape_formulas=escape_formulas)
    with _pyarrow(f"{output} output"):
        from sentiment.scoring.formats.arrow.writer import TableWriter
    return TableWriter(file, head, added, for_parquet=TABLES[output.suffix] == "Parquet")


def check_columns(output: Format, target: str, head: Window) -> None:
    """Raise DataError if a column of the input is of a type that the output has no place for."""
    batch = getattr(head, "batch", None)
    if output.is_table and batch is not None:
        from sentiment.scoring.formats.arrow.limits import check_schema

        check_schema(batch.schema, TABLES[output.suffix], target)


def join(output: Format, parts: Sequence[Opener], file: BinaryIO) -> None:
    """Write what the parts of an output, at least one, hold, in order, onto `file`."""
    with _pyarrow(f"{output} output"):
        if output.is_table:
            from sentiment.scoring.formats.arrow.files import unwritable
            from sentiment.scoring.formats.arrow.writer import join_to_arrow, join_to_parquet

            kind = TABLES[output.suffix]
            with unwritable(kind):
                (join_to_parquet if kind == "Parquet" else join_to_arrow)(parts, file)
            return
        with packed(file, output.compression) as content:
            for part in parts:
                with part() as opened:
                    shutil.copyfileobj(opened, content, _COPY_BYTES)


@contextmanager
def _pyarrow(what: str) -> Iterator[None]:
    # Late and by need: text files are scored without it.
    try:
        yield
    except ModuleNotFoundError as error:
        raise DataError(f"{what}: needs {error.name}; pip install 'sentiment-bilstm[score]'") from None
