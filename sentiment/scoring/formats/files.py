"""Choose the reader and the writer of a file by its suffix."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO

from sentiment.errors import DataError
from sentiment.scoring.formats.by_suffix import TEXT, check_content, input_format
from sentiment.scoring.formats.compression import compressed, decompressed
from sentiment.scoring.formats.rows import ColumnType, RowBatch, Selection, Source, Writer
from sentiment.scoring.formats.text.readers import csv_source, json_source, line_source
from sentiment.scoring.formats.text.writers import CsvWriter, JsonWriter
from sentiment.storage.formats import DELIMITERS, JSON_SUFFIXES, LINE_SUFFIX, TABLES, Format

Opener = Callable[[], BinaryIO]
_COPY_BYTES = 1 << 20


@contextmanager
def open_source(file: BinaryIO, path: str, selection: Selection) -> Iterator[Source]:
    """Yield the rows of an open file. Raises DataError, also from its batches, if they can't be read or added to."""
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
        content = decompressed(file, path, compression)
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
    head: RowBatch,
    added: Mapping[str, ColumnType],
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


def check_columns(output: Format, target: str, head: RowBatch) -> None:
    """Raise DataError if a column of the input is of a type that the output can't store."""
    batch = getattr(head, "batch", None)
    if output.is_table and batch is not None:
        from sentiment.scoring.formats.arrow.limits import check_schema

        check_schema(batch.schema, TABLES[output.suffix], target)


def join(output: Format, parts: Sequence[Opener], file: BinaryIO) -> None:
    """Write the content of the parts, at least one, in order to `file`."""
    with _pyarrow(f"{output} output"):
        if output.is_table:
            from sentiment.scoring.formats.arrow.files import unwritable
            from sentiment.scoring.formats.arrow.writer import join_tables

            kind = TABLES[output.suffix]
            with unwritable(kind):
                join_tables(parts, file, to_parquet=kind == "Parquet")
            return
        with compressed(file, output.compression) as content:
            for part in parts:
                with part() as opened:
                    shutil.copyfileobj(opened, content, _COPY_BYTES)


@contextmanager
def _pyarrow(what: str) -> Iterator[None]:
    # Imported only when needed: text files are scored without pyarrow.
    try:
        yield
    except ModuleNotFoundError as error:
        raise DataError(f"{what}: needs {error.name}; pip install 'sentiment-bilstm[score]'") from None
