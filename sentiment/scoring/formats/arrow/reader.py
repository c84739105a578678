"""Read Parquet and Arrow files into batches of rows with pyarrow, every column type kept."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import pyarrow as pa

from sentiment.errors import DataError
from sentiment.scoring.formats.arrow.files import TableFile, refusal
from sentiment.scoring.formats.arrow.values import is_supported, is_text, plain_values, take_rows
from sentiment.scoring.formats.rows import FileOffset, RowBatch, Selection, Source, Values


class TableRowBatch(RowBatch):
    """Rows of a table. `batch` holds the columns kept, as they are."""

    def __init__(
        self, first_row: int, batch: pa.RecordBatch, text_column: str, kept: Sequence[str] | None = None
    ) -> None:
        self.first_row = first_row
        self.texts: Sequence[object] = plain_values(batch.column(text_column))
        self.faults: Mapping[int, str] = {
            index: "holds a text that is not UTF-8" for index, text in enumerate(self.texts) if isinstance(text, bytes)
        }
        self._whole = batch
        names = batch.schema.names
        self.batch = batch if kept is None else batch.select([name for name in dict.fromkeys(kept) if name in names])
        self.columns: Sequence[str] = self.batch.schema.names

    def values(self, indices: Sequence[int]) -> list[Values]:
        """Return the values of these rows, as JSON and CSV can store them: see `plain_values`."""
        return _rows(self.batch, indices)

    def raw(self, index: int) -> Values:
        """Return the values of one row, in all columns."""
        return _rows(self._whole, [index])[0]

    def offset(self, index: int) -> None:
        """Return None: a row of a table has no first byte of its own."""


class TableSource(Source):
    """The rows of a table, from any row on. Raises DataError if it can't be read, or has no such text column."""

    def __init__(self, open_table: Callable[[], TableFile], path: str, kind: str, selection: Selection) -> None:
        self._path = path
        self._kind = kind
        self._selection = selection
        with refusal(path, kind):
            self._table = open_table()
            schema = self._table.schema
            unread = {field.name: str(field.type) for field in schema if not is_supported(field)}
        selection.check(path, schema.names)
        used = selection.used(schema.names)
        for name in used:
            if name in unread:
                cure = ", or name the columns to keep (--columns) without it" if selection.kept is None else ""
                raise DataError(f"{path}: column {name!r} holds {unread[name]}, which is not read; convert it{cure}")
        text_type = schema.field(selection.text_column).type
        if not (is_text(text_type) or pa.types.is_null(text_type)):
            raise DataError(f"{path}: column {selection.text_column!r} holds {text_type}, not text")
        self.start = FileOffset(1, 0)
        self._columns = None if selection.whole and not unread else used
        read = schema if self._columns is None else pa.schema([schema.field(name) for name in self._columns])
        self.head = self._make_batch(
            1, pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in read], schema=read)
        )

    def row_batches(
        self, start: FileOffset, rows_left: int, shard_rows: int
    ) -> Iterator[tuple[TableRowBatch, FileOffset]]:
        row, left = start.row, rows_left
        batches = self._table.batches_from(row, self._columns)
        while True:
            with refusal(self._path, self._kind):
                batch = next(batches, None)
            if batch is None:
                return
            while batch.num_rows:
                row_batch = self._make_batch(row, batch.slice(0, left))
                batch = batch.slice(len(row_batch.texts))
                row += len(row_batch.texts)
                left = left - len(row_batch.texts) or shard_rows
                yield row_batch, FileOffset(row, 0)

    def locate(self, row_batch: RowBatch, index: int) -> str:
        return f"row {row_batch.first_row + index}"

    def _make_batch(self, first_row: int, batch: pa.RecordBatch) -> TableRowBatch:
        return TableRowBatch(first_row, batch, self._selection.text_column, self._selection.kept)


def _rows(batch: pa.RecordBatch, indices: Sequence[int]) -> list[Values]:
    columns = [plain_values(take_rows(column, indices)) for column in batch.columns]
    # Not a zip of the columns: where none is kept there would be no rows.
    return [dict(zip(batch.schema.names, (cells[n] for cells in columns), strict=True)) for n in range(len(indices))]
