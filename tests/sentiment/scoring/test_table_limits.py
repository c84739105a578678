"""Columns of odd types through whole jobs: they end right, or are refused by name before the first row."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from sentiment.classifier import Classifier
from sentiment.errors import DataError
from sentiment.scoring import ScoringSettings, score
from sentiment.scoring.formats.arrow.dictionaries import without_views
from tests.sentiment.scoring.test_table_values import COLUMNS, encoded


def write_arrow(path: Path, *columns: pa.Array) -> None:
    table = pa.table({"text": ["good"] * len(columns[0]), **{f"x{n}": column for n, column in enumerate(columns)}})
    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)


def read(path: Path) -> pa.Table:
    return pq.read_table(path) if path.suffix == ".parquet" else feather.read_table(path)


@pytest.mark.parametrize("name", COLUMNS)
def test_an_arrow_column_ends_in_any_format_or_is_refused_by_name(
    tiny_classifier: Classifier, tmp_path: Path, name: str
) -> None:
    column, values = COLUMNS[name]
    source = tmp_path / "in.arrow"
    write_arrow(source, column)
    for suffix in (".arrow", ".csv", ".jsonl"):
        assert score(tiny_classifier, source, tmp_path / f"out{suffix}").scored == len(column)
    written = read(tmp_path / "out.arrow")["x0"].chunk(0)
    assert written.type == without_views(pa.field("x0", column.type)).type
    in_json = json.loads(json.dumps(values, default=lambda cell: "Y2Fm6Q==" if cell == b"caf\xe9" else "/w=="))
    rows = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert [row["x0"] for row in rows] == in_json
    if name == "struct of nothing":
        with pytest.raises(DataError) as caught:
            score(tiny_classifier, source, tmp_path / "out.parquet")
        remedy = "write .arrow, or name the columns to keep (--columns) without it"
        assert str(caught.value) == f"{tmp_path}/out.parquet: Parquet can't hold column 'x0', {column.type}; {remedy}"
        assert sorted(path.name for path in tmp_path.glob("out.parquet*")) == []
        return
    summary = score(tiny_classifier, source, tmp_path / "out.parquet")
    unwritable = [None, b"caf\xe9"].index(values[0]) if name == "dictionary, not UTF-8" else 0
    assert (summary.scored, summary.rejected) == (len(column) - unwritable, unwritable)
    assert pq.ParquetFile(tmp_path / "out.parquet").read().num_rows == len(column) - unwritable


def test_values_that_parquet_cannot_hold_are_rejected_with_their_reason(
    tiny_classifier: Classifier, tmp_path: Path
) -> None:
    far = pa.array([1, -(1 << 62), 2], pa.timestamp("s"))
    write_arrow(tmp_path / "in.arrow", far, encoded(COLUMNS["list, not UTF-8"][0].flatten()))
    summary = score(tiny_classifier, tmp_path / "in.arrow", tmp_path / "out.parquet")
    assert summary.rejects_path is not None
    rejects = [json.loads(line) for line in Path(summary.rejects_path).read_text().splitlines()]
    remedy = "write .arrow or .jsonl to keep it"
    assert [(reject["row"], reject["reason"]) for reject in rejects] == [
        (1, f"'x1' is not UTF-8, and Parquet's dictionaries hold nothing else: {remedy}"),
        (2, f"'x0' is too far from 1970 for Parquet's milliseconds: {remedy}"),
    ]
    table = pq.ParquetFile(tmp_path / "out.parquet").read()
    assert table["x0"].cast(pa.int64()).to_pylist() == [2000]
    assert table["x1"].to_pylist() == [None]


def test_a_dictionary_within_another_type_is_no_column_of_an_arrow_file(
    tiny_classifier: Classifier, tmp_path: Path
) -> None:
    column = pa.StructArray.from_arrays([pa.array(["x", "y"]).dictionary_encode()], names=["k"])
    write_arrow(tmp_path / "in.arrow", column)
    with pytest.raises(
        DataError, match=r"out.arrow: Arrow can't hold column 'x0', struct<k: dictionary<.*>>: a dictio"
    ):
        score(tiny_classifier, tmp_path / "in.arrow", tmp_path / "out.arrow")
    score(tiny_classifier, tmp_path / "in.arrow", tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet")["x0"].to_pylist() == [{"k": "x"}, {"k": "y"}]


@pytest.mark.parametrize("suffix", [".arrow", ".parquet"])
@pytest.mark.parametrize(
    "values", [pa.array([["a"], ["b"]]), pa.array([b"a", b"b"], pa.binary_view())], ids=["lists", "views"]
)
def test_a_dictionary_of_more_than_plain_values_is_refused_before_the_first_row(
    tiny_classifier: Classifier, tmp_path: Path, values: pa.Array, suffix: str
) -> None:
    column = encoded(values)
    write_arrow(tmp_path / "in.arrow", column)
    with pytest.raises(
        DataError, match=rf"out\{suffix}: \w+ can't hold column 'x0', dictionary<.*write \.jsonl, or name"
    ):
        score(tiny_classifier, tmp_path / "in.arrow", tmp_path / f"out{suffix}")
    assert score(tiny_classifier, tmp_path / "in.arrow", tmp_path / "out.jsonl").scored == len(column)


@pytest.mark.parametrize("suffix", [".arrow", ".parquet"])
def test_categories_of_many_files_are_more_than_each_could_count(
    tiny_classifier: Classifier, tmp_path: Path, suffix: str
) -> None:
    kind = pa.dictionary(pa.int8(), pa.string())
    (tmp_path / "in").mkdir()
    for number in range(2):
        names = pa.array([f"{number}-{n}" for n in range(100)]).dictionary_encode().cast(kind)
        pq.write_table(pa.table({"text": ["good"] * 100, "kind": names}), tmp_path / f"in/{number}.parquet")
    score(tiny_classifier, tmp_path / "in", tmp_path / f"out{suffix}", ScoringSettings(shard_rows=50))
    table = read(tmp_path / f"out{suffix}")
    assert table["kind"].to_pylist() == [f"{number}-{n}" for number in range(2) for n in range(100)]
    assert table.schema.field("kind").type == pa.dictionary(pa.int32(), pa.string())


@pytest.mark.parametrize("row_groups", [0, 2])
@pytest.mark.parametrize("suffix", [".arrow", ".parquet", ".csv", ".jsonl"])
def test_a_file_without_rows_has_an_output_without_rows(
    tiny_classifier: Classifier, tmp_path: Path, suffix: str, row_groups: int
) -> None:
    schema = pa.schema([("text", pa.string()), ("when", pa.dictionary(pa.int8(), pa.date32()))])
    with pq.ParquetWriter(tmp_path / "in.parquet", schema) as writer:
        for _ in range(row_groups):
            writer.write_table(schema.empty_table())
    assert score(tiny_classifier, tmp_path / "in.parquet", tmp_path / f"out{suffix}").rows == 0
    if suffix in (".arrow", ".parquet"):
        table = read(tmp_path / f"out{suffix}")
        assert (table.num_rows, table.schema.names[:3]) == (0, ["text", "when", "label"])
