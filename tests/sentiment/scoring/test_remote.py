"""Files in a real S3 API on this machine."""

import gzip
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest

from sentiment.classifier import Classifier
from sentiment.errors import DataError
from sentiment.scoring import ScoringSettings, score

TENS = ScoringSettings(shard_rows=10)
KILLED = """
import os, signal, sys
import s3fs
number, puts = int(sys.argv.pop(1)), 0
call_s3 = s3fs.S3FileSystem._call_s3
async def call_s3_or_die(self, method, *arguments, **settings):
    global puts
    puts += method == "put_object"
    if puts == number:
        os.kill(os.getpid(), signal.SIGKILL)
    return await call_s3(self, method, *arguments, **settings)
s3fs.S3FileSystem._call_s3 = call_s3_or_die
from sentiment.cli import main
main()
"""


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
    s3: fsspec.AbstractFileSystem, run_python: Callable[..., Any], tiny_bundle: Path, tiny_classifier: Classifier
) -> None:
    source, target, whole = (f"s3://bucket/{name}" for name in ("long.jsonl.gz", "killed.parquet", "whole.parquet"))
    write_input(s3, "long.jsonl.gz", 30)
    arguments = ["score", "--model", tiny_bundle, "--shard-rows", 10, source, target]
    # A shard is three puts: its rows, its rejects and the checkpoint. Then all rejects are put, then all rows.
    for number, done in ((8, 20), (5, 30)):
        killed = run_python("-c", KILLED, number, *arguments)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert not s3.exists(target)
        assert len(json.loads(s3.cat_file(f"{target}.parts/checkpoint.json"))["shards"]) == done // 10
    resumed = run_python("-m", "sentiment", *arguments)
    assert resumed.returncode == 1, resumed.stderr  # rows without text are rejected
    assert "30 rows were finished earlier." in resumed.stdout
    summary = score(tiny_classifier, source, whole, TENS)
    assert (summary.rows, summary.scored, summary.rejected) == (30, 25, 5)
    for suffix in ("", ".rejects.jsonl"):
        assert s3.cat_file(f"{target}{suffix}") == s3.cat_file(f"{whole}{suffix}")
    assert s3.find(f"{target}.parts") == []


def test_what_is_not_there_is_refused_by_name(s3: fsspec.AbstractFileSystem, tiny_classifier: Classifier) -> None:
    for name in ("s3://bucket/gone.csv", "s3://bucket/gone/*.csv"):
        with pytest.raises(DataError, match="there is no such file"):
            score(tiny_classifier, name, "s3://bucket/out.csv")
    with pytest.raises(DataError, match="^s3://nowhere/in.csv: there is no bucket 'nowhere', or you may not"):
        score(tiny_classifier, "s3://nowhere/in.csv", "s3://bucket/out.csv")
    with pytest.raises(DataError, match="is the input too; give the output another name"):
        score(tiny_classifier, "s3://bucket/in.jsonl", "s3://bucket/in.jsonl")
    with pytest.raises(DataError, match="a web server is read from, not written to"):
        score(tiny_classifier, "s3://bucket/in.jsonl", "https://127.0.0.1/out.csv")
    with pytest.raises(DataError, match="^s3://nowhere/out.csv.*; no row is lost: the same command resumes"):
        score(tiny_classifier, "s3://bucket/in.jsonl", "s3://nowhere/out.csv")
    assert "AWS_ENDPOINT_URL" in os.environ
