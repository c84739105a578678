"""Read CSV, TSV, JSONL and plain lines into batches of rows; a record that can't be read is a faulty row, never lost.

The standard library parses them: data-frame libraries stop at the first bad record without naming it, can't return
its bytes, and turn "007" into 7.
"""

import csv
import json
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import BinaryIO

from sentiment.errors import DataError
from sentiment.scoring.formats.rows import (
    BATCH_BYTES,
    BATCH_ROWS,
    JSON_SPACE,
    FileOffset,
    JsonRowBatch,
    Row,
    RowBatch,
    Selection,
    Source,
    TextRowBatch,
    Values,
)
from sentiment.scoring.formats.text.lines import Lines

MAX_CELL_CHARACTERS = 1 << 26  # a quote left open is given up after so many
SEPARATORS = ",;\t|"
_SEPARATOR_HINT = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_BLANK = "is a blank line"
_BLOCK_BYTES = 1 << 20


def _refuse_constant(name: str) -> None:
    raise ValueError(f"it has no {name}")


_JSON = json.JSONDecoder(parse_constant=_refuse_constant)  # once: json.loads would make one a line


class TextSource(Source):
    """Rows of a text file, from any offset on. `head` has the first ones, which decide the columns."""

    def __init__(
        self,
        file: BinaryIO,
        start: FileOffset,
        rows_of: Callable[[Lines], Iterator[Row]],
        row_batch: Callable[[int, Sequence[Row]], TextRowBatch],
    ) -> None:
        self._file = file
        self._rows_of = rows_of
        self._make_batch = row_batch
        self.start = start
        self.head = next(
            (row_batch for row_batch, _ in self.row_batches(start, BATCH_ROWS, BATCH_ROWS)), row_batch(1, [])
        )

    def row_batches(
        self, start: FileOffset, rows_left: int, shard_rows: int
    ) -> Iterator[tuple[TextRowBatch, FileOffset]]:
        lines = Lines(self._file, start.byte)
        rows = self._rows_of(lines)
        row, left = start.row, rows_left
        while held := list(_take_batch(rows, left)):
            row_batch = self._make_batch(row, held)
            row += len(held)
            left = left - len(held) or shard_rows
            yield row_batch, FileOffset(row, lines.offset)

    def locate(self, row_batch: RowBatch, index: int) -> str:
        offset = row_batch.offset(index) or 0
        self._file.seek(0)
        line, left = 1, offset
        while left and (block := self._file.read(min(left, _BLOCK_BYTES))):
            line, left = line + block.count(b"\n"), left - len(block)
        return f"line {line:,} (row {row_batch.first_row + index:,}, byte {offset:,})"


def csv_source(file: BinaryIO, path: str, selection: Selection, delimiter: str) -> TextSource:
    """Return the rows of a file whose first line names the columns. A cell is text: "007" stays "007"."""
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    _check_separator(next(Lines(file), ""), path, selection, delimiter)
    lines = Lines(file)
    columns = next(_csv_records(lines, delimiter), None)
    if columns is None:
        raise DataError(f"{path}: is empty; its first line should name the columns")
    if lines.fault is not None or not columns:
        raise DataError(f"{path}: its first line, which should name the columns, {lines.fault or _BLANK}")
    selection.check(path, columns, first_line=True)
    used = set(selection.used(columns))
    indices = [(index, name) for index, name in enumerate(columns) if name in used]
    return TextSource(
        file,
        FileOffset(1, lines.offset),
        lambda lines: _csv_rows(lines, _csv_records(lines, delimiter), len(columns), indices),
        lambda first_row, rows: TextRowBatch(first_row, rows, columns, selection.text_column, selection.kept),
    )


def _check_separator(first_line: str, path: str, selection: Selection, delimiter: str) -> None:
    """Raise DataError if the columns are named between other separators, or a spreadsheet's hint comes before."""
    columns = _names(first_line, delimiter)
    if set(selection.needed) <= set(columns):
        return
    hint = _SEPARATOR_HINT.fullmatch(first_line)
    if hint:
        raise DataError(
            f"{path}: its first line is a hint for Excel, 'sep={hint[1]}'; remove it, and give --separator {hint[1]!r}"
        )
    for other in SEPARATORS:
        names = _names(first_line, other)
        if other != delimiter and (set(selection.needed) <= set(names) or len(columns) == 1 < len(names)):
            raise DataError(
                f"{path}: its cells are separated by {other!r}, not by {delimiter!r}; --separator {other!r} reads it"
            )


def _names(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def line_source(file: BinaryIO, path: str, selection: Selection) -> TextSource:
    """Return the rows of a file of plain lines, each of them a text."""
    column = selection.text_column
    selection.check(path, [column])
    return TextSource(
        file,
        FileOffset(1, Lines(file).offset),
        lambda lines: line_rows(lines, column),
        lambda first_row, rows: TextRowBatch(first_row, rows, [column], column, selection.kept),
    )


def json_source(file: BinaryIO, path: str, selection: Selection) -> TextSource:
    """Return the rows of a file of JSON objects, one a line. The first batch decides the columns."""
    lines = Lines(file)
    start = FileOffset(1, lines.offset)
    first = list(_take_batch(json_rows(lines), BATCH_ROWS))
    columns = list(dict.fromkeys(chain.from_iterable(row.values for row in first)))
    if first and not columns:
        cure = "write each object on a line of its own"
        raise DataError(
            f"{path}: none of its first {len(first):,} lines is a JSON object: line 1 {first[0].fault}; {cure}"
        )
    if first:
        selection.check(path, columns)
    clashing = selection.added if selection.kept is None else ()
    return TextSource(
        file,
        start,
        lambda lines: reject_clashes(json_rows(lines), clashing),
        lambda first_row, rows: JsonRowBatch(first_row, rows, columns, selection.text_column, selection.kept),
    )


def _csv_records(lines: Lines, delimiter: str) -> Iterator[list[str]]:
    """Yield the cells of each record, none where `lines` has a fault."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.begin_record()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            lines.give_up(f"is malformed: {str(error).partition(' - ')[0]}")  # without advice to programmers
        yield [] if lines.fault else cells


def _csv_rows(
    lines: Lines, records: Iterator[list[str]], width: int, indices: Sequence[tuple[int, str]]
) -> Iterator[Row]:
    for cells in records:
        if not cells and lines.fault is None:
            lines.fault = _BLANK
        elif lines.fault is None and len(cells) != width:
            lines.fault = f"has {len(cells)} cells where the first line names {width} columns"
        yield _row(lines, {} if lines.fault else {name: cells[index] for index, name in indices})


def line_rows(lines: Lines, text_column: str) -> Iterator[Row]:
    """Yield each line a text."""
    lines.begin_record()
    for line in lines:
        yield _row(lines, {text_column: line.rstrip("\r\n")})
        lines.begin_record()


def json_rows(lines: Lines) -> Iterator[Row]:
    """Yield each line a JSON object."""
    lines.begin_record()
    for line in lines:
        values, fault = _parse(line.strip(JSON_SPACE))
        lines.fault = lines.fault or fault
        yield _row(lines, values)
        lines.begin_record()


def _parse(line: str) -> tuple[Values, str | None]:
    """Return the members of the object, or none and why."""
    if not line:
        return {}, _BLANK
    try:
        values = _JSON.decode(line)
        if "\\u" in line:
            json.dumps(values, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        return {}, f"is not JSON: {error.msg} at character {error.pos}"
    except UnicodeEncodeError:
        return {}, "holds a lone surrogate: it is not valid Unicode"
    except RecursionError:
        return {}, "is nested too deep"
    except ValueError as error:
        return {}, f"is not JSON: {str(error).partition(';')[0]}"  # without advice to programmers
    return (values, None) if isinstance(values, dict) else ({}, "is not a JSON object")


def reject_clashes(rows: Iterator[Row], added: Collection[str]) -> Iterator[Row]:
    """Yield the rows, faulty where a column has the name of an added one."""
    for row in rows:
        clash = next((name for name in row.values if name in added), None)
        yield row if clash is None else replace(row, values={}, fault=f"has {clash!r}, the name of an added column")


def _row(lines: Lines, values: Values) -> Row:
    return Row(lines.raw, values if lines.fault is None else {}, lines.fault, lines.record_offset)


def _take_batch(rows: Iterator[Row], max_rows: int) -> Iterator[Row]:
    size = 0
    for row in islice(rows, min(BATCH_ROWS, max_rows)):
        yield row
        size += len(row.raw)
        if size >= BATCH_BYTES:
            return
