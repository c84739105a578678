"""Parquet to windows of rows, by pyarrow: in constant memory, each column with its type to the last detail."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from sentiment.errors import DataError
from sentiment.scoring.rows import WINDOW_BYTES, WINDOW_ROWS, Values, check_columns, to_json

_READ_BUFFER_BYTES = 1 << 20


class TableWindow:
    """Rows of a table. `batch` holds them as they are."""

    def __init__(self, first_row: int, batch: pa.RecordBatch, text_column: str) -> None:
        self.first_row = first_row
        self.columns: Sequence[str] = batch.schema.names
        self.texts: Sequence[object] = _cells(batch.column(text_column))
        self.faults: Mapping[int, str] = {
            place: "its text is not UTF-8" for place, text in enumerate(self.texts) if isinstance(text, bytes)
        }
        self.batch = batch

    def values(self, places: Sequence[int]) -> list[Values]:
        """The values of these rows: dates, times and decimals as text, as JSON and CSV have no such types."""
        rows = self.batch.take(pa.array(places, pa.int64()))
        columns = [_cells(column) for column in rows.columns]
        return [dict(zip(self.columns, cells, strict=True)) for cells in zip(*columns, strict=True)]

    def json_objects(self, places: Sequence[int]) -> list[bytes]:
        """These rows as JSON objects."""
        return [to_json(values) for values in self.values(places)]

    def raw(self, place: int) -> Values:
        """The values of one row."""
        return self.values([place])[0]


class ParquetInput:
    """A Parquet file. Raises DataError where it isn't one, or has no such column of text."""

    def __init__(self, path: str, file: BinaryIO, text_column: str, added: Collection[str]) -> None:
        self._path = path
        self._text_column = text_column
        with _refusal(path):
            # Not pre-buffered and through a buffer of its own: a row group is read by pages, never whole.
            self._file = pq.ParquetFile(file, pre_buffer=False, buffer_size=_READ_BUFFER_BYTES)
        self._schema: pa.Schema = self._file.schema_arrow
        check_columns(path, self._schema.names, text_column, added)
        text_type = self._schema.field(text_column).type
        if not (_is_text(text_type) or pa.types.is_null(text_type)):
            raise DataError(f"{path}: column {text_column!r} holds {text_type}, not text")
        self._rows: int = self._file.metadata.num_rows
        self._rows_read = 0

    def windows(self) -> Iterator[TableWindow]:
        """At least one window, so that the columns of an empty file are known."""
        if not self._rows:
            yield TableWindow(1, pa.RecordBatch.from_pylist([], self._schema), self._text_column)
            return
        batches = self._file.iter_batches(batch_size=self._window_rows())
        while True:
            with _refusal(self._path):
                batch = next(batches, None)
            if batch is None:
                return
            first_row = self._rows_read + 1
            self._rows_read += batch.num_rows
            yield TableWindow(first_row, batch, self._text_column)

    def fraction_read(self) -> float:
        """How much of the file the windows have covered: 0 to 1."""
        return self._rows_read / self._rows if self._rows else 1.0

    def _window_rows(self) -> int:
        metadata = self._file.metadata
        groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
        row_bytes = max(group.total_byte_size / max(1, group.num_rows) for group in groups)
        return max(1, min(WINDOW_ROWS, int(WINDOW_BYTES / max(1, row_bytes))))


@contextmanager
def _refusal(path: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: can't be read as Parquet: {str(error).splitlines()[0]}") from None


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _cells(column: pa.Array) -> list[object]:
    """The values of a column; text that isn't UTF-8 as bytes."""
    if _is_text(column.type):
        return [_decode(cell) for cell in column.cast(pa.large_string()).cast(pa.large_binary()).to_pylist()]
    return column.cast(_plain(column.type)).to_pylist()


def _decode(cell: bytes | None) -> object:
    try:
        return cell if cell is None else cell.decode()
    except UnicodeDecodeError:
        return cell


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_temporal(kind) or pa.types.is_decimal(kind):
        return pa.string()
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(field.name, _plain(field.type)) for field in kind])
    if pa.types.is_list(kind):
        return pa.list_(_plain(kind.value_type))
    return kind
