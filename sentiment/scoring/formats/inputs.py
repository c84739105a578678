"""Read the files of a job one after the other, as if they were one."""

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from sentiment.errors import DataError
from sentiment.scoring.formats.by_suffix import input_format
from sentiment.scoring.formats.files import open_source
from sentiment.scoring.formats.rows import FileOffset, JsonRowBatch, RowBatch, Selection, Source
from sentiment.storage import remote
from sentiment.storage.files import open_file


class JobOffset(NamedTuple):
    """Point between two rows of a job's input: the rows before it in all files, its file's index, and where in it."""

    rows: int
    file: int
    file_offset: FileOffset


@dataclass(frozen=True)
class Chunk:
    """A batch of rows, its file if there are several, and the offset after it; `fraction` of the input is before it."""

    row_batch: RowBatch
    path: str | None
    end: JobOffset
    fraction: float


def total_size(paths: Sequence[str]) -> int:
    """Return the total bytes of the files; a missing one has none."""
    local = [path for path in paths if not remote.is_remote(path) and os.path.exists(path)]
    return sum(map(os.path.getsize, local)) + sum(remote.size(path) for path in paths if remote.is_remote(path))


class Inputs:
    """The rows of several files in order. Raises DataError unless each can be read and has the first one's columns."""

    def __init__(self, paths: Sequence[str], selection: Selection) -> None:
        self.paths = paths
        self._selection = selection
        formats = [input_format(path) for path in paths]
        with self._opened(0) as (source, _):
            self.head = source.head
            self.start = JobOffset(0, 0, source.start)
        for number, path in enumerate(paths[1:], 1):
            if formats[number].kind != formats[0].kind:
                kinds = f"holds {formats[number].kind} where {paths[0]} holds {formats[0].kind}"
                raise DataError(f"{path}: {kinds}; score them apart")
            with self._opened(number) as (source, _):
                self._check_columns(path, source.head)
                if not self.head.texts:  # a file of JSON objects that has none says nothing of their columns
                    self.head = source.head
        self._sizes = [remote.size(path) if remote.is_remote(path) else os.path.getsize(path) for path in paths]

    def chunks(self, start: JobOffset, shard_rows: int) -> Generator[Chunk, None, None]:
        """Yield all rows from `start` on; no chunk crosses the end of a shard or of a file."""
        rows, total = start.rows, max(1, sum(self._sizes))
        for number in range(start.file, len(self.paths)):
            with self._opened(number) as (source, file):
                file_offset = start.file_offset if number == start.file else source.start
                before = sum(self._sizes[:number])
                path = self.paths[number] if len(self.paths) > 1 else None
                rows_left = shard_rows - rows % shard_rows
                for row_batch, after in source.row_batches(file_offset, rows_left, shard_rows):
                    rows += len(row_batch.texts)
                    read = before + min(file.tell(), self._sizes[number])
                    yield Chunk(row_batch, path, JobOffset(rows, number, after), read / total)

    @contextmanager
    def _opened(self, number: int) -> Iterator[tuple[Source, BinaryIO]]:
        path = self.paths[number]
        input_format(path)  # a wrong suffix is a clearer reason than what follows from it
        with open_file(path) as file, open_source(file, path, self._selection) as source:
            yield source, file

    def _check_columns(self, path: str, head: RowBatch) -> None:
        first = self.head
        if list(head.columns) != list(first.columns) and not isinstance(head, JsonRowBatch):
            ours, theirs = (", ".join(map(repr, row_batch.columns)) for row_batch in (head, first))
            raise DataError(f"{path}: its columns are {ours}, and those of {self.paths[0]} are {theirs}")
        batches = [getattr(row_batch, "batch", None) for row_batch in (head, first)]
        if None not in batches and not batches[0].schema.equals(batches[1].schema):  # type: ignore[union-attr]
            raise DataError(f"{path}: its columns have other types than those of {self.paths[0]}")
