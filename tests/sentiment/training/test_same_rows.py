"""One table, written by whatever writes tables, is the same rows to training and to scoring."""

import csv
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment.errors import DataError
from sentiment.scoring.files import open_source
from sentiment.scoring.rows import Selection
from sentiment.text.normalization import normalize
from sentiment.training.reading import read_labelled
from sentiment.training.recipe import Source
from sentiment.training.tables import cell_text

Columns = dict[str, list[str]]
Write = Callable[[Path, Columns], object]
HARD = (
    'a 5" screen', 'said "no"', "a\\", 'a\\"b', "a, b;c\td|e", "two\nlines", "a\r\nb", "a\rb", " a ", "007", "1.0",
    "True", "nan", "=1+1", "\ufeffa", "cafe\u0301", "a\0b", "\u2028", "&nbsp;", "<br>", "null", "sep=;", "'", '"',
)  # fmt: skip
CELLS = st.sampled_from(HARD) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def by_csv(delimiter: str, line_end: str) -> Write:
    def write(path: Path, columns: Columns) -> None:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter=delimiter, lineterminator=line_end)
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
        frame = pytest.importorskip("pandas").DataFrame(columns)
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


WRITERS: dict[str, tuple[str, Write]] = {
    "csv": (".csv", by_csv(",", "\r\n")),
    "csv, LF": (".csv", by_csv(",", "\n")),
    "csv, tabs": (".tsv", by_csv("\t", "\n")),
    "json": (".jsonl", by_json(ascii_only=True)),
    "json, UTF-8": (".ndjson", by_json(ascii_only=False)),
    "pyarrow csv": (".csv", lambda path, columns: pyarrow.csv.write_csv(pa.table(columns), path)),
    "pyarrow parquet": (".parquet", lambda path, columns: pq.write_table(pa.table(columns), path)),
    "pyarrow file": (".arrow", by_ipc(pa.ipc.new_file)),
    "pyarrow stream": (".arrow", by_ipc(pa.ipc.new_stream)),
    "polars csv": (".csv", lambda path, columns: pl.DataFrame(columns).write_csv(path)),
    "polars tsv": (".tsv", lambda path, columns: pl.DataFrame(columns).write_csv(path, separator="\t")),
    "polars json": (".jsonl", lambda path, columns: pl.DataFrame(columns).write_ndjson(path)),
    "polars parquet": (".parquet", lambda path, columns: pl.DataFrame(columns).write_parquet(path)),
    "polars arrow": (".arrow", lambda path, columns: pl.DataFrame(columns).write_ipc(path)),
    **{f"pandas {suffix}": (suffix, by_pandas(suffix)) for suffix in (".csv", ".tsv", ".jsonl", ".parquet")},
}


def scored_rows(path: Path) -> Iterator[tuple[int, object, object]]:
    """Number, text and label of each row that scoring can read."""
    with path.open("rb") as file, open_source(file, str(path), Selection("text", (), ["label"])) as source:
        for window, _ in source.windows(source.start, 1000, 1000):
            for place, values in enumerate(window.values(range(len(window.texts)))):
                if place not in window.faults:
                    yield window.first_row + place, window.texts[place], values["label"]


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=25)
@given(rows=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5))
def test_rows_and_labels_are_the_same_wherever_they_are_written(
    tmp_path_factory: pytest.TempPathFactory, name: str, rows: list[tuple[str, str]]
) -> None:
    suffix, write = WRITERS[name]
    path = tmp_path_factory.getbasetemp() / f"rows{suffix}"
    write(path, {"text": [text for text, _ in rows], "label": [label for _, label in rows]})
    source = Source(path=path)
    labels = [unicodedata.normalize("NFC", label).strip() for _, label in rows]

    scored = {row: (text, cell_text(label, "label") or "") for row, text, label in scored_rows(path)}
    lost = set(range(1, len(rows) + 1)) - scored.keys()
    assert scored.items() <= {row: (rows[row - 1][0], labels[row - 1]) for row in range(1, len(rows) + 1)}.items()
    assert all("\r" in "".join(rows[row - 1]) for row in lost)  # that a writer leaves without quotes
    usable = [
        row for row, (text, label) in scored.items() if normalize(text).strip() and label.lower() not in ("", "nan")
    ]
    refusal = ""
    try:
        found = read_labelled(source)
        assert list(zip(found.texts, found.labels, strict=True)) == list(scored.values())
    except DataError as error:
        refusal = str(error)
    assert (len(usable) < len(rows) or "labels are names" in refusal) == bool(refusal)
    assert not refusal or re.search(r": (line \d+ \()?row \d+", refusal)
    if usable and "labels are names" not in refusal:
        found = read_labelled(source, skip_empty=True, skip_bad_rows=True)
        assert [found.origin(place).row for place in range(len(found.texts))] == usable
        assert list(zip(found.texts, found.labels, strict=True)) == [scored[row] for row in usable]
        assert len(found.texts) + found.skipped + found.unreadable == len(rows)
