"""Read files row by row with the reader of `sentiment score`; refuse bad rows by their line."""

import io
import math
import re
import sys
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Generic, TypeVar

import numpy as np

from sentiment.errors import DataError
from sentiment.scoring.formats.files import open_source
from sentiment.scoring.formats.rows import Origin, RowBatch, Selection, Values, no_text_reason
from sentiment.scoring.formats.rows import Source as OpenFile
from sentiment.storage import remote
from sentiment.storage.files import expand, open_file
from sentiment.storage.formats import ROW_SUFFIXES, format_of
from sentiment.text.normalization import normalize
from sentiment.training.recipe import Source

CellsT = TypeVar("CellsT")
_TAG = re.compile("<[^<>]*>")
_WORD = re.compile(r"[^\W\u115f\u1160\u3164\uffa0]")  # Hangul's fillers are letters that can't be seen
# White space, and what can't be seen around a name: zero-width signs, soft hyphens, directions of writing.
EDGES = "".join(filter(str.isspace, map(chr, range(1 << 16)))) + (
    "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class BadRowError(ValueError):
    """A row can't be used; the message says why."""


@dataclass
class Rows(Generic[CellsT]):
    """The usable rows of a source, and how many others there are."""

    texts: list[str] = field(default_factory=list)
    cells: list[CellsT] = field(default_factory=list)  # what else a row holds
    origins: list[Origin] = field(default_factory=list)
    read: int = 0
    others: int = 0  # of these, that the source doesn't ask for
    empty: int = 0  # of these, without text
    bad: int = 0  # of these, without a label, or not to be read


class _Faults:
    """Count and first row of one kind of fault in a file."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, row_batch: RowBatch, index: int, reason: str = no_text_reason(None)) -> None:
        self.count += 1
        if self.count == 1:
            self._first = row_batch, index, reason

    def refuse(self, path: str, file: OpenFile, kind: str, option: str) -> None:
        """Raise DataError for the first one."""
        row_batch, index, reason = self._first
        all_of_them = f", the first of {self.count:,} {kind}" if self.count > 1 else ""
        them = "them" if self.count > 1 else "it"
        cure = f"mend or remove {them}, or leave {them} out with {option}"
        raise DataError(f"{path}: {file.locate(row_batch, index)} {reason}{all_of_them}; {cure}")


def read_rows(
    source: Source,
    columns: Mapping[str, str],
    parse: Callable[[Values], CellsT],
    *,
    optional: Sequence[str] = (),
    skip_empty: bool,
    skip_bad_rows: bool,
) -> Rows[CellsT]:
    """Return the rows of a source, in its order, with what `parse` makes of these columns.

    `columns` says of each which option names another. A row that `parse` refuses by BadRowError is a bad one, as is one
    that can't be read. Raises DataError for a path without files, a file that can't be read or lacks a
    column, and the first row that is bad or has no text, unless such are to be skipped.
    """
    used = [*columns, *source.where, *optional]
    options = {column: option for column, option in columns.items() if option}
    selection = Selection(source.text_column, (), used, source.separator, options, optional, whole=False)
    where = {column: cell_text(value, column) or "" for column, value in source.where.items()}
    rows: Rows[CellsT] = Rows()
    for name in expand([source.path], ROW_SUFFIXES):
        format_of(name, ROW_SUFFIXES, "training reads")
        # Of a store at once: not every web server gives a file from any byte on.
        with (
            io.BytesIO(remote.read(name)) if remote.is_remote(name) else open_file(name) as file,
            open_source(file, name, selection) as opened,
        ):
            bad, empty = _read(rows, name, opened, where, parse, skip_empty)
            if bad.count and not skip_bad_rows:
                bad.refuse(name, opened, "bad rows", "--skip-bad-rows")
            if empty.count and not skip_empty:
                empty.refuse(name, opened, "rows without text", "--skip-empty")
        rows.bad += bad.count
        rows.empty += empty.count
    return rows


def _read(
    rows: Rows[CellsT],
    name: str,
    opened: OpenFile,
    where: Mapping[str, str],
    parse: Callable[[Values], CellsT],
    skip_empty: bool,
) -> tuple[_Faults, _Faults]:
    """Add the usable rows of a file, and return its bad ones and those without text."""
    bad, empty = _Faults(), _Faults()
    batch = getattr(opened.head, "batch", None)  # of a table, whose decimals come as text
    decimals = [each.name for each in batch.schema if str(each.type).startswith("decimal")] if batch is not None else []
    for row_batch, _ in opened.row_batches(opened.start, sys.maxsize, sys.maxsize):
        rows.read += len(row_batch.texts)
        for index, values in enumerate(row_batch.values(range(len(row_batch.texts)))):
            values |= {column: Decimal(values[column]) for column in decimals if values[column] is not None}
            try:
                if index in row_batch.faults:
                    raise BadRowError(row_batch.faults[index])
                if any(cell_text(values.get(column), column) != value for column, value in where.items()):
                    rows.others += 1
                    continue
                text = _text(row_batch.texts[index])
                if text is None and skip_empty:
                    empty.add(row_batch, index)
                    continue
                cells = parse(values)
            except BadRowError as error:
                bad.add(row_batch, index, str(error))
                continue
            if text is None:
                empty.add(row_batch, index)
                continue
            rows.texts.append(text)
            rows.cells.append(cells)
            rows.origins.append(Origin(name, row_batch.first_row + index))
    return bad, empty


def _text(value: object) -> str | None:
    """Return the text; None where there is none, or nothing is left of it without markup and invisible characters."""
    if value is not None and not isinstance(value, str):
        raise BadRowError(no_text_reason(value))
    return None if value is None or is_blank(value) else value


def is_blank(text: str) -> bool:
    """Return whether nothing is left of a text in its one form."""
    plain = _TAG.sub(" ", text) if "<" in text else text
    if "&" not in text and _WORD.search(plain):  # in a fraction of the time
        return False
    return not normalize(text).strip()


def cell_text(value: object, column: str) -> str | None:
    """Return what a cell holds as text in NFC, without anything unseen around it; None where it holds nothing.

    A number is its shortest decimal, 1.0 being 1. Raises BadRowError for a list and its like.
    """
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value).strip(EDGES) or None
    if value is None or isinstance(value, bool):
        return None if value is None else str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return np.format_float_positional(value + 0.0, trim="-") if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    raise BadRowError(f"holds {type(value).__name__} in column {column!r}, not a name or a number")


def number_of(value: object) -> float | None:
    """Return the finite number that a cell holds, as such or as text; None where it holds something else."""
    if isinstance(value, str):
        value = float(value) if _NUMBER.fullmatch(value.strip()) else None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return float(value) if math.isfinite(value) else None
