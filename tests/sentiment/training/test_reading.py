import gzip
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from sentiment.errors import DataError
from sentiment.training.data.reading import read_labelled, read_texts
from sentiment.training.recipe import Source

ROWS = {"text": ["good", "bad, really", "so-so"], "label": ["positive", "negative", "neutral"]}


def write(path: Path, rows: dict[str, list[object]]) -> Source:
    frame = pl.DataFrame(rows)
    match path.suffix:
        case ".csv":
            frame.write_csv(path)
        case ".tsv":
            frame.write_csv(path, separator="\t")
        case ".jsonl":
            frame.write_ndjson(path)
        case ".parquet":
            frame.write_parquet(path)
        case ".arrow":
            frame.write_ipc(path)
        case ".gz":
            path.write_bytes(gzip.compress(frame.write_csv().encode()))
        case ".zst":
            path.write_bytes(pa.compress(frame.write_csv(separator="\t").encode(), "zstd", asbytes=True))
    return Source(path=path)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet", ".arrow", ".csv.gz", ".tsv.zst"])
def test_formats_hold_the_same_rows(tmp_path: Path, suffix: str) -> None:
    data = read_labelled(write(tmp_path / f"data{suffix}", dict(ROWS)))
    assert (data.texts, data.labels, data.skipped) == (ROWS["text"], ROWS["label"], 0)


def test_whole_numbers_are_labels(tmp_path: Path) -> None:
    assert read_labelled(write(tmp_path / "a.csv", {"text": ["a", "b"], "label": [1, 0]})).labels == ["1", "0"]


def test_whole_numbers_with_a_point_are_labels_unless_they_are_many(tmp_path: Path) -> None:
    few = {"text": ["a", "b"], "label": [1.0, 2.0]}
    assert read_labelled(write(tmp_path / "a.parquet", few)).labels == ["1", "2"]
    assert read_labelled(write(tmp_path / "a.csv", few)).labels == ["1.0", "2.0"]
    many = {"text": ["a"] * 30, "label": [float(row) for row in range(30)]}
    with pytest.raises(DataError, match=r"row 1: the label '0.0' is one of many numbers; labels are names"):
        read_labelled(write(tmp_path / "b.csv", many))


def test_a_mapping_gives_stars_names_and_leaves_rows_out(tmp_path: Path) -> None:
    source = write(tmp_path / "a.csv", {"text": ["a", "b", "c", "d"], "label": [1.0, 4.5, 3.0, 2.0]})
    mapped = read_labelled(source.model_copy(update={"label_mapping": {"1-2": "bad", "3": "", "4-5": "good"}}))
    assert (mapped.texts, mapped.labels) == (["a", "b", "d"], ["bad", "good", "bad"])


def test_where_keeps_rows(tmp_path: Path) -> None:
    source = write(tmp_path / "a.csv", {**ROWS, "side": ["x", "y", "x"]})
    assert read_labelled(source.model_copy(update={"where": {"side": "x"}})).texts == ["good", "so-so"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"text": ["a"], "lable": ["x"]}, "there is no column 'label'; there are 'text', 'lable'"),
        ({"text": [1, 2], "label": ["x", "y"]}, "column 'text' holds int64, not text"),
        (
            {"text": ["a", "b"], "label": [1.0, 0.5]},
            r"row 2: the label '0.5' is a fraction; labels are names: give .* with --labels '1-2=negative,",
        ),
        ({"text": ["a", "b"], "label": [["x"], ["y"]]}, r"row 1 holds list in column 'label', not a name or a number"),
        ({"text": ["a", "b"], "label": [b"x", b"y"]}, "row 1 holds bytes in column 'label'"),
        (
            {"text": ["a", "b"], "label": ["x", None]},
            r"a\.parquet: row 2 has no label; mend or remove it, or leave it out with --skip-bad-rows$",
        ),
        ({"text": ["a", "b"], "label": [1.0, float("nan")]}, r"row 2 has no label"),
        ({"text": ["a", "b", "c"], "label": ["NaN", "x", ""]}, r"row 1 has no label, the first of 2 bad rows; mend"),
        ({"text": ["a", " ", None], "label": ["x"] * 3}, r"row 2 has no text, the first of 2 rows without text; mend"),
        ({"text": ["&nbsp;"] * 9, "label": ["x"] * 9}, r"row 1 has no text, the first of 9 rows without text"),
    ],
)
def test_refusals_say_what_to_mend(tmp_path: Path, rows: dict[str, list[object]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_labelled(write(tmp_path / "a.parquet", rows))


def test_rows_without_text_are_counted_when_skipped(tmp_path: Path) -> None:
    source = write(tmp_path / "a.parquet", {"text": ["a", " ", None], "label": ["x", "y", "z"]})
    data = read_labelled(source, skip_empty=True)
    assert (data.texts, data.labels, data.skipped) == (["a"], ["x"], 2)
    rows = {"text": ["a", None, "b"], "label": ["1", None, "5"], "stars": [1, None, 5]}
    source = write(tmp_path / "c.parquet", rows)
    data = read_labelled(source, skip_empty=True, columns=["stars"])
    assert (data.labels, data.skipped, data.columns) == (["1", "5"], 1, {"stars": ["1", "5"]})
    assert read_labelled(source, skip_empty=True, task="regression").values == [1.0, 5.0]
    mapped = source.model_copy(update={"label_mapping": {"1": "bad", "5": "good"}})
    assert read_labelled(mapped, skip_empty=True).labels == ["bad", "good"]
    with pytest.raises(DataError, match="there is no row with text"):
        read_labelled(write(tmp_path / "b.parquet", {"text": [" "], "label": ["x"]}), skip_empty=True)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.csv: there is no such file"):
        read_labelled(Source(path=tmp_path / "gone.csv"))
    with pytest.raises(DataError, match=r"a\.xlsx: the suffix says the format, and training reads \.csv, \.tsv"):
        read_labelled(Source(path=tmp_path / "a.xlsx"))


def test_other_columns_come_along_as_text(tmp_path: Path) -> None:
    rows = {"text": ["good", " ", "bad"], "label": ["x", "x", "y"], "stars": [5, 3, None]}
    source = write(tmp_path / "d.parquet", rows)
    assert read_labelled(source, skip_empty=True, columns=["stars"]).columns == {"stars": ["5", ""]}
    with pytest.raises(DataError, match="there is no column 'shop'; there are 'text', 'label', 'stars'"):
        read_labelled(source, columns=["shop"])
    tagged = write(tmp_path / "e.parquet", {"text": ["good"], "label": ["x"], "tags": [["a", "b"]]})
    reason = r"e\.parquet: row 1 holds list in column 'tags', not a name or a number"
    with pytest.raises(DataError, match=reason):
        read_labelled(tagged, columns=["tags"])
    with pytest.raises(DataError, match=reason):
        read_labelled(tagged.model_copy(update={"where": {"tags": "a"}}))


def test_texts_without_labels_are_read_once_each(tmp_path: Path) -> None:
    source = write(tmp_path / "u.parquet", {"text": ["good", None, " ", "bad", "good"], "stars": [1, 2, 3, 4, 5]})
    assert read_texts(source) == ["good", "bad"]
    with pytest.raises(DataError, match=r"u\.parquet: column 'stars' holds int64, not text"):
        read_texts(Source(path=source.path, text_column="stars"))
    with pytest.raises(DataError, match=r"there is no column 'review'; there are 'text', 'stars'"):
        read_texts(Source(path=source.path, text_column="review"))
