"""Write rows and their answers as Arrow streams, and join these into one Parquet or Arrow file by row groups."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from sentiment.scoring.formats.arrow.dictionaries import (
    Opener,
    batches_of,
    merge_dictionaries,
    reencode_dictionary,
    replace_dictionaries,
)
from sentiment.scoring.formats.arrow.limits import unwritable_rows
from sentiment.scoring.formats.arrow.reader import TableRowBatch
from sentiment.scoring.formats.arrow.values import take_rows
from sentiment.scoring.formats.rows import ColumnType, RowBatch, Values, Writer, to_text
from sentiment.scoring.formats.text.writers import unknown_column

ROW_GROUP_ROWS = 1 << 16  # readers skip and share work by row groups: neither tiny nor as large as a memory
ROW_GROUP_BYTES = 1 << 25

_ARROW_TYPES = {str: pa.string(), float: pa.float64(), int: pa.int64(), bool: pa.bool_()}


class TableWriter(Writer):
    """Writes a part of a table, an Arrow stream, one `for_parquet` or for an Arrow file.

    A table's columns keep their types; a text file's take the type that fits all of the first rows.
    """

    def __init__(
        self, file: BinaryIO, first: RowBatch, added: Mapping[str, ColumnType], *, for_parquet: bool = False
    ) -> None:
        self._types: dict[str, type] = {}
        if isinstance(first, TableRowBatch):
            schema = first.batch.schema
        else:
            rows = first.values([index for index in range(len(first.texts)) if index not in first.faults])
            self._types = {column: _common_type([row.get(column) for row in rows]) for column in first.columns}
            schema = pa.schema([(column, _ARROW_TYPES[kind]) for column, kind in self._types.items()])
        for column, kind in added.items():
            schema = schema.append(pa.field(column, _arrow_type(kind)))
        self._schema = schema
        self._added = added
        self._for_parquet = for_parquet
        self._writer = pa.ipc.new_stream(file, schema, options=pa.ipc.IpcWriteOptions(compression="lz4"))
        self.rows = 0

    def write(self, row_batch: RowBatch, answers: Mapping[int, Values]) -> dict[int, str]:
        if isinstance(row_batch, TableRowBatch):
            unwritable, columns = self._table_columns(row_batch, list(answers))
        else:
            rows = dict(zip(answers, row_batch.values(list(answers)), strict=True))
            unwritable = {
                index: reason for index, row in rows.items() if (reason := self._unwritable_reason(row)) is not None
            }
            kept = [row for index, row in rows.items() if index not in unwritable]
            columns = [_array([row.get(column) for row in kept], kind) for column, kind in self._types.items()]
        written = [answer for index, answer in answers.items() if index not in unwritable]
        columns += [_array([answer[column] for answer in written], kind) for column, kind in self._added.items()]
        self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=self._schema))
        self.rows += len(written)
        return unwritable

    def close(self) -> None:
        self._writer.close()

    def _table_columns(self, row_batch: TableRowBatch, indices: list[int]) -> tuple[dict[int, str], list[pa.Array]]:
        """Return why some of these rows can't be written, and the columns of the others."""
        columns = [take_rows(column, indices) for column in row_batch.batch.columns]
        if not self._for_parquet:
            return {}, columns
        unwritable: dict[int, str] = {}
        for field, column in zip(row_batch.batch.schema, columns, strict=True):
            unwritable |= {indices[n]: reason for n, reason in unwritable_rows(field, column).items()}
        if unwritable:
            columns = [
                take_rows(column, [p for p in indices if p not in unwritable]) for column in row_batch.batch.columns
            ]
        return unwritable, [
            reencode_dictionary(column) if pa.types.is_dictionary(column.type) else column for column in columns
        ]

    def _unwritable_reason(self, row: Values) -> str | None:
        for column, value in row.items():
            if column not in self._types:
                return unknown_column(row, self._types)
            if not _fits(value, self._types[column]):
                expected = _ARROW_TYPES[self._types[column]]
                return f"{column!r} is {value!r:.60} where the first rows have {expected}: write .jsonl to keep it"
            if self._types[column] is str and isinstance(value, dict | list):
                try:
                    to_text(value)
                except TypeError as error:
                    return f"{column!r} holds what a column of text can't: {error}"
        return None


def join_tables(parts: Sequence[Opener], file: BinaryIO, *, to_parquet: bool) -> None:
    """Join the parts, at least one, into a Parquet or Arrow file that doesn't depend on where each part ends.

    In an Arrow file each column has one dictionary for all rows.
    """
    with parts[0]() as source, pa.ipc.open_stream(source) as batches:
        schema = batches.schema
    schema, dictionaries = merge_dictionaries(parts, schema, narrow_only=to_parquet)
    if to_parquet:
        joined = pq.ParquetWriter(file, schema, compression="zstd")
    else:
        joined = pa.ipc.new_file(pa.PythonFile(file, "w"), schema)
    with joined as writer:
        for table in _row_groups(parts):
            writer.write_table(replace_dictionaries(table, schema, dictionaries))


def _row_groups(parts: Iterable[Opener]) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    for batch in batches_of(parts):
        held.append(batch)
        if (
            sum(batch.num_rows for batch in held) >= ROW_GROUP_ROWS
            or sum(batch.nbytes for batch in held) >= ROW_GROUP_BYTES
        ):
            yield pa.Table.from_batches(held)
            held.clear()
    if held:
        yield pa.Table.from_batches(held)


def _common_type(values: Sequence[object]) -> type:
    present = [value for value in values if value is not None]
    return next((kind for kind in (bool, int, float) if present and all(_fits(value, kind) for value in present)), str)


def _fits(value: object, kind: type) -> bool:
    """Return whether a column of this type stores the value unchanged. A text column stores anything, as JSON."""
    if value is None or kind is str:
        return True
    if isinstance(value, bool):
        return kind is bool
    if isinstance(value, int):
        return abs(value) < 1 << (63 if kind is int else 53) and kind is not bool
    return isinstance(value, float) and kind is float


def _arrow_type(kind: ColumnType) -> pa.DataType:
    if isinstance(kind, type):
        return _ARROW_TYPES[kind]
    probabilities = pa.struct([(label, pa.float64()) for label in kind.labels])
    members = {"start": pa.int64(), "end": pa.int64(), "label": pa.string(), "probabilities": probabilities}
    return pa.list_(pa.struct(list(members.items())))


def _array(values: Sequence[object], kind: ColumnType) -> pa.Array:
    if kind is str:
        values = [None if value is None else to_text(value) for value in values]
    return pa.array(values, _arrow_type(kind))
