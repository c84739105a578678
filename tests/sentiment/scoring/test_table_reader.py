import datetime
import io
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sentiment.errors import DataError
from sentiment.scoring import table_reader
from sentiment.scoring.table_reader import ParquetInput, TableWindow


def parquet_of(table: pa.Table, **settings: int) -> io.BytesIO:
    file = io.BytesIO()
    pq.write_table(table, file, **settings)
    file.seek(0)
    return file


def windows_of(table: pa.Table, **settings: int) -> list[TableWindow]:
    return list(ParquetInput("in.parquet", parquet_of(table, **settings), "text", ("label",)).windows())


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
    assert [window.first_row for window in windows] == [1, 5, 9]
    assert [text for window in windows for text in window.texts] == table["text"].to_pylist()
    monkeypatch.setattr(table_reader, "WINDOW_BYTES", 1)
    assert len(windows_of(table)) == 10


def test_how_much_is_read() -> None:
    opened = ParquetInput("in.parquet", parquet_of(pa.table({"text": ["a", "b"]})), "text", ())
    assert opened.fraction_read() == 0.0
    list(opened.windows())
    assert opened.fraction_read() == 1.0


def test_a_table_without_rows_is_one_empty_window() -> None:
    [window] = windows_of(pa.table({"id": pa.array([], pa.int8()), "text": pa.array([], pa.string())}))
    assert (list(window.columns), list(window.texts)) == (["id", "text"], [])
    assert window.batch.schema.field("id").type == pa.int8()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"id": [1]}, "in.parquet: there is no column 'text'; there are 'id'"),
        ({"text": [1]}, "in.parquet: column 'text' holds int64, not text"),
        (
            {"text": ["a"], "label": ["b"]},
            "in.parquet: there is a column 'label' already, and one is added; give it another name",
        ),
    ],
)
def test_tables_that_cannot_be_scored(table: dict[str, list[object]], message: str) -> None:
    with pytest.raises(DataError) as caught:
        windows_of(pa.table(table))
    assert str(caught.value) == message


def test_a_file_that_is_not_parquet_is_refused() -> None:
    with pytest.raises(DataError, match=r"^in\.parquet: can't be read as Parquet: Parquet magic bytes not found"):
        ParquetInput("in.parquet", io.BytesIO(b"id,text\n1,good\n"), "text", ())
    with pytest.raises(DataError, match=r"^in\.parquet: can't be read as Parquet: Parquet file size is 0 bytes"):
        ParquetInput("in.parquet", io.BytesIO(b""), "text", ())


def test_a_file_damaged_within_is_refused() -> None:
    content = bytearray(parquet_of(pa.table({"text": [f"word {number}" for number in range(100_000)]})).getvalue())
    content[2000:3000] = bytes(1000)
    with pytest.raises(DataError, match=r"^in\.parquet: can't be read as Parquet: "):
        list(ParquetInput("in.parquet", io.BytesIO(content), "text", ()).windows())
