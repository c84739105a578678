"""Files of rows as polars' tables, refused in words where they are none."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import BinaryIO

import polars as pl
from polars.exceptions import PolarsError

from sentiment.errors import DataError
from sentiment.scoring.streams import unpacked
from sentiment.storage import remote
from sentiment.storage.files import expand, open_file
from sentiment.storage.formats import DELIMITERS, ROW_SUFFIXES, TABLES, Format, format_of

_READERS: dict[str, Callable[[BinaryIO], pl.DataFrame]] = {
    # The types of columns are those of all rows: the first hundred may be numbers by chance.
    ".csv": lambda file: pl.read_csv(file, infer_schema_length=None),
    ".tsv": lambda file: pl.read_csv(file, infer_schema_length=None, separator="\t"),
    ".jsonl": lambda file: pl.read_ndjson(file, infer_schema_length=None),
    ".ndjson": lambda file: pl.read_ndjson(file, infer_schema_length=None),
    ".parquet": pl.read_parquet,
    ".arrow": pl.read_ipc,
}
_HEAD_BYTES = 4096


def read_tables(path: str, columns: Mapping[str, str]) -> Iterator[tuple[str, pl.DataFrame]]:
    """The name and the table of each file that a path stands for, with these columns at least.

    Of each column `columns` says what a message about it ends with: which option names another.

    Raises DataError for a path that stands for none, a suffix that isn't known, and a file that can't be read or lacks
    a column.
    """
    for name in expand([path], ROW_SUFFIXES):
        table_format = format_of(name, ROW_SUFFIXES, "training reads")
        frame = _read(name, table_format)
        missing = next((column for column in columns if column not in frame.columns), None)
        if missing is not None:
            _check_delimiter(name, frame.columns, table_format)
            there_are = ", ".join(map(repr, frame.columns))
            headless = table_format.suffix in DELIMITERS and columns.keys().isdisjoint(frame.columns)
            header = "; the first line must name the columns" if headless else ""
            raise DataError(f"{name}: there is no column {missing!r}; there are {there_are}{columns[missing]}{header}")
        yield name, frame


def _read(name: str, table_format: Format) -> pl.DataFrame:
    # Of a store at once: not every web server gives a file from any byte on.
    with io.BytesIO(remote.read(name)) if remote.is_remote(name) else open_file(name) as file:
        if not table_format.is_table:
            _check_encoding(name, unpacked(file, name, table_format.compression))
            file.seek(0)
        try:
            return _READERS[table_format.suffix](file)
        except (PolarsError, OSError, ValueError) as error:
            file.seek(0)
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            if table_format.is_table:
                kind = TABLES[table_format.suffix]
                raise DataError(f"{name}: is no {kind} file, or not a whole one: {reason}; write it anew") from None
            raise DataError(f"{name}: {_fault(name, file, table_format) or reason}") from None


def _check_encoding(name: str, content: BinaryIO) -> None:
    head = content.read(_HEAD_BYTES)
    if not head.strip():
        raise DataError(f"{name}: the file is empty")
    if b"\0" in head:
        kind = "UTF-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "not text"
        raise DataError(f"{name}: the file is {kind}; save it as UTF-8")


def _check_delimiter(name: str, columns: Sequence[str], table_format: Format) -> None:
    delimiter = DELIMITERS.get(table_format.suffix)
    other = re.search(r"[;\t|,]", columns[0]) if delimiter and len(columns) == 1 else None
    if other is not None:
        cure = {"\t": "call it .tsv", ",": "call it .csv"}.get(other[0], f"save it with {delimiter!r}")
        raise DataError(f"{name}: its cells are separated by {other[0]!r}, not by {delimiter!r}; {cure}")


def _fault(name: str, file: BinaryIO, table_format: Format) -> str | None:
    """Which line can't be read, and why; None where only polars knows."""
    lines = io.TextIOWrapper(unpacked(file, name, table_format.compression), encoding="utf-8", newline="")
    check = _record_fault if table_format.suffix in DELIMITERS else _json_fault
    try:
        return check(lines, DELIMITERS.get(table_format.suffix, ""))
    except UnicodeDecodeError as error:
        found = error.object[error.start]
        return f"the file is not UTF-8 (it holds the byte 0x{found:02x}); save it as UTF-8"
    finally:
        lines.detach()


def _record_fault(lines: io.TextIOWrapper, delimiter: str) -> str | None:
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        names = next(rows)
        for cells in rows:
            if len(cells) > len(names):
                cure = f"put quotes around a cell that holds {delimiter!r}"
                return f"line {rows.line_num} has {len(cells)} cells, and the first line {len(names)}; {cure}"
    except csv.Error as error:
        return f"line {rows.line_num}: {error}"
    return None


def _json_fault(lines: io.TextIOWrapper, _: str) -> str | None:
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line) if line.strip() else {}
        except json.JSONDecodeError as error:
            return f"line {number} is no JSON object: {error.msg} at character {error.pos + 1}; mend or remove it"
        if not isinstance(row, dict):
            return f'line {number} is no JSON object; a line is one, as {{"text": …, "label": …}}'
    return None
