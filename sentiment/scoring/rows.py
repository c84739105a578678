"""Rows on their way from an input to an output, a window of them at a time, as their file gave them."""

import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from sentiment.errors import DataError

Values = dict[str, Any]  # of one row, by column, in the file's order

WINDOW_ROWS = 4096  # more rows make more even batches, and take more memory
WINDOW_BYTES = 1 << 22  # of them together: long texts make a window of fewer


class Window(Protocol):
    """Consecutive rows of an input. A place counts from 0 within the window."""

    first_row: int  # its number in the input, from 1; a first line of column names is no row
    columns: Sequence[str]  # of the input, in order
    texts: Sequence[object]  # what stands in the text column, row by row
    faults: Mapping[int, str]  # why a row can't be read, by place

    def values(self, places: Sequence[int]) -> list[Values]:
        """The values of these rows."""

    def json_objects(self, places: Sequence[int]) -> list[bytes]:
        """These rows as JSON objects."""

    def raw(self, place: int) -> Values | bytes:
        """One row as it stands in the input: its bytes, or its values where the input isn't text."""


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a text file. Where it can't be read `fault` says why, and `values` is empty."""

    raw: bytes
    values: Values
    fault: str | None


class RowWindow:
    """Rows of a text file."""

    def __init__(self, first_row: int, rows: Sequence[Row], columns: Sequence[str], text_column: str) -> None:
        self.first_row = first_row
        self.columns = columns
        self.texts: Sequence[object] = [row.values.get(text_column) for row in rows]
        self.faults: Mapping[int, str] = {place: row.fault for place, row in enumerate(rows) if row.fault is not None}
        self._rows = rows

    def values(self, places: Sequence[int]) -> list[Values]:
        """The values of these rows."""
        return [self._rows[place].values for place in places]

    def json_objects(self, places: Sequence[int]) -> list[bytes]:
        """These rows as JSON objects."""
        return [to_json(values) for values in self.values(places)]

    def raw(self, place: int) -> bytes:
        """One row as it stands in the file."""
        return self._rows[place].raw


class JsonRowWindow(RowWindow):
    """Rows that are JSON already, and are kept to the letter: no number changes its form."""

    def json_objects(self, places: Sequence[int]) -> list[bytes]:
        """These rows as they stand in the file."""
        return [self.raw(place).strip() for place in places]


def check_columns(path: str, columns: Sequence[str], text_column: str, added: Collection[str]) -> None:
    """Raises DataError where the text column is missing, or where two columns of the output would share a name."""
    if text_column not in columns:
        raise DataError(f"{path}: there is no column {text_column!r}; there are {', '.join(map(repr, columns))}")
    for column in columns:
        if columns.count(column) > 1:
            raise DataError(f"{path}: two columns are called {column!r}; give each its own name")
        if column in added:
            raise DataError(f"{path}: there is a column {column!r} already, and one is added; give it another name")


def to_text(value: object) -> str:
    """The value where a column holds text only: a str as it is, anything else as JSON has it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return _base64(value)
    return repr(value) if type(value) in (int, float) else to_json(value).decode()


def to_json(value: object) -> bytes:
    """The value in JSON: bytes as base64, not-a-number as null. Raises TypeError for what JSON can't hold."""
    return orjson.dumps(value, default=_base64)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
