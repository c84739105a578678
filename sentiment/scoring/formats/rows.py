"""Carry rows from an input to an output in batches, unchanged from their file."""

import base64
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import orjson

from sentiment.errors import DataError

Values = dict[str, Any]  # of one row, by column, in the file's order


@dataclass(frozen=True)
class SentenceList:
    """The type of a column that holds a text's sentences: spans, a label, and the probability of each of `labels`."""

    labels: tuple[str, ...]


ColumnType = type | SentenceList  # of the values in a column that is added

JSON_SPACE = " \t\r\n"  # may surround an object; Unicode and Python have more that may not
_SHOWN_COLUMNS, _SHOWN_CHARACTERS = 20, 60  # in a message
BATCH_ROWS = 4096  # more rows make more even batches, and take more memory
BATCH_BYTES = 1 << 22  # of them together: long texts make a batch of fewer


class Origin(NamedTuple):
    """The origin of a row: its file, and its number there, from 1."""

    file: str
    row: int

    def __str__(self) -> str:
        return f"{self.file}: row {self.row}"


class FileOffset(NamedTuple):
    """Point between two rows of a file: the next row's number, from 1, and in a text file its first byte."""

    row: int
    byte: int


@dataclass(frozen=True)
class Selection:
    """The columns of an input that matter: the one with the text, and those kept, all where it is None.

    `added` are the names of the columns that follow them in the output, `separator` is that between the cells of
    CSV and TSV where it isn't what the suffix says. `options` say which one names another column. `optional` are those
    kept that need not be there. Rejects are kept `whole`, with columns that are not read otherwise.
    """

    text_column: str
    added: Collection[str]
    kept: Sequence[str] | None = None
    separator: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    optional: Collection[str] = ()
    whole: bool = True

    def used(self, present: Sequence[str]) -> list[str]:
        """Return the columns that are read of those present: all, or the text and those kept, each once."""
        return [name for name in present if self.kept is None or name == self.text_column or name in self.kept]

    @property
    def needed(self) -> list[str]:
        """Return the columns that must be there, each once."""
        wanted = dict.fromkeys((self.text_column, *(self.kept or ())))
        return [column for column in wanted if column not in self.optional]

    def check(self, path: str, present: Sequence[str], *, first_line: bool = False) -> None:
        """Raise DataError for a column that is missing, two of the same name, and one that is called like an added.

        In CSV and TSV the columns are those of the `first_line`.
        """
        used = self.used(present)
        counts = Counter(used)
        for column in self.needed:
            if column not in counts:
                there_are = ", ".join(f"{name!r:.{_SHOWN_CHARACTERS}}" for name in present[:_SHOWN_COLUMNS])
                more = f" and {len(present) - _SHOWN_COLUMNS:,} more" if len(present) > _SHOWN_COLUMNS else ""
                option = {self.text_column: "--text-column", **self.options}.get(column)
                cure = f"; {option} names another" if option else ""
                if first_line and not counts.keys() & self.needed:
                    cure += "; the first line must name the columns"
                raise DataError(f"{path}: there is no column {column!r}; there are {there_are}{more}{cure}")
        for column in used:
            if counts[column] > 1:
                raise DataError(f"{path}: two columns are called {column!r}; give each its own name")
        for column in present if self.kept is None else self.kept:
            if column in self.added:
                reason = f"there is a column {column!r} already, and one is added"
                cure = "give those added a --prefix, as predicted_, or name the columns to keep (--columns) without it"
                raise DataError(f"{path}: {reason}; {cure}")


class RowBatch(Protocol):
    """Consecutive rows of an input. An index counts from 0 within the batch."""

    first_row: int  # its number in the input, from 1; a first line of column names is no row
    columns: Sequence[str]  # those kept, in order
    texts: Sequence[object]  # the values of the text column, row by row
    faults: Mapping[int, str]  # why a row can't be read, by index

    def values(self, indices: Sequence[int]) -> list[Values]:
        """Return the values of these rows in the columns kept."""

    def json_objects(self, indices: Sequence[int]) -> list[bytes]:
        """Return the same as JSON objects."""
        return [to_json(values) for values in self.values(indices)]

    def raw(self, index: int) -> Values | bytes:
        """Return one row as in the input: its bytes, or its values if the input isn't text."""

    def offset(self, index: int) -> int | None:
        """Return the byte of its decompressed file that the row starts at; None where the input isn't text."""


class Source(Protocol):
    """Reads the rows of a file from `start`, or from any offset that it returned before.

    `head` has the first rows, or none of them: what columns there are, and of which types.
    """

    start: FileOffset
    head: RowBatch

    def row_batches(self, start: FileOffset, rows_left: int, shard_rows: int) -> Iterator[tuple[RowBatch, FileOffset]]:
        """Return the batches of all rows from `start` on, each with the offset after it.

        No batch crosses the end of a shard: the first shard ends after `rows_left`, others after `shard_rows` each.
        """

    def locate(self, row_batch: RowBatch, index: int) -> str:
        """Describe where a row is in the file. Batches not yet yielded can't be read afterwards."""


class Writer(Protocol):
    """Writes rows with their answers, in order, and counts them in `rows`."""

    rows: int

    def write(self, row_batch: RowBatch, answers: Mapping[int, Values]) -> dict[int, str]:
        """Write rows and return the reasons of those that can't be written, by index. `answers` is by index, too."""

    def close(self) -> None:
        """Write what is buffered; nothing, unless a writer says otherwise."""
        return


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a text file. Where it can't be read `fault` says why, and `values` is empty."""

    raw: bytes
    values: Values
    fault: str | None
    offset: int = 0


class TextRowBatch(RowBatch):
    """Rows of a text file, with all they hold or with the `kept` columns only."""

    def __init__(
        self,
        first_row: int,
        rows: Sequence[Row],
        columns: Sequence[str],
        text_column: str,
        kept: Sequence[str] | None = None,
    ) -> None:
        self.first_row = first_row
        self.columns = columns if kept is None else kept
        self.texts: Sequence[object] = [row.values.get(text_column) for row in rows]
        self.faults: Mapping[int, str] = {index: row.fault for index, row in enumerate(rows) if row.fault is not None}
        self._rows = rows
        self._kept = kept

    def values(self, indices: Sequence[int]) -> list[Values]:
        return [self._select(self._rows[index].values) for index in indices]

    def raw(self, index: int) -> bytes:
        return self._rows[index].raw

    def offset(self, index: int) -> int:
        return self._rows[index].offset

    def _select(self, values: Values) -> Values:
        return values if self._kept is None else {name: values[name] for name in self._kept if name in values}


class JsonRowBatch(TextRowBatch):
    """Rows that are JSON already: no number changes its form."""

    def json_objects(self, indices: Sequence[int]) -> list[bytes]:
        """Return these rows as in the file; with some columns left out, their numbers as in the file."""
        if self._kept is None:
            return [self.raw(index).strip(JSON_SPACE.encode()) for index in indices]
        return [to_json(self._select(_parse_to_the_letter(self.raw(index)))) for index in indices]


def _parse_to_the_letter(row: bytes) -> Values:
    # A float would lose digits, and orjson writes no integer past 64 bits.
    return json.loads(row, parse_float=orjson.Fragment, parse_int=orjson.Fragment)


def no_text_reason(value: object) -> str:
    """Return why a value that is no str is no text."""
    return "has no text" if value is None else f"holds {type(value).__name__}, not text"


def to_text(value: object) -> str:
    """Return the value where a column holds text only: a str as it is, anything else as JSON has it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return _base64(value)
    return repr(value) if type(value) in (int, float) else to_json(value).decode()


def to_json(value: object) -> bytes:
    """Return the value in JSON: bytes as base64, not-a-number as null. Raises TypeError for what JSON can't hold."""
    return orjson.dumps(value, default=_base64)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
