"""Write rows and their answers as CSV, TSV and JSONL."""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import BinaryIO

from sentiment.scoring.formats.rows import RowBatch, Values, Writer, to_json, to_text

_LINE_END = "\r\n"
_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


class JsonWriter(Writer):
    """One JSON object a line: the row's own members, then the answer's. A row nested too deep can't be written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.rows = 0

    def write(self, row_batch: RowBatch, answers: Mapping[int, Values]) -> dict[int, str]:
        rows, unwritable = _json_objects(row_batch, list(answers))
        for index, row in rows.items():
            own = row[:-1]
            comma = b"" if own == b"{" else b","  # none of its columns may be kept
            self._file.write(own + comma + to_json(answers[index])[1:] + b"\n")
        self.rows += len(rows)
        return unwritable


class CsvWriter(Writer):
    """A first line of names if asked for, then one record a row. What isn't text is written as JSON has it.

    A row with a column that the first line lacks can't be written. With `escape_formulas` an apostrophe is put before
    cells that a spreadsheet would run.
    """

    def __init__(
        self,
        file: BinaryIO,
        columns: Sequence[str],
        added: Iterable[str],
        delimiter: str,
        *,
        names: bool = True,
        escape_formulas: bool = True,
    ) -> None:
        self._file = file
        self._columns = dict.fromkeys(columns)
        self._delimiter = delimiter
        self._escape_formulas = escape_formulas
        self.rows = 0
        if names:
            self._write_records([[*columns, *added]])

    def write(self, row_batch: RowBatch, answers: Mapping[int, Values]) -> dict[int, str]:
        records, unwritable = [], {}
        for (index, answer), values in zip(answers.items(), row_batch.values(list(answers)), strict=True):
            try:
                own = self._columns | {name: _cell(value) for name, value in values.items()}
            except TypeError as error:
                unwritable[index] = f"holds what a cell can't: {error}"
                continue
            if len(own) > len(self._columns):
                unwritable[index] = unknown_column(values, self._columns)
                continue
            records.append([*own.values(), *map(_cell, answer.values())])
        self._write_records(records)
        self.rows += len(records)
        return unwritable

    def _write_records(self, records: Iterable[Sequence[str | None]]) -> None:
        if self._escape_formulas:
            records = [[cell and escape_formula(cell) for cell in record] for record in records]
        lines = _UnixLines()
        csv.writer(lines, delimiter=self._delimiter, lineterminator=_LINE_END).writerows(records)
        self._file.write("".join(lines).encode())


class _UnixLines(list[str]):
    """Takes a csv writer's records. The writer quotes a lone carriage return only where it ends lines with one."""

    def write(self, record: str) -> None:
        self.append(record.removesuffix(_LINE_END) + "\n")


def _json_objects(row_batch: RowBatch, indices: list[int]) -> tuple[dict[int, bytes], dict[int, str]]:
    """Return the rows as JSON objects, and why the others can't be, by index."""
    try:
        return dict(zip(indices, row_batch.json_objects(indices), strict=True)), {}
    except TypeError:  # of one of them, it isn't said which
        found: dict[int, bytes] = {}
        unwritable: dict[int, str] = {}
        for index in indices:
            try:
                [found[index]] = row_batch.json_objects([index])
            except TypeError as error:
                unwritable[index] = f"holds what can't be written in JSON: {error}"
        return found, unwritable


def unknown_column(values: Values, columns: Mapping[str, object]) -> str:
    """Return the reason to refuse a row that has more columns than a table with fixed ones."""
    name = next(name for name in values if name not in columns)
    return f"has {name!r}, which none of the first rows has: write .jsonl to keep it"


def escape_formula(cell: str) -> str:
    return "'" + cell if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def _cell(value: object) -> str | None:
    return None if value is None else to_text(value)
