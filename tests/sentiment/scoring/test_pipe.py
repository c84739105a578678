"""The command between two pipes, as in a shell.

Two tests start an interpreter of their own, whose standard streams are as a user's. The others fork a warm one.
"""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Any

import pytest

from sentiment.classifier import Classifier
from sentiment.scoring import score

Start = Callable[..., Any]


@pytest.fixture(autouse=True)
def buffered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a new interpreter buffer what it writes, as a user's does."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)


@pytest.fixture
def start(start_python: Start, tiny_bundle: Path) -> Start:
    return partial(start_python, "-m", "sentiment", "score", "--model", tiny_bundle)


def write(stream: IO[bytes], content: bytes) -> None:
    stream.write(content)
    stream.flush()


def read_line(stream: IO[bytes]) -> Any:
    assert select.select([stream], [], [], 100)[0], "the line is held back"
    return json.loads(stream.readline())


def test_a_line_is_answered_before_the_next_one_comes(tiny_bundle: Path, tiny_classifier: Classifier) -> None:
    command = [sys.executable, "-m", "sentiment", "score", "--model", str(tiny_bundle), "-", "-", "--top-only"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        for text in ("good", "a bad film", "zyzzyva"):
            write(process.stdin, text.encode() + b"\n")
            answer = read_line(process.stdout)
            [expected] = tiny_classifier.predict([text])
            assert (answer["text"], answer["label"]) == (text, expected.label)
        write(process.stdin, b"caf\xe9\n")
        assert read_line(process.stderr) == {
            "row": 4, "offset": 24, "reason": "is not UTF-8: byte 0xe9", "raw_base64": "Y2Fm6Q==",
        }  # fmt: skip
        out, err = process.communicate(b"the last\nand no line end", 100)
    assert [json.loads(line)["text"] for line in out.splitlines()] == ["the last", "and no line end"]
    assert err == b""
    assert process.returncode == 1


def test_json_lines_are_seen_for_what_they_are(start: Start) -> None:
    lines = b'{"id": 1.50, "review": "good"}\n{"id": 2}\n{\n{"id": 3, "review": "bad"}\n'
    with start("-", "-", "--text-column", "review", "--top-only") as process:
        out, err = process.communicate(lines)
    assert out.startswith(b'{"id": 1.50, "review": "good","label":')
    assert [json.loads(line)["id"] for line in out.splitlines()] == [1.5, 3]
    rejects = [json.loads(line) for line in err.splitlines()]
    assert [(reject["row"], reject["offset"]) for reject in rejects] == [(2, 31), (3, 41)]
    assert process.returncode == 1


def test_head_in_a_shell(tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("text\n" + "a good film\n" * 30_000)
    command = f"{sys.executable} -m sentiment score --model {tiny_bundle} {tmp_path}/in.csv - | head -2"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, timeout=600, check=False)
    assert done.stdout.count(b"\n") == 2
    assert done.stderr == b""
    assert done.returncode == 128 + signal.SIGPIPE


@pytest.mark.parametrize("options", [["--json"], []])
@pytest.mark.parametrize("reader", ["that leaves", "that is full"])
def test_a_reader_of_progress_stops_no_job(
    start: Start, tmp_path: Path, tiny_classifier: Classifier, reader: str, options: list[str]
) -> None:
    (tmp_path / "in.csv").write_text("text\n" + "a good film\n" * 5_000)
    arguments = [tmp_path / "in.csv", tmp_path / "out.csv", "--shard-rows", 1_000, *options]
    with open("/dev/full", "wb") as full:
        stdout = full.fileno() if reader == "that is full" else subprocess.PIPE
        with start(*arguments, stdout=stdout) as process:
            if process.stdout is not None:
                process.stdout.close()
            assert process.stderr.read() == b""
            assert process.wait() == 0
    score(tiny_classifier, tmp_path / "in.csv", tmp_path / "expected.csv")
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "expected.csv").read_bytes()


def test_a_pipe_that_is_full_is_one_line(start: Start) -> None:
    with open("/dev/full", "wb") as full, start("-", "-", stdout=full.fileno()) as process:
        _, err = process.communicate(b"good\n")
    message = "No space left on device; the output is incomplete; run it again"
    assert err.decode() == f"error: -: {message}\n"
    assert process.returncode == 2


@pytest.mark.parametrize(("stream", "name"), [("stdin", "input"), ("stdout", "output")])
def test_a_stream_that_is_closed_is_one_line(start: Start, stream: str, name: str) -> None:
    with start("-", "-", **{stream: None}) as process:
        _, err = process.communicate(b"good\n")
    assert err.decode() == f"error: -: standard {name} is closed; rows come and go through it\n"
    assert process.returncode == 2


def test_two_jobs_of_one_output_at_once_end_in_one_whole_output(start: Start, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("text\n" + "a good film\n" * 10_000)
    arguments = [tmp_path / "in.csv", tmp_path / "out.csv", "--shard-rows", 500]
    outcomes = []
    with start(*arguments) as first, start(*arguments) as second:
        for job in (first, second):
            _, err = job.communicate()
            outcomes.append((job.returncode, err.decode()))
    # The second is refused, or came when the first was done.
    refusal = f"error: {tmp_path}/out.csv.parts: is in use by another job; wait, or name another output\n"
    assert (0, "") in outcomes
    assert set(outcomes) <= {(0, ""), (2, refusal)}
    assert (tmp_path / "out.csv").read_bytes().count(b"\n") == 10_001
    assert sorted(os.listdir(tmp_path)) == ["in.csv", "out.csv"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-", "out.csv"], "-: what comes through a pipe can't be gone on from; write to -, and redirect that"),
        (["-", "a.csv", "-"], "-: standard input is read alone, not beside files"),
        (["a.csv"], "give an input and an output, as in: sentiment score comments.csv scored.csv"),
        (
            ["-", "-", "--text-column", "label"],
            "-: there is a column 'label' already, and one is added; give those added a --prefix, as predicted_, or "
            "name the columns to keep (--columns) without it",
        ),
    ],
)
def test_standard_input_is_read_alone_into_standard_output_with_a_column_of_its_own(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with start(*arguments) as process:
        out, err = process.communicate(b"good\n")
    assert (out, err.decode()) == (b"", f"error: {message}\n")
    assert process.returncode == 2
    assert os.listdir(tmp_path) == []


def test_files_into_a_pipe_name_theirs_in_what_is_put_aside(start: Start, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.jsonl").write_text('{"text": "good"}\n{"text": null}\n')
    with start(tmp_path / "a.jsonl", tmp_path / "b.jsonl", "-", "--top-only") as process:
        out, err = process.communicate()
    assert out.count(b"\n") == 2
    assert [json.loads(line)["file"] for line in err.splitlines()] == [f"{tmp_path}/{name}.jsonl" for name in "ab"]
    assert process.returncode == 1
