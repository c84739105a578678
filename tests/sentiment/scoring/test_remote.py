"""Files in a real S3 API on this machine."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import fsspec
import pytest

from sentiment.classifier import Classifier
from sentiment.errors import DataError
from sentiment.scoring import ScoringSettings, score

TENS = ScoringSettings(shard_rows=10)


def write_input(s3: fsspec.AbstractFileSystem, name: str, rows: int) -> None:
    lines = [json.dumps({"id": n, "text": f"good film {n}" if n % 7 else ""}) + "\n" for n in range(rows)]
    content = "".join(lines).encode()
    s3.pipe_file(f"bucket/{name}", gzip.compress(content, mtime=0) if name.endswith(".gz") else content)


def test_objects_are_read_and_written_as_files_are(
    s3: fsspec.AbstractFileSystem, tiny_classifier: Classifier, tmp_path: Path
) -> None:
    for name in ("in/a.jsonl", "in/b.jsonl.gz"):
        write_input(s3, name, 25)
        s3.get_file(f"bucket/{name}", tmp_path / Path(name).name)
    for inputs in (["s3://bucket/in/a.jsonl", "s3://bucket/in/b.jsonl.gz"], ["s3://bucket/in/*"], ["s3://bucket/in"]):
        summary = score(tiny_classifier, inputs, "s3://bucket/out.csv.gz", TENS)
        assert (summary.rows, summary.rejected) == (50, 8)
    local = score(tiny_classifier, [tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz"], tmp_path / "out.csv.gz", TENS)
    assert local.rows == 50
    assert s3.cat_file("bucket/out.csv.gz") == (tmp_path / "out.csv.gz").read_bytes()
    rejects = [json.loads(line) for line in s3.cat_file("bucket/out.csv.gz.rejects.jsonl").splitlines()]
    assert [(reject["file"], reject["row"]) for reject in rejects] == [
        (f"s3://bucket/in/{name}", row) for name in ("a.jsonl", "b.jsonl.gz") for row in (1, 8, 15, 22)
    ]
    assert s3.find("bucket/out.csv.gz.parts") == []


def test_a_folder_of_parts_says_last_that_it_is_whole(
    s3: fsspec.AbstractFileSystem, tiny_classifier: Classifier
) -> None:
    write_input(s3, "in.jsonl", 25)
    score(tiny_classifier, "s3://bucket/in.jsonl", "s3://bucket/parts.parquet/", TENS)
    assert [Path(name).name for name in s3.find("bucket/parts.parquet")] == [
        "_SUCCESS", "part-000000.parquet", "part-000001.parquet", "part-000002.parquet",
    ]  # fmt: skip
    with pytest.raises(DataError, match="holds files already; remove them, or name another folder"):
        score(tiny_classifier, "s3://bucket/in.jsonl", "s3://bucket/parts.parquet/", TENS)


def test_a_killed_job_goes_on_to_the_same_bytes(
    s3: fsspec.AbstractFileSystem, tiny_bundle: Path, tmp_path: Path
) -> None:
    write_input(s3, "long.jsonl.gz", 2_000)
    command = [sys.executable, "-m", "sentiment", "score", "--model", str(tiny_bundle), "--shard-rows", "20"]

    def start(name: str) -> "subprocess.Popen[str]":
        arguments = [*command, "s3://bucket/long.jsonl.gz", f"s3://bucket/{name}"]
        return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    with start("killed.parquet") as process:
        while len(s3.find("bucket/killed.parquet.parts")) < 9 and process.poll() is None:
            time.sleep(0.02)  # a look at the store, not a wait for a time
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert not s3.exists("bucket/killed.parquet")
    with start("killed.parquet") as process:
        out, err = process.communicate(timeout=600)
    assert process.returncode == 1, err  # rows without text are rejected
    assert "rows were done already: gone on after them." in out
    with start("whole.parquet") as process:
        assert "2,000 rows = 1,714 scored + 286 rejected" in process.communicate(timeout=600)[0]
    for suffix in ("", ".rejects.jsonl"):
        assert s3.cat_file(f"bucket/killed.parquet{suffix}") == s3.cat_file(f"bucket/whole.parquet{suffix}")
    assert s3.find("bucket/killed.parquet.parts") == []


def test_what_is_not_there_is_refused_by_name(s3: fsspec.AbstractFileSystem, tiny_classifier: Classifier) -> None:
    for name in ("s3://bucket/gone.csv", "s3://bucket/gone/*.csv"):
        with pytest.raises(DataError, match="there is no such file"):
            score(tiny_classifier, name, "s3://bucket/out.csv")
    with pytest.raises(DataError, match="^s3://nowhere/in.csv: there is no bucket 'nowhere', or it isn't yours to"):
        score(tiny_classifier, "s3://nowhere/in.csv", "s3://bucket/out.csv")
    with pytest.raises(DataError, match="is the input too; give the output another name"):
        score(tiny_classifier, "s3://bucket/in.jsonl", "s3://bucket/in.jsonl")
    with pytest.raises(DataError, match="a web server is read from, not written to"):
        score(tiny_classifier, "s3://bucket/in.jsonl", "https://127.0.0.1/out.csv")
    with pytest.raises(DataError, match="^s3://nowhere/out.csv.*; no row is lost: the same command goes on"):
        score(tiny_classifier, "s3://bucket/in.jsonl", "s3://nowhere/out.csv")
    assert "AWS_ENDPOINT_URL" in os.environ
