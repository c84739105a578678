"""Read Parquet and Arrow files as record batches, from any row on.

Batches are cut at the same rows wherever reading starts.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from sentiment.errors import DataError
from sentiment.scoring.formats.arrow.dictionaries import dense, without_views
from sentiment.scoring.formats.arrow.values import check_batch
from sentiment.scoring.formats.rows import BATCH_BYTES, BATCH_ROWS

_READ_BUFFER_BYTES = 1 << 20
_ARROW_MAGIC = b"ARROW1"  # of a file; a stream has none
# The last files read. A thread of Arrow's that is the last to hold one needs Python, and aborts where that has ended.
_KEPT: deque[pa.PythonFile] = deque(maxlen=16)


class TableFile(Protocol):
    """A file of record batches that have one schema."""

    schema: pa.Schema

    def batches_from(self, row: int, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Return the batches from this row on, counted from 1, with these columns or all."""


class ParquetTable(TableFile):
    """A Parquet file. Batches are cut from runs of whole row groups."""

    def __init__(self, file: BinaryIO) -> None:
        # Not pre-buffered and through a buffer of its own: a row group is read by pages, never whole.
        self._file = pq.ParquetFile(file, pre_buffer=False, buffer_size=_READ_BUFFER_BYTES)
        self.schema: pa.Schema = self._file.schema_arrow

    def batches_from(self, row: int, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        batch_rows = self._batch_rows()
        first_row = 1
        for groups, group_rows in self._row_group_runs():
            if first_row + group_rows > row:
                for batch in self._file.iter_batches(batch_rows, groups, columns):
                    check_batch(batch)
                    if first_row + batch.num_rows > row:
                        yield batch.slice(max(0, row - first_row))
                    first_row += batch.num_rows
            else:
                first_row += group_rows

    def _row_group_runs(self) -> Iterator[tuple[list[int], int]]:
        """Yield runs of row groups that make a whole batch together, and their number of rows."""
        metadata = self._file.metadata
        groups, group_rows = [], 0
        for index in range(metadata.num_row_groups):
            groups.append(index)
            group_rows += metadata.row_group(index).num_rows
            if group_rows >= BATCH_ROWS or index == metadata.num_row_groups - 1:
                yield groups, group_rows
                groups, group_rows = [], 0

    def _batch_rows(self) -> int:
        metadata = self._file.metadata
        groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
        row_bytes = max((group.total_byte_size / max(1, group.num_rows) for group in groups), default=1)
        return _rows_per_batch(row_bytes)


class ArrowTable(TableFile):
    """An Arrow IPC file, or a stream of Arrow record batches in a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = pa.PythonFile(file, "r")
        _KEPT.append(self._file)
        self._is_stream = self._file.read_at(len(_ARROW_MAGIC), 0) != _ARROW_MAGIC
        with self._opened() as reader:
            self.schema = pa.schema(map(without_views, reader.schema), reader.schema.metadata)

    def batches_from(self, row: int, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        first_row = 1
        for batch in self._batches(columns):
            check_batch(batch)
            batch = dense(batch)
            cut = _rows_per_batch(batch.nbytes / max(1, batch.num_rows))
            for start in range(0, batch.num_rows, cut):
                piece = batch.slice(start, cut)
                if first_row + piece.num_rows > row:
                    yield piece.slice(max(0, row - first_row))
                first_row += piece.num_rows

    def _batches(self, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
        with self._opened(columns) as reader:
            if self._is_stream:
                yield from reader
            else:
                for index in range(reader.num_record_batches):
                    yield reader.get_batch(index)

    @contextmanager
    def _opened(
        self, columns: Sequence[str] | None = None
    ) -> Iterator[pa.ipc.RecordBatchFileReader | pa.ipc.RecordBatchStreamReader]:
        self._file.seek(0)
        wanted = None if columns is None else [self.schema.names.index(name) for name in columns]
        options = pa.ipc.IpcReadOptions(included_fields=wanted)
        with (pa.ipc.open_stream if self._is_stream else pa.ipc.open_file)(self._file, options=options) as reader:
            yield reader


@contextmanager
def refusal(path: str, kind: str) -> Iterator[None]:
    """Raise what pyarrow can't read as DataError."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path}: can't be read as {kind}: {reason}") from None


@contextmanager
def unwritable(kind: str) -> Iterator[None]:
    """Raise what pyarrow can't write as DataError."""
    try:
        yield
    except pa.ArrowException as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"the output can't be written as {kind}: {reason}; give it another format") from None


def _rows_per_batch(row_bytes: float) -> int:
    return max(1, min(BATCH_ROWS, int(BATCH_BYTES / max(1, row_bytes))))
