import datetime
import io
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sentiment.errors import DataError
from sentiment.scoring.formats.arrow import files as table_files
from sentiment.scoring.formats.arrow.files import ArrowTable, ParquetTable, TableFile
from sentiment.scoring.formats.arrow.reader import TableRowBatch, TableSource
from sentiment.scoring.formats.rows import FileOffset, Selection

SELECTION = Selection("text", ("label",))


def parquet_of(table: pa.Table, **settings: int) -> io.BytesIO:
    file = io.BytesIO()
    pq.write_table(table, file, **settings)
    file.seek(0)
    return file


def source_of(file: io.BytesIO, selection: Selection = SELECTION) -> TableSource:
    return TableSource(lambda: ParquetTable(file), "in.parquet", "Parquet", selection)


def row_batches_of(table: pa.Table, **settings: int) -> list[TableRowBatch]:
    source = source_of(parquet_of(table, **settings))
    return [row_batch for row_batch, _ in source.row_batches(source.start, 1 << 30, 1 << 30)]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_text_of_every_arrow_kind(kind: pa.DataType) -> None:
    [row_batch] = row_batches_of(pa.table({"text": pa.array(["good", None, "café"], kind)}))
    assert row_batch.texts == ["good", None, "café"]
    assert row_batch.batch.schema.field("text").type == kind


def test_values_without_a_form_in_text_files_become_text() -> None:
    time = datetime.datetime(2024, 1, 2, 3, 4, 5)
    table = pa.table(
        {
            "text": ["good"],
            "when": pa.array([time], pa.timestamp("ns", "UTC")),
            "price": [Decimal("1.50")],
            "raw": [b"\xff"],
            "nested": [[{"day": time.date(), "n": 1}]],
            "n": [7],
        }
    )
    [row_batch] = row_batches_of(table)
    assert row_batch.values([0]) == [
        {
            "text": "good",
            "when": "2024-01-02 03:04:05.000000000Z",
            "price": "1.50",
            "raw": b"\xff",
            "nested": [{"day": "2024-01-02", "n": 1}],
            "n": 7,
        }
    ]
    assert row_batch.raw(0) == row_batch.values([0])[0]
    assert row_batch.offset(0) is None
    assert row_batch.json_objects([0])[0].endswith(
        b'"price":"1.50","raw":"/w==","nested":[{"day":"2024-01-02","n":1}],"n":7}'
    )


def test_text_that_is_not_utf8_is_a_fault_and_kept_as_bytes() -> None:
    texts = pa.array([b"good", b"caf\xe9"], pa.binary()).view(pa.string())
    [row_batch] = row_batches_of(pa.table({"text": texts, "note": texts}))
    assert row_batch.faults == {1: "holds a text that is not UTF-8"}
    assert row_batch.raw(1) == {"text": b"caf\xe9", "note": b"caf\xe9"}


def test_windows_are_bounded_by_rows_and_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    table = pa.table({"text": [f"good {number}" for number in range(10)]})
    monkeypatch.setattr(table_files, "BATCH_ROWS", 4)
    row_batches = row_batches_of(table, row_group_size=5)
    assert [row_batch.first_row for row_batch in row_batches] == [1, 5, 6, 10]
    assert [text for row_batch in row_batches for text in row_batch.texts] == table["text"].to_pylist()
    monkeypatch.setattr(table_files, "BATCH_BYTES", 1)
    assert len(row_batches_of(table)) == 10


def write_arrow(table: pa.Table, file: io.BytesIO, new: Callable[..., Any]) -> None:
    with new(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=9)


@pytest.mark.parametrize("shard_rows", [1, 3, 4, 7, 100])
@pytest.mark.parametrize(
    ("write", "open_table"),
    [
        *((partial(pq.write_table, row_group_size=rows), ParquetTable) for rows in (1, 5, 100)),
        *((partial(write_arrow, new=new), ArrowTable) for new in (pa.ipc.new_file, pa.ipc.new_stream)),
    ],
    ids=["groups of 1", "groups of 5", "one group", "Arrow file", "Arrow stream"],
)
def test_windows_are_the_same_wherever_reading_begins(
    monkeypatch: pytest.MonkeyPatch, shard_rows: int, write: Callable[..., None], open_table: Callable[..., TableFile]
) -> None:
    monkeypatch.setattr(table_files, "BATCH_ROWS", 4)
    table = pa.table({"text": [f"good {number}" for number in range(23)]})
    file = io.BytesIO()
    write(table, file)

    def make() -> TableSource:
        return TableSource(lambda: open_table(io.BytesIO(file.getvalue())), "in", "a table", SELECTION)

    def facts(start: FileOffset, rows_left: int) -> list[tuple[int, list[object], FileOffset]]:
        found = make().row_batches(start, rows_left, shard_rows)
        return [(row_batch.first_row, list(row_batch.texts), end) for row_batch, end in found]

    whole = facts(make().start, shard_rows)
    assert [text for _, texts, _ in whole for text in texts] == table["text"].to_pylist()
    for number, (_, _, end) in enumerate(whole, 1):
        assert facts(end, shard_rows - (end.row - 1) % shard_rows) == whole[number:]
    assert {end.row - 1 for _, _, end in whole} >= set(range(shard_rows, 23, shard_rows))


@pytest.mark.parametrize("kept", [["n"], [], ["n", "text"]])
def test_some_columns_kept(kept: list[str]) -> None:
    table = pa.table({"text": ["good", "bad"], "label": ["x", "y"], "n": [1, 2]})
    source = source_of(parquet_of(table), Selection("text", ("label",), kept))
    [(row_batch, _)] = source.row_batches(source.start, 10, 10)
    assert row_batch.texts == ["good", "bad"]
    assert row_batch.columns == source.head.columns == kept
    row = {"text": "bad", "label": "y", "n": 2}
    assert row_batch.values([1]) == [{name: row[name] for name in kept}]
    assert row_batch.raw(1) == row


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"id": [1]}, "there is no column 'text'; there are 'id'; --text-column names another$"),
        ({"text": [1]}, "column 'text' holds int64, not text$"),
        ({"text": ["a"], "label": ["b"]}, "there is a column 'label' already, and one is added; give those added a "),
    ],
)
def test_tables_that_cannot_be_scored(table: dict[str, list[object]], message: str) -> None:
    with pytest.raises(DataError, match=f"^in.parquet: {message}"):
        row_batches_of(pa.table(table))


UNREAD: dict[str, pa.Array] = {
    "list_view": pa.array([["a"]], pa.list_view(pa.string())),
    "struct of large_list_view": pa.array([{"x": ["a"]}], pa.struct([("x", pa.large_list_view(pa.string()))])),
    "interval": pa.array([(1, -2, 3)], pa.month_day_nano_interval()),
    "run ends": pa.RunEndEncodedArray.from_arrays([1], ["a"]),
    "union": pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array(["a"])]),
}


@pytest.mark.parametrize("name", UNREAD)
def test_columns_of_rare_types_are_refused_by_name_unless_they_are_left_out(name: str) -> None:
    table = pa.table({"text": ["good"], "id": [1], "rare": UNREAD[name]})
    file = io.BytesIO()
    with pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)

    def source(selection: Selection) -> TableSource:
        return TableSource(lambda: ArrowTable(file), "in.arrow", "Arrow", selection)

    with pytest.raises(DataError) as caught:
        source(SELECTION)
    said = f"in.arrow: column 'rare' holds {UNREAD[name].type}, which is not read; convert it"
    assert str(caught.value) == f"{said}, or name the columns to keep (--columns) without it"
    with pytest.raises(DataError) as caught:
        source(Selection("text", (), ["rare"], whole=False))
    assert str(caught.value) == said
    without = source(Selection("text", (), ["id"]))
    [(row_batch, _)] = without.row_batches(without.start, 10, 10)
    assert (row_batch.values([0]), row_batch.raw(0)) == ([{"id": 1}], {"text": "good", "id": 1})


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"id,text\n1,good\n", "Parquet magic bytes not found"), (b"", "Parquet file size is 0 bytes")],
)
def test_a_file_that_is_not_parquet_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=rf"^in\.parquet: can't be read as Parquet: {reason}"):
        source_of(io.BytesIO(content))


def test_a_file_damaged_within_is_refused() -> None:
    content = bytearray(parquet_of(pa.table({"text": [f"word {number}" for number in range(100_000)]})).getvalue())
    content[2000:3000] = bytes(1000)
    with pytest.raises(DataError, match=r"^in\.parquet: can't be read as Parquet: "):
        list(source_of(io.BytesIO(content)).row_batches(FileOffset(1, 0), 100_000, 100_000))
