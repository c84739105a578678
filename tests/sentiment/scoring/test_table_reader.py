import datetime
import io
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sentiment.errors import DataError
from sentiment.scoring import table_reader
from sentiment.scoring.rows import Position, Selection
from sentiment.scoring.table_reader import TableSource, TableWindow

SELECTION = Selection("text", ("label",))


def parquet_of(table: pa.Table, **settings: int) -> io.BytesIO:
    file = io.BytesIO()
    pq.write_table(table, file, **settings)
    file.seek(0)
    return file


def windows_of(table: pa.Table, **settings: int) -> list[TableWindow]:
    source = TableSource(parquet_of(table, **settings), "in.parquet", SELECTION)
    return [window for window, _ in source.windows(source.start, 1 << 30)]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_text_of_every_arrow_kind(kind: pa.DataType) -> None:
    [window] = windows_of(pa.table({"text": pa.array(["good", None, "café"], kind)}))
    assert window.texts == ["good", None, "café"]
    assert window.batch.schema.field("text").type == kind


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
    [window] = windows_of(table)
    assert window.values([0]) == [
        {
            "text": "good",
            "when": "2024-01-02 03:04:05.000000000Z",
            "price": "1.50",
            "raw": b"\xff",
            "nested": [{"day": "2024-01-02", "n": 1}],
            "n": 7,
        }
    ]
    assert window.raw(0) == window.values([0])[0]
    assert window.json_objects([0])[0].endswith(
        b'"price":"1.50","raw":"/w==","nested":[{"day":"2024-01-02","n":1}],"n":7}'
    )


def test_text_that_is_not_utf8_is_a_fault_and_kept_as_bytes() -> None:
    texts = pa.array([b"good", b"caf\xe9"], pa.binary()).view(pa.string())
    [window] = windows_of(pa.table({"text": texts, "note": texts}))
    assert window.faults == {1: "its text is not UTF-8"}
    assert window.raw(1) == {"text": b"caf\xe9", "note": b"caf\xe9"}


def test_windows_are_bounded_by_rows_and_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    table = pa.table({"text": [f"good {number}" for number in range(10)]})
    monkeypatch.setattr(table_reader, "WINDOW_ROWS", 4)
    windows = windows_of(table, row_group_size=5)
    assert [window.first_row for window in windows] == [1, 5, 6, 10]
    assert [text for window in windows for text in window.texts] == table["text"].to_pylist()
    monkeypatch.setattr(table_reader, "WINDOW_BYTES", 1)
    assert len(windows_of(table)) == 10


@pytest.mark.parametrize("shard_rows", [1, 3, 4, 7, 100])
@pytest.mark.parametrize("row_group_size", [1, 5, 100])
def test_windows_are_the_same_wherever_reading_begins(
    monkeypatch: pytest.MonkeyPatch, shard_rows: int, row_group_size: int
) -> None:
    monkeypatch.setattr(table_reader, "WINDOW_ROWS", 4)
    table = pa.table({"text": [f"good {number}" for number in range(23)]})
    file = parquet_of(table, row_group_size=row_group_size)
    kept_open = TableSource(file, "in.parquet", SELECTION)
    position, texts = kept_open.start, []
    while not kept_open.is_end(position):
        new = TableSource(io.BytesIO(file.getvalue()), "in.parquet", SELECTION)
        windows = list(kept_open.windows(position, shard_rows))
        resumed = list(new.windows(position, shard_rows))
        assert [(window.first_row, window.texts, end) for window, end in windows] == [
            (window.first_row, window.texts, end) for window, end in resumed
        ]
        texts += [text for window, _ in windows for text in window.texts]
        position = windows[-1][1]
    assert texts == table["text"].to_pylist()
    assert position == Position(24, 0)
    assert [kept_open.fraction(Position(row, 0)) for row in (1, 24)] == [0.0, 1.0]


def test_a_table_without_rows_has_a_head_and_no_window() -> None:
    table = pa.table({"id": pa.array([], pa.int8()), "text": pa.array([], pa.string())})
    source = TableSource(parquet_of(table), "in.parquet", SELECTION)
    assert list(source.windows(source.start, 10)) == []
    assert (list(source.head.columns), list(source.head.texts)) == (["id", "text"], [])
    assert source.head.batch.schema.field("id").type == pa.int8()
    assert source.is_end(source.start)


@pytest.mark.parametrize("kept", [["n"], [], ["n", "text"]])
def test_some_columns_kept(kept: list[str]) -> None:
    table = pa.table({"text": ["good", "bad"], "label": ["x", "y"], "n": [1, 2]})
    source = TableSource(parquet_of(table), "in.parquet", Selection("text", ("label",), kept))
    [(window, _)] = source.windows(source.start, 10)
    assert window.texts == ["good", "bad"]
    assert window.columns == source.head.columns == kept
    row = {"text": "bad", "label": "y", "n": 2}
    assert window.values([1]) == [{name: row[name] for name in kept}]
    assert window.raw(1) == row


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"id": [1]}, "in.parquet: there is no column 'text'; there are 'id'"),
        ({"text": [1]}, "in.parquet: column 'text' holds int64, not text"),
        (
            {"text": ["a"], "label": ["b"]},
            "in.parquet: there is a column 'label' already, and one is added; "
            "rename it, or name the columns to keep (--columns) without it",
        ),
    ],
)
def test_tables_that_cannot_be_scored(table: dict[str, list[object]], message: str) -> None:
    with pytest.raises(DataError) as caught:
        windows_of(pa.table(table))
    assert str(caught.value) == message


def test_a_file_that_is_not_parquet_is_refused() -> None:
    with pytest.raises(DataError, match=r"^in\.parquet: can't be read as Parquet: Parquet magic bytes not found"):
        TableSource(io.BytesIO(b"id,text\n1,good\n"), "in.parquet", SELECTION)
    with pytest.raises(DataError, match=r"^in\.parquet: can't be read as Parquet: Parquet file size is 0 bytes"):
        TableSource(io.BytesIO(b""), "in.parquet", SELECTION)


def test_a_file_damaged_within_is_refused() -> None:
    content = bytearray(parquet_of(pa.table({"text": [f"word {number}" for number in range(100_000)]})).getvalue())
    content[2000:3000] = bytes(1000)
    with pytest.raises(DataError, match=r"^in\.parquet: can't be read as Parquet: "):
        list(TableSource(io.BytesIO(content), "in.parquet", SELECTION).windows(Position(1, 0), 100_000))
