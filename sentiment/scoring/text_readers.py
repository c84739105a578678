"""CSV, TSV, JSONL and plain lines to windows of rows: a record that can't be read is a row at fault, never a loss.

By the standard library, because data-frame libraries stop at the first bad record without saying which it is, can't
give it back as it stood, and turn "007" into 7.
"""

import csv
import json
from collections.abc import Collection, Iterator, Sequence
from itertools import chain, islice
from typing import TypeVar

from sentiment.errors import DataError
from sentiment.scoring.lines import Lines
from sentiment.scoring.rows import WINDOW_BYTES, WINDOW_ROWS, JsonRowWindow, Row, RowWindow, Values, check_columns

MAX_CELL_CHARACTERS = 1 << 26  # a quote left open is given up after so many
_BLANK = "is a blank line"
WindowT = TypeVar("WindowT", bound=RowWindow)


def csv_windows(
    lines: Lines, path: str, text_column: str, added: Collection[str], delimiter: str
) -> Iterator[RowWindow]:
    """Windows of a file whose first line names the columns. A cell is text: "007" stays "007"."""
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    records = _csv_records(lines, delimiter)
    columns = next(records, None)
    if columns is None:
        raise DataError(f"{path}: is empty; its first line should name the columns")
    if lines.fault is not None:
        raise DataError(f"{path}: its first line, which should name the columns, {lines.fault}")
    check_columns(path, columns, text_column, added)
    yield from _windows(_csv_rows(lines, records, columns), columns, text_column, RowWindow)


def line_windows(lines: Lines, path: str, text_column: str, added: Collection[str]) -> Iterator[RowWindow]:
    """Windows of a file of plain lines, each of them a text."""
    check_columns(path, [text_column], text_column, added)
    yield from _windows(_line_rows(lines, text_column), [text_column], text_column, RowWindow)


def json_windows(lines: Lines, path: str, text_column: str, added: Collection[str]) -> Iterator[JsonRowWindow]:
    """Windows of a file of JSON objects, one a line. The columns are those of the rows of the first window."""
    rows = _json_rows(lines)
    first = list(_take_window(rows))
    columns = list(dict.fromkeys(chain.from_iterable(row.values for row in first)))
    if first and not columns:
        raise DataError(f"{path}: none of its first {len(first)} lines is a JSON object: line 1 {first[0].fault}")
    if first:
        check_columns(path, columns, text_column, added)
    yield from _windows(chain(first, _without_clash(rows, added)), columns, text_column, JsonRowWindow)


def _csv_records(lines: Lines, delimiter: str) -> Iterator[list[str]]:
    """The cells of each record, none where `lines` has a fault."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.begin_record()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            lines.give_up(f"is malformed: {error}")
        yield [] if lines.fault else cells


def _csv_rows(lines: Lines, records: Iterator[list[str]], columns: Sequence[str]) -> Iterator[Row]:
    for cells in records:
        if not cells and lines.fault is None:
            lines.fault = _BLANK
        elif lines.fault is None and len(cells) != len(columns):
            lines.fault = f"has {len(cells)} cells where the first line names {len(columns)} columns"
        yield _row(lines, dict(zip(columns, cells, strict=False)))


def _line_rows(lines: Lines, text_column: str) -> Iterator[Row]:
    lines.begin_record()
    for line in lines:
        yield _row(lines, {text_column: line.rstrip("\r\n")})
        lines.begin_record()


def _json_rows(lines: Lines) -> Iterator[Row]:
    lines.begin_record()
    for line in lines:
        values, fault = _parse(line.strip())
        lines.fault = lines.fault or fault
        yield _row(lines, values)
        lines.begin_record()


def _parse(line: str) -> tuple[Values, str | None]:
    """The members of the object, or none and why."""
    if not line:
        return {}, _BLANK
    try:
        values = json.loads(line, parse_constant=_refuse_constant)
        if "\\u" in line:
            json.dumps(values, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        return {}, f"is not JSON: {error.msg} at character {error.pos}"
    except UnicodeEncodeError:
        return {}, "holds a lone surrogate: it is not valid Unicode"
    except (ValueError, RecursionError) as error:
        return {}, f"is not JSON: {error}"
    return (values, None) if isinstance(values, dict) else ({}, "is not a JSON object")


def _without_clash(rows: Iterator[Row], added: Collection[str]) -> Iterator[Row]:
    for row in rows:
        clash = next((name for name in row.values if name in added), None)
        yield row if clash is None else Row(row.raw, {}, f"has {clash!r}, the name of an added column")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"it has no {name}")


def _row(lines: Lines, values: Values) -> Row:
    return Row(lines.raw, values if lines.fault is None else {}, lines.fault)


def _windows(rows: Iterator[Row], columns: Sequence[str], text_column: str, kind: type[WindowT]) -> Iterator[WindowT]:
    """At least one window, so that the columns of an empty file are known."""
    held = list(_take_window(rows))
    number = 1
    while held or number == 1:
        yield kind(number, held, columns, text_column)
        if not held:
            return
        number += len(held)
        held = list(_take_window(rows))


def _take_window(rows: Iterator[Row]) -> Iterator[Row]:
    taken = 0
    for row in islice(rows, WINDOW_ROWS):
        yield row
        taken += len(row.raw)
        if taken >= WINDOW_BYTES:
            return
