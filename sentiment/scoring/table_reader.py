"""Parquet to windows of rows, by pyarrow: in constant memory, each column with its type to the last detail."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from sentiment.errors import DataError
from sentiment.scoring.rows import WINDOW_BYTES, WINDOW_ROWS, Position, Selection, Values, to_json

_READ_BUFFER_BYTES = 1 << 20


class TableWindow:
    """Rows of a table. `batch` holds the columns kept, as they are."""

    def __init__(
        self, first_row: int, batch: pa.RecordBatch, text_column: str, kept: Sequence[str] | None = None
    ) -> None:
        self.first_row = first_row
        self.texts: Sequence[object] = _cells(batch.column(text_column))
        self.faults: Mapping[int, str] = {
            place: "its text is not UTF-8" for place, text in enumerate(self.texts) if isinstance(text, bytes)
        }
        self._whole = batch
        self.batch = batch if kept is None else batch.select(list(dict.fromkeys(kept)))
        self.columns: Sequence[str] = self.batch.schema.names

    def values(self, places: Sequence[int]) -> list[Values]:
        """What these rows have: dates, times and decimals as text, as JSON and CSV have no such types."""
        return _rows(self.batch, places)

    def json_objects(self, places: Sequence[int]) -> list[bytes]:
        """The same as JSON objects."""
        return [to_json(values) for values in self.values(places)]

    def raw(self, place: int) -> Values:
        """The values of one row, in all columns."""
        return _rows(self._whole, [place])[0]


class TableSource:
    """The rows of a Parquet file, from any row on. Raises DataError where it isn't one, or has no such text column.

    Windows are cut from stretches of whole row groups, at the same rows wherever reading starts.
    """

    def __init__(self, file: BinaryIO, path: str, selection: Selection) -> None:
        self._path = path
        self._selection = selection
        with _refusal(path):
            # Not pre-buffered and through a buffer of its own: a row group is read by pages, never whole.
            self._file = pq.ParquetFile(file, pre_buffer=False, buffer_size=_READ_BUFFER_BYTES)
        schema: pa.Schema = self._file.schema_arrow
        selection.columns(path, schema.names)
        text_type = schema.field(selection.text_column).type
        if not (_is_text(text_type) or pa.types.is_null(text_type)):
            raise DataError(f"{path}: column {selection.text_column!r} holds {text_type}, not text")
        self._rows: int = self._file.metadata.num_rows
        self.start = Position(1, 0)
        self.head = self._window(1, pa.RecordBatch.from_pylist([], schema))
        self._next_row = 0  # of `_batches`: nothing is read yet
        self._batches: Iterator[pa.RecordBatch] = iter(())
        self._held: pa.RecordBatch | None = None  # what of a batch lay past the rows asked for

    def windows(self, start: Position, max_rows: int) -> Iterator[tuple[TableWindow, Position]]:
        """The windows of the next rows, each with the position after it."""
        if start.row != self._next_row:  # where it is, what is decoded already is not decoded again
            self._next_row, self._batches, self._held = start.row, self._batches_from(start.row), None
        end_row = start.row + max_rows
        while self._next_row < end_row:
            with _refusal(self._path):
                batch = self._held or next(self._batches, None)
            if batch is None:
                return
            rows = min(batch.num_rows, end_row - self._next_row)
            self._held = batch.slice(rows) if rows < batch.num_rows else None
            batch = batch.slice(0, rows)
            window = self._window(self._next_row, batch)
            self._next_row += batch.num_rows
            yield window, Position(self._next_row, 0)

    def is_end(self, position: Position) -> bool:
        """Whether no row follows."""
        return position.row > self._rows

    def fraction(self, position: Position) -> float:
        """How much of the file lies before: 0 to 1."""
        return (position.row - 1) / self._rows if self._rows else 1.0

    def _window(self, first_row: int, batch: pa.RecordBatch) -> TableWindow:
        return TableWindow(first_row, batch, self._selection.text_column, self._selection.kept)

    def _batches_from(self, row: int) -> Iterator[pa.RecordBatch]:
        batch_rows = self._window_rows()
        first_row = 1
        for groups, rows in self._stretches():
            if first_row + rows > row:
                for batch in self._file.iter_batches(batch_size=batch_rows, row_groups=groups):
                    if first_row + batch.num_rows > row:
                        yield batch.slice(max(0, row - first_row))
                    first_row += batch.num_rows
            else:
                first_row += rows

    def _stretches(self) -> Iterator[tuple[list[int], int]]:
        """Consecutive row groups that make a whole window together, and how many rows they have."""
        metadata = self._file.metadata
        groups, rows = [], 0
        for index in range(metadata.num_row_groups):
            groups.append(index)
            rows += metadata.row_group(index).num_rows
            if rows >= WINDOW_ROWS or index == metadata.num_row_groups - 1:
                yield groups, rows
                groups, rows = [], 0

    def _window_rows(self) -> int:
        metadata = self._file.metadata
        groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
        row_bytes = max((group.total_byte_size / max(1, group.num_rows) for group in groups), default=1)
        return max(1, min(WINDOW_ROWS, int(WINDOW_BYTES / max(1, row_bytes))))


@contextmanager
def _refusal(path: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: can't be read as Parquet: {str(error).splitlines()[0]}") from None


def _rows(batch: pa.RecordBatch, places: Sequence[int]) -> list[Values]:
    columns = [_cells(column) for column in batch.take(pa.array(places, pa.int64())).columns]
    # Not a zip of the columns: where none is kept there would be no rows.
    return [dict(zip(batch.schema.names, (cells[n] for cells in columns), strict=True)) for n in range(len(places))]


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
