"""One table, written by whatever writes tables, is the same rows to training, to evaluation and to scoring."""

import csv
import json
import math
import re
import unicodedata
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment.errors import DataError
from sentiment.scoring.formats.files import open_source
from sentiment.scoring.formats.rows import Selection
from sentiment.text.normalization import normalize
from sentiment.training.data.dataset import LabelledTexts
from sentiment.training.data.reading import read_labelled
from sentiment.training.data.tables import EDGES
from sentiment.training.recipe import Source

Columns = dict[str, list[Any]]
Write = Callable[[Path, Columns], object]
HARD = (
    'a 5" screen', 'said "no"', "a\\", 'a\\"b', "a, b;c\td|e", "two\nlines", "a\r\nb", "a\rb", " a ", "007", "1.0",
    "True", "nan", "=1+1", "\ufeffa", "cafe\u0301", "a\0b", "\u2028", "&nbsp;", "<br>", "null", "sep=;", "'", '"',
    "", '""', "#", "-1", "\x1a", "{}", "\\N", "\u200d",
)  # fmt: skip
CELLS = st.none() | st.sampled_from(HARD) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
LABELS: dict[str, st.SearchStrategy[Any]] = {
    "text": CELLS,
    "integer": st.none() | st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(-2, 5),
    "number": st.none() | st.floats() | st.integers(-2, 5).map(float),
    "boolean": st.none() | st.booleans(),
}


class Row(NamedTuple):
    text: Any
    label: Any
    note: Any


Table = tuple[str, list[Row]]  # of labels of one kind
TABLES: st.SearchStrategy[Table] = st.sampled_from(sorted(LABELS)).flatmap(
    lambda kind: st.tuples(st.just(kind), st.lists(st.builds(Row, CELLS, LABELS[kind], CELLS), max_size=5))
)


def by_csv(encoding: str = "utf-8", **options: Any) -> Write:
    def write(path: Path, columns: Columns) -> None:
        with path.open("w", newline="", encoding=encoding) as file:
            writer = csv.writer(file, **options)
            writer.writerows([list(columns), *zip(*columns.values(), strict=True)])

    return write


def by_json(*, ascii_only: bool) -> Write:
    def write(path: Path, columns: Columns) -> None:
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        path.write_text("".join(json.dumps(row, ensure_ascii=ascii_only) + "\n" for row in rows), "utf-8", newline="")

    return write


def by_ipc(new: Callable[..., pa.RecordBatchFileWriter]) -> Write:
    def write(path: Path, columns: Columns) -> None:
        table = pa.table(columns)
        with pa.OSFile(str(path), "wb") as sink, new(sink, table.schema) as writer:
            writer.write_table(table)

    return write


def by_pandas(suffix: str) -> Write:
    def write(path: Path, columns: Columns) -> None:
        pandas = pytest.importorskip("pandas")
        frame = pandas.DataFrame({name: pandas.Series(cells, dtype=object) for name, cells in columns.items()})
        match suffix:
            case ".csv":
                frame.to_csv(path, index=False)
            case ".tsv":
                frame.to_csv(path, sep="\t")
            case ".jsonl":
                frame.to_json(path, orient="records", lines=True)
            case _:
                frame.to_parquet(path)

    return write


def compressed(kind: str, write_plainly: Write) -> Write:
    def write(path: Path, columns: Columns) -> None:
        write_plainly(path, columns)
        path.write_bytes(pa.compress(path.read_bytes(), kind, asbytes=True))

    return write


WRITERS: dict[str, tuple[str, Write]] = {
    "csv": (".csv", by_csv()),
    "csv, LF": (".csv", by_csv(lineterminator="\n")),
    "csv, tabs": (".tsv", by_csv(delimiter="\t", lineterminator="\n")),
    "csv, BOM": (".csv", by_csv("utf-8-sig")),
    "csv, all in quotes": (".csv", by_csv(quoting=csv.QUOTE_ALL)),
    "csv, gzip": (".csv.gz", compressed("gzip", by_csv())),
    "json": (".jsonl", by_json(ascii_only=True)),
    "json, UTF-8": (".ndjson", by_json(ascii_only=False)),
    "json, zstd": (".jsonl.zst", compressed("zstd", by_json(ascii_only=False))),
    "pyarrow csv": (".csv", lambda path, columns: pyarrow.csv.write_csv(pa.table(columns), path)),
    "pyarrow parquet": (".parquet", lambda path, columns: pq.write_table(pa.table(columns), path)),
    "pyarrow file": (".arrow", by_ipc(pa.ipc.new_file)),
    "pyarrow stream": (".arrow", by_ipc(pa.ipc.new_stream)),
    "polars csv": (".csv", lambda path, columns: pl.DataFrame(columns).write_csv(path)),
    "polars tsv": (".tsv", lambda path, columns: pl.DataFrame(columns).write_csv(path, separator="\t")),
    "polars json": (".jsonl", lambda path, columns: pl.DataFrame(columns).write_ndjson(path)),
    "polars parquet": (".parquet", lambda path, columns: pl.DataFrame(columns).write_parquet(path)),
    "polars arrow": (".arrow", lambda path, columns: pl.DataFrame(columns).write_ipc(path)),
    "polars stream": (".arrow", lambda path, columns: pl.DataFrame(columns).write_ipc_stream(path)),
    **{f"pandas {suffix}": (suffix, by_pandas(suffix)) for suffix in (".csv", ".tsv", ".jsonl", ".parquet")},
}
UNQUOTED = ("csv, LF", "csv, tabs", "pandas .csv", "pandas .tsv")  # a carriage return, as it ends no line of theirs


def scored_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Number and cells of each row that scoring can read."""
    with path.open("rb") as file, open_source(file, str(path), Selection("text", (), ["label", "note"])) as source:
        for row_batch, _ in source.row_batches(source.start, 1000, 1000):
            for index, values in enumerate(row_batch.values(range(len(row_batch.texts)))):
                if index not in row_batch.faults:
                    yield row_batch.first_row + index, Row(row_batch.texts[index], values["label"], values["note"])


def name_of(value: object) -> str:
    """Return what a cell holds as text, "" where it holds nothing."""
    match value:
        case str():
            return unicodedata.normalize("NFC", value).strip(EDGES)
        case bool():
            return str(value).lower()
        case float():
            return format(Decimal(repr(value + 0.0)).normalize(), "f") if math.isfinite(value) else ""
        case _:
            return "" if value is None else str(value)


def is_label(name: str, kind: str) -> bool:
    """Return whether a label of this kind is one: numbers are read as those of a regression."""
    if kind in ("text", "boolean"):
        return name.lower() not in ("", "nan")
    try:
        return math.isfinite(float(name))
    except ValueError:
        return False


def check(folder: Path, name: str, table: Table) -> None:
    """Write a table, read it as scoring does and as training and evaluation do, and compare."""
    (suffix, write), (kind, rows) = WRITERS[name], table
    path = folder / f"rows{suffix}"
    write(path, {column: [getattr(row, column) for row in rows] for column in Row._fields})
    try:
        scored = dict(scored_rows(path))
    except DataError:
        scored = {}

    is_torn = name in UNQUOTED and any("\r" in str(cell) for row in rows for cell in row)
    for number, row in enumerate(() if is_torn else rows, 1):
        if number not in scored:  # NaN is no JSON
            assert isinstance(row.label, float)
            assert not math.isfinite(row.label)
            continue
        found = scored[number]
        assert [found.text or "", found.note or ""] == [row.text or "", row.note or ""]
        if kind == "text" or suffix in (".parquet", ".arrow"):
            assert name_of(found.label) == name_of(row.label)
        elif kind == "boolean":
            assert name_of(found.label).lower() == name_of(row.label)
        elif name != "pandas .jsonl" and name_of(row.label):  # which rounds
            assert float(found.label) == float(row.label)
    usable = {
        number: (row.text, name_of(row.label), name_of(row.note))
        for number, row in scored.items()
        if normalize(row.text or "").strip() and is_label(name_of(row.label), kind)
    }

    def read(**skipping: bool) -> LabelledTexts:
        task = "regression" if kind in ("integer", "number") else "classification"
        return read_labelled(Source(path=path), columns=["note"], task=task, **skipping)

    def cells(found: LabelledTexts) -> list[tuple[str, str, str]]:
        return list(zip(found.texts, found.labels, found.columns["note"], strict=True))

    refusal = ""
    try:
        assert cells(read()) == list(usable.values())
    except DataError as error:
        refusal = str(error)
    if "labels are names" in refusal:  # as all of them are numbers with fractions
        return
    assert is_torn or (len(usable) < max(1, len(rows))) == bool(refusal)
    assert not rows or not refusal or re.search(r": (line \d+ \()?row \d+", refusal)
    if usable:
        found = read(skip_empty=True, skip_bad_rows=True)
        assert [found.origin(index).row for index in range(len(found.texts))] == list(usable)
        assert cells(found) == list(usable.values())
        assert is_torn or len(found.texts) + found.skipped + found.unreadable == len(rows)


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=30, derandomize=True, database=None)
@given(table=TABLES)
def test_rows_and_labels_are_the_same_wherever_they_are_written(
    tmp_path_factory: pytest.TempPathFactory, name: str, table: Table
) -> None:
    check(tmp_path_factory.getbasetemp(), name, table)


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=500, derandomize=True, database=None)
@given(table=TABLES)
def test_many_more_tables(tmp_path_factory: pytest.TempPathFactory, name: str, table: Table) -> None:
    check(tmp_path_factory.getbasetemp(), name, table)
