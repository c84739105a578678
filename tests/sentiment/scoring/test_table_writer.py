import io
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sentiment.scoring.formats.arrow import writer as table_writer
from sentiment.scoring.formats.arrow.reader import TableRowBatch
from sentiment.scoring.formats.arrow.writer import TableWriter, join_tables
from sentiment.scoring.formats.rows import Row, TextRowBatch, Values

ANSWER = {"label": "positive", "tokens": 3, "probability_positive": 0.75, "truncated": False}
ADDED = {"label": str, "tokens": int, "probability_positive": float, "truncated": bool}


def row_batch_of(*rows: Values) -> TextRowBatch:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    return TextRowBatch(1, [Row(b"", row, None) for row in rows], columns, "text")


def read(file: io.BytesIO) -> pa.Table:
    return pa.ipc.open_stream(file.getvalue()).read_all()


def test_columns_of_a_table_keep_their_types_and_metadata() -> None:
    schema = pa.schema(
        [
            pa.field("id", pa.uint8(), nullable=False, metadata={"unit": "none"}),
            pa.field("text", pa.large_string()),
            pa.field("when", pa.timestamp("ns", "Europe/Berlin")),
            pa.field("price", pa.decimal128(10, 2)),
            pa.field("kind", pa.dictionary(pa.int32(), pa.string())),
            pa.field("tags", pa.list_(pa.struct([("a", pa.float32())]))),
            pa.field("pairs", pa.map_(pa.string(), pa.int16())),
        ],
        metadata={"origin": "test"},
    )
    row = {"id": 1, "text": "a", "when": 1, "price": None, "kind": "x", "tags": [{"a": 0.5}], "pairs": [("k", 1)]}
    batch = pa.RecordBatch.from_pylist([row, {**row, "id": 2}, {**row, "id": 3}], schema)
    file = io.BytesIO()
    row_batch = TableRowBatch(1, batch, "text")
    writer = TableWriter(file, row_batch, ADDED)
    assert writer.write(row_batch, {0: ANSWER, 2: ANSWER}) == {}
    writer.close()
    written = read(file)
    assert written.select(schema.names).schema.equals(schema)
    assert written.schema.metadata[b"origin"] == b"test"
    assert written.schema.field("id").metadata[b"unit"] == b"none"
    assert written.select(schema.names).to_batches()[0].equals(batch.take(pa.array([0, 2])))
    assert written.schema.names[len(schema.names) :] == list(ADDED)
    assert written["label"].to_pylist() == ["positive", "positive"]
    assert written.schema.field("probability_positive").type == pa.float64()


@pytest.mark.parametrize(
    ("values", "kind", "written"),
    [
        (["007", ""], pa.string(), ["007", ""]),
        ([1, None], pa.int64(), [1, None]),
        ([1, 1.5], pa.float64(), [1.0, 1.5]),
        ([True, False], pa.bool_(), [True, False]),
        ([None, None], pa.string(), [None, None]),
        ([1, "x"], pa.string(), ["1", "x"]),
        ([1, True], pa.string(), ["1", "true"]),
        ([[1], {"a": None}], pa.string(), ["[1]", '{"a":null}']),
        ([1 << 63, 1], pa.string(), ["9223372036854775808", "1"]),
        ([1.5, (1 << 53) + 1], pa.string(), ["1.5", "9007199254740993"]),
    ],
)
def test_columns_of_text_files_take_the_type_that_fits_all(
    values: list[Any], kind: pa.DataType, written: list[Any]
) -> None:
    row_batch = row_batch_of(*({"text": "a", "x": value} for value in values))
    file = io.BytesIO()
    writer = TableWriter(file, row_batch, ADDED)
    assert writer.write(row_batch, {0: ANSWER, 1: ANSWER}) == {}
    writer.close()
    assert read(file).schema.field("x").type == kind
    assert read(file)["x"].to_pylist() == written


def test_a_later_row_that_does_not_fit_is_refused_with_its_reason() -> None:
    first = row_batch_of({"text": "a", "n": 1, "ok": True})
    file = io.BytesIO()
    writer = TableWriter(file, first, ADDED)
    later = row_batch_of({"text": "b", "n": 1.5}, {"text": "c", "z": 1}, {"text": "d", "ok": 1}, {"text": "e"})
    assert writer.write(first, {0: ANSWER}) == {}
    assert writer.write(later, dict.fromkeys(range(4), ANSWER)) == {
        0: "'n' is 1.5 where the first rows have int64: write .jsonl to keep it",
        1: "has 'z', which none of the first rows has: write .jsonl to keep it",
        2: "'ok' is 1 where the first rows have bool: write .jsonl to keep it",
    }
    writer.close()
    assert writer.rows == 2
    assert read(file).select(["text", "n", "ok"]).to_pylist() == [
        {"text": "a", "n": 1, "ok": True},
        {"text": "e", "n": None, "ok": None},
    ]


def test_what_json_cannot_write_is_no_text() -> None:
    deep: object = 1
    for _ in range(300):
        deep = [deep]
    first = row_batch_of({"text": "a", "more": {"id": 1}})
    file = io.BytesIO()
    writer = TableWriter(file, first, ADDED)
    assert writer.write(first, {0: ANSWER}) == {}
    assert writer.write(
        row_batch_of({"more": {"id": 1 << 70}}, {"more": deep}, {"more": 1 << 70}), dict.fromkeys(range(3), ANSWER)
    ) == {
        0: "'more' holds what a column of text can't: Integer exceeds 64-bit range",
        1: "'more' holds what a column of text can't: Recursion limit reached",
    }
    writer.close()
    assert read(file)["more"].to_pylist() == ['{"id":1}', str(1 << 70)]


def test_windows_of_all_parts_are_gathered_into_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_writer, "ROW_GROUP_ROWS", 4)
    row_batch = row_batch_of({"text": "a"}, {"text": "b"}, {"text": "c"})
    paths = [tmp_path / "0", tmp_path / "1", tmp_path / "2"]
    for path, row_batches in zip(paths, (1, 0, 2), strict=True):
        with path.open("wb") as file:
            writer = TableWriter(file, row_batch, ADDED)
            for _ in range(row_batches):
                writer.write(row_batch, dict.fromkeys(range(3), ANSWER))
            writer.close()
    joined = io.BytesIO()
    join_tables([partial(path.open, "rb") for path in paths], joined, to_parquet=True)
    metadata = pq.ParquetFile(io.BytesIO(joined.getvalue())).metadata
    assert [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)] == [6, 3]
    assert pq.read_table(io.BytesIO(joined.getvalue()))["text"].to_pylist() == ["a", "b", "c"] * 3


def test_an_arrow_file_has_one_dictionary_for_the_batches_of_all_parts(tmp_path: Path) -> None:
    kinds = (["x", "y"], ["z", "x"], ["y", None])
    for number, values in enumerate(kinds):
        column = pa.array(values).dictionary_encode().cast(pa.dictionary(pa.int8(), pa.string()))
        batch = pa.RecordBatch.from_arrays([pa.array(["a", "b"]), column], ["text", "kind"])
        with (tmp_path / str(number)).open("wb") as file:
            writer = TableWriter(file, TableRowBatch(1, batch, "text"), ADDED)
            writer.write(TableRowBatch(1, batch, "text"), dict.fromkeys(range(2), ANSWER))
            writer.close()
    joined = io.BytesIO()
    join_tables([partial((tmp_path / str(number)).open, "rb") for number in range(3)], joined, to_parquet=False)
    table = pa.ipc.open_file(joined.getvalue()).read_all()
    assert table.schema.field("kind").type == pa.dictionary(pa.int8(), pa.string())
    assert table["kind"].to_pylist() == ["x", "y", "z", "x", "y", None]
    assert table["tokens"].to_pylist() == [3] * 6
