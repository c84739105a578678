"""Several files, one after the other."""

import csv
import gzip
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sentiment.classifier import Classifier
from sentiment.errors import DataError
from sentiment.scoring import ScoringSettings, score
from sentiment.scoring.formats.inputs import Inputs
from sentiment.scoring.formats.rows import Selection

SELECTION = Selection("text", ())


def test_files_that_do_not_follow_each_other_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,text\n1,good\n")
    (tmp_path / "b.csv").write_text("text,id\ngood,1\n")
    (tmp_path / "c.txt").write_text("good\n")
    pq.write_table(pa.table({"text": ["a"], "n": pa.array([1], pa.int8())}), tmp_path / "d.parquet")
    pq.write_table(pa.table({"text": ["a"], "n": pa.array([1], pa.int16())}), tmp_path / "e.parquet")
    for first, second, reason in (
        ("a.csv", "b.csv", f"its columns are 'text', 'id', and those of {tmp_path}/a.csv are 'id', 'text'"),
        ("a.csv", "c.txt", f"holds plain lines where {tmp_path}/a.csv holds cells; score them apart"),
        ("d.parquet", "e.parquet", f"its columns have other types than those of {tmp_path}/d.parquet"),
    ):
        with pytest.raises(DataError) as caught:
            Inputs([str(tmp_path / first), str(tmp_path / second)], SELECTION)
        assert str(caught.value) == f"{tmp_path / second}: {reason}"


def test_an_output_that_its_own_job_would_read_is_refused(tiny_classifier: Classifier, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jsonl").write_text('{"text": "good"}\n')
    for name, output, written in (
        ("in", "in/out.csv", "in/out.csv"),
        ("in/*.jsonl", "in/out.jsonl", "in/out.jsonl"),
        ("in/*.jsonl", "in/out.csv", "in/out.csv.rejects.jsonl"),
        ("in", "in/out.csv/", "in/out.csv/part-000000.csv"),
    ):
        with pytest.raises(DataError) as caught:
            score(tiny_classifier, tmp_path / name, f"{tmp_path}/{output}")
        reason = f"{tmp_path}/{name} would take it in as an input, too; write to another folder"
        assert str(caught.value) == f"{tmp_path}/{written}: {reason}"
        assert [path.name for path in folder.iterdir()] == ["a.jsonl"]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_an_empty_first_file_of_json_says_nothing_of_the_columns(
    tiny_classifier: Classifier, tmp_path: Path, suffix: str
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name, content in (("a", ""), ("b", ""), ("c", '{"id": 1, "text": "good"}\n'), ("d", "")):
        (folder / f"{name}.jsonl").write_text(content)
    out = tmp_path / f"out{suffix}"
    summary = score(tiny_classifier, folder, out, ScoringSettings(top_only=True))
    assert (summary.scored, summary.rejected) == (1, 0)
    rows = pq.read_table(out).to_pylist() if suffix == ".parquet" else csv.DictReader(out.read_text().splitlines())
    assert [(str(row["id"]), row["text"]) for row in rows] == [("1", "good")]


def test_a_pipe_with_a_name_is_refused(tiny_classifier: Classifier, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "in.csv")
    with pytest.raises(DataError) as caught:
        score(tiny_classifier, tmp_path / "in.csv", tmp_path / "out.csv")
    reason = "is a pipe or a device, which can't be read again; save it as a file"
    assert str(caught.value) == f"{tmp_path}/in.csv: {reason}"


def write_files(folder: Path) -> list[list[str]]:
    """Three files of 5, 0 and 7 rows, one row of each but the empty one bad."""
    texts = [["good", "bad", "", "film", "a film"], [], ["bad", "good film", "boring", "", "a", "b", "c"]]
    folder.mkdir()
    for number, rows in enumerate(texts):
        content = "".join(json.dumps({"id": f"{number}-{n}", "text": text}) + "\n" for n, text in enumerate(rows))
        if number == 2:
            (folder / "2.jsonl.gz").write_bytes(gzip.compress(content.encode()))
        else:
            (folder / f"{number}.jsonl").write_text(content)
    return texts


@pytest.mark.parametrize("shard_rows", [1, 3, 5, 100])
def test_rows_of_all_files_come_once_and_rejects_name_their_file(
    tiny_classifier: Classifier, tmp_path: Path, shard_rows: int
) -> None:
    texts = write_files(tmp_path / "in")
    settings = ScoringSettings(shard_rows=shard_rows)
    summary = score(tiny_classifier, tmp_path / "in", tmp_path / "out.jsonl", settings)
    assert (summary.rows, summary.scored, summary.rejected) == (12, 10, 2)
    written = [json.loads(line)["id"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert written == [f"{number}-{n}" for number, rows in enumerate(texts) for n, text in enumerate(rows) if text]
    assert summary.rejects_path is not None
    rejects = [json.loads(line) for line in summary.rejects_path.read_text().splitlines()]
    assert [(Path(reject["file"]).name, reject["row"]) for reject in rejects] == [("0.jsonl", 3), ("2.jsonl.gz", 4)]


@pytest.mark.parametrize("suffix", [".csv.gz", ".parquet"])
def test_a_folder_of_parts_has_one_of_each_shard(tiny_classifier: Classifier, tmp_path: Path, suffix: str) -> None:
    write_files(tmp_path / "in")
    target = tmp_path / f"out{suffix}"
    summary = score(tiny_classifier, tmp_path / "in", f"{target}/", ScoringSettings(shard_rows=5))
    assert sorted(path.name for path in target.iterdir()) == [
        "_SUCCESS", f"part-000000{suffix}", f"part-000001{suffix}", f"part-000002{suffix}",
    ]  # fmt: skip
    counts = json.loads((target / "_SUCCESS").read_text())
    assert (counts["rows"], counts["scored"], counts["rejected"]) == (12, 10, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", target.name, f"{target.name}.rejects.jsonl"]
    again = score(tiny_classifier, target, tmp_path / "again.jsonl", ScoringSettings(columns=["id"]))
    assert (again.rows, summary.scored) == (10, 10)
    with pytest.raises(DataError, match="holds files already; remove them, or name another folder"):
        score(tiny_classifier, tmp_path / "in", f"{target}/", ScoringSettings(shard_rows=5))
