"""Resume jobs that were stopped in every way."""

import gzip
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import sentiment
from sentiment import bundle as bundles
from sentiment.classifier import Classifier
from sentiment.errors import CheckpointError, ConfigError, DataError
from sentiment.scoring import Progress, ScoringSettings, score
from sentiment.scoring.errors import RejectLimitError
from sentiment.scoring.formats.arrow import files as table_files
from sentiment.scoring.formats.text import readers as text_readers
from sentiment.scoring.resume import fingerprint
from sentiment.scoring.resume.parts import PartsFolder
from sentiment.storage.files import hash_file

ROWS = 40
TENS = ScoringSettings(shard_rows=10)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps({"id": n, "text": f"good film {n}"}) + "\n" for n in range(ROWS)))
    return path


def stop_after(rows: int) -> Callable[[Progress], None]:
    def stop(progress: Progress) -> None:
        if progress.rows > rows:
            raise KeyboardInterrupt

    return stop


def begin(classifier: Classifier, source: Path, target: Path, **settings: Any) -> Path:
    """The parts folder of a job that was stopped in its third shard of ten rows."""
    with pytest.raises(KeyboardInterrupt):
        score(classifier, source, target, ScoringSettings(**{"shard_rows": 10, **settings}), stop_after(20))
    return target.with_name(f"{target.name}.parts")


def test_the_checkpoint_says_what_is_done(tiny_classifier: Classifier, source: Path, tmp_path: Path) -> None:
    folder = begin(tiny_classifier, source, tmp_path / "out.jsonl")
    assert sorted(path.name for path in folder.iterdir()) == ["000000.rows", "000001.rows", "checkpoint.json"]
    checkpoint = json.loads((folder / "checkpoint.json").read_text())
    lines = source.read_bytes().splitlines(keepends=True)
    assert checkpoint["identity"]["inputs"] == [str(source)]
    assert checkpoint["identity"][f"size of {source}"] == source.stat().st_size
    assert checkpoint["identity"][f"sha256 of {source}"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert checkpoint["identity"]["model version"] == tiny_classifier.version
    assert [(shard["rows"], shard["scored"], shard["rejected"]) for shard in checkpoint["shards"]] == [(10, 10, 0)] * 2
    assert [shard["end"] for shard in checkpoint["shards"]] == [
        [10, 0, [11, len(b"".join(lines[:10]))]],
        [20, 0, [21, len(b"".join(lines[:20]))]],
    ]
    assert checkpoint["shards"][0]["output"]["size"] == (folder / "000000.rows").stat().st_size
    assert sum(checkpoint["tally"]["labels"].values()) == 20


def test_the_summary_is_of_the_whole_job(tiny_classifier: Classifier, source: Path, tmp_path: Path) -> None:
    begin(tiny_classifier, source, tmp_path / "out.jsonl")
    gone_on = score(tiny_classifier, source, tmp_path / "out.jsonl", TENS)
    whole = score(tiny_classifier, source, tmp_path / "whole.jsonl", TENS)
    assert (gone_on.resumed, whole.resumed) == (20, 0)
    for name in ("rows", "scored", "rejected", "labels", "tokens", "unknown_tokens", "truncated"):
        assert getattr(gone_on, name) == getattr(whole, name)
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl", "whole.jsonl"]


@pytest.mark.parametrize(
    ("settings", "change"),
    [
        ({"columns": ["id"]}, "columns was None, now ['id']"),
        ({"top_only": True}, "top only was False, now True"),
        ({"shard_rows": 11}, "shard rows was 10, now 11"),
    ],
)
def test_another_setting_is_refused_by_name(
    tiny_classifier: Classifier, source: Path, tmp_path: Path, settings: dict[str, Any], change: str
) -> None:
    folder = begin(tiny_classifier, source, tmp_path / "out.jsonl")
    other = ScoringSettings(**{"shard_rows": 10, **settings})
    with pytest.raises(CheckpointError) as caught:
        score(tiny_classifier, source, tmp_path / "out.jsonl", other)
    what_to_do = "Give the same again to resume, or --restart to drop what is done and start again"
    assert str(caught.value) == f"{folder}: is of another job: {change}. {what_to_do}"
    restarted = score(tiny_classifier, source, tmp_path / "out.jsonl", other, restart=True)
    assert (restarted.rows, restarted.resumed) == (ROWS, 0)
    assert not folder.exists()


def test_another_model_precision_or_input_is_refused_by_name(
    tiny_classifier: Classifier, tiny_bundle: Path, source: Path, tmp_path: Path, make_bundle: Callable[..., Any]
) -> None:
    begin(tiny_classifier, source, tmp_path / "out.jsonl")
    other = sentiment.load(tiny_bundle, dtype="bfloat16")
    with pytest.raises(CheckpointError, match="job: precision was 'float32', now 'bfloat16'. Give"):
        score(other, source, tmp_path / "out.jsonl", TENS)
    version = bundles.save(make_bundle(seed=1), tmp_path / "other")
    with pytest.raises(CheckpointError, match=f"model version was '{tiny_classifier.version}', now '{version}'. Give"):
        score(sentiment.load(tmp_path / "other"), source, tmp_path / "out.jsonl", TENS)
    size = source.stat().st_size
    source.write_bytes(source.read_bytes() + b'{"text": "more"}\n')
    with pytest.raises(CheckpointError, match=f"size of {source} was {size}, now {size + 17}; sha256 of "):
        score(tiny_classifier, source, tmp_path / "out.jsonl", TENS)


def change_in_the_middle(source: Path) -> None:
    """One letter of it, with all else set back that a user can set back."""
    before = source.stat()
    content = source.read_bytes()
    assert content.count(b"film 20") == 1
    with source.open("r+b") as file:
        file.seek(content.index(b"film 20"))
        file.write(b"fill")
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = source.stat()
    assert (after.st_size, after.st_mtime_ns, after.st_ino) == (before.st_size, before.st_mtime_ns, before.st_ino)


def test_a_change_in_the_middle_is_seen_whatever_size_and_time_say(
    tiny_classifier: Classifier, source: Path, tmp_path: Path
) -> None:
    begin(tiny_classifier, source, tmp_path / "out.jsonl")
    change_in_the_middle(source)
    with pytest.raises(
        CheckpointError, match=f"of another job: sha256 of {source} was '[0-9a-f]+', now '[0-9a-f]+'. G"
    ):
        score(tiny_classifier, source, tmp_path / "out.jsonl", TENS)

    def change(progress: Progress) -> None:
        if progress.rows == 30:
            change_in_the_middle(source)

    source.write_bytes(source.read_bytes().replace(b"fill", b"film"))
    with pytest.raises(DataError, match=f"the input was changed while it was read .sha256 of {source}.; no output"):
        score(tiny_classifier, source, tmp_path / "out.jsonl", TENS, change)
    assert not (tmp_path / "out.jsonl").exists()


def test_an_input_that_holds_the_same_is_gone_on_from_and_read_once_more_only_if_it_was_touched(
    tiny_classifier: Classifier, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def counting(file: BinaryIO) -> tuple[int, str]:
        read.append(file.name)
        return hash_file(file)

    begin(tiny_classifier, source, tmp_path / "out.jsonl")
    monkeypatch.setattr(fingerprint, "hash_file", counting)
    assert score(tiny_classifier, source, tmp_path / "out.jsonl", TENS).resumed == 20
    assert read == []
    expected = (tmp_path / "out.jsonl").read_bytes()

    begin(tiny_classifier, source, tmp_path / "out.jsonl")
    copy = tmp_path / "copy"
    shutil.copyfile(source, copy)  # as a restore from a backup would
    copy.replace(source)
    read.clear()
    assert score(tiny_classifier, source, tmp_path / "out.jsonl", TENS).resumed == 20
    assert read == [str(source)]
    assert (tmp_path / "out.jsonl").read_bytes() == expected


def test_an_altered_part_or_checkpoint_is_refused(tiny_classifier: Classifier, source: Path, tmp_path: Path) -> None:
    folder = begin(tiny_classifier, source, tmp_path / "out.jsonl")
    part = folder / "000001.rows"
    part.write_bytes(part.read_bytes().replace(b"film 15", b"film 16"))
    with pytest.raises(CheckpointError, match="000001.rows: was altered: has .* bytes, SHA-256 "):
        score(tiny_classifier, source, tmp_path / "out.jsonl", TENS)
    part.unlink()
    with pytest.raises(CheckpointError, match="000001.rows: is gone; --restart starts again"):
        score(tiny_classifier, source, tmp_path / "out.jsonl", TENS)
    (folder / "checkpoint.json").write_text("{}")
    with pytest.raises(CheckpointError, match="checkpoint.json: can't be read .KeyError.'format_version'"):
        score(tiny_classifier, source, tmp_path / "out.jsonl", TENS)


def test_a_folder_of_other_things_is_not_touched(tiny_classifier: Classifier, source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out.jsonl.parts"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    for restart in (False, True):
        with pytest.raises(CheckpointError, match="holds 'thesis.txt', which is no part of a job; move it away"):
            score(tiny_classifier, source, tmp_path / "out.jsonl", restart=restart)
    assert (folder / "thesis.txt").read_text() == "years of work"


def test_two_jobs_cannot_write_one_output(tiny_classifier: Classifier, source: Path, tmp_path: Path) -> None:
    with (
        PartsFolder(tmp_path / "out.jsonl"),
        pytest.raises(CheckpointError, match="is in use by another job; wait, or name another output"),
    ):
        score(tiny_classifier, source, tmp_path / "out.jsonl")


@pytest.mark.parametrize(("first", "then"), [("", "/"), ("/", "")])
def test_parts_of_a_folder_are_no_parts_of_a_file(
    tiny_classifier: Classifier, source: Path, tmp_path: Path, first: str, then: str
) -> None:
    with pytest.raises(KeyboardInterrupt):
        score(tiny_classifier, source, f"{tmp_path}/out.csv{first}", TENS, stop_after(20))
    was, now = ("'.csv in parts'" if end else "'.csv'" for end in (first, then))
    with pytest.raises(
        CheckpointError, match=f"is of another job: output format was {was}, now {now}\\. Give the same"
    ):
        score(tiny_classifier, source, f"{tmp_path}/out.csv{then}", TENS)
    assert score(tiny_classifier, source, f"{tmp_path}/out.csv{first}", TENS).resumed == 20


def test_an_input_may_be_named_otherwise(tiny_classifier: Classifier, source: Path, tmp_path: Path) -> None:
    begin(tiny_classifier, source, tmp_path / "out.jsonl")
    (tmp_path / "link.jsonl").symlink_to(source)
    assert score(tiny_classifier, tmp_path / "link.jsonl", tmp_path / "out.jsonl", TENS).resumed == 20


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".parquet"])
def test_progress_goes_on_where_it_was(
    tiny_classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    source = tmp_path / f"in{suffix}"
    # Together more than is read of a file at once.
    rows = [{"text": "good", "more": os.urandom(50_000).hex()} for _ in range(ROWS)]
    if suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), source, row_group_size=5)
    else:
        source.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    monkeypatch.setattr(text_readers, "BATCH_ROWS", 5)
    monkeypatch.setattr(table_files, "BATCH_ROWS", 5)
    seen: list[Progress] = []

    def stop(progress: Progress) -> None:
        seen.append(progress)
        stop_after(20)(progress)

    with pytest.raises(KeyboardInterrupt):
        score(tiny_classifier, source, tmp_path / "out.jsonl", TENS, stop)
    [before] = [progress.fraction for progress in seen if progress.rows == 20]
    assert 0.2 < before < 0.9
    again: list[Progress] = []
    score(tiny_classifier, source, tmp_path / "out.jsonl", TENS, again.append)
    assert (again[0].rows, again[0].fraction) == (20, before)
    assert [progress.fraction for progress in again] == sorted(progress.fraction for progress in again)
    assert again[-1].fraction == pytest.approx(1.0, abs=0.001)  # a table's footer comes after its rows


def test_a_job_with_nothing_done_leaves_nothing(tiny_classifier: Classifier, source: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        score(tiny_classifier, source, tmp_path / "out.jsonl", TENS, stop_after(5))
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize("shard_rows", [5, 100])
def test_too_many_rejects_stop_the_job_and_a_higher_limit_goes_on(
    tiny_classifier: Classifier, tmp_path: Path, shard_rows: int
) -> None:
    source, target = tmp_path / "in.txt", tmp_path / "out.csv"
    source.write_text("good\n\n" * 10)
    with pytest.raises(RejectLimitError) as caught:
        score(tiny_classifier, source, target, ScoringSettings(shard_rows=shard_rows), max_rejects=6)
    assert (caught.value.limit, caught.value.count) == (6, {5: 7, 100: 10}[shard_rows])
    last = f"row {2 * caught.value.count}: is empty or blank"
    assert f"rejected rows: {caught.value.count} ({last}), and the limit (max_rejects) is 6; " in str(caught.value)
    assert not target.exists()
    summary = score(tiny_classifier, source, target, ScoringSettings(shard_rows=shard_rows), max_rejects=10)
    assert (summary.rows, summary.rejected, summary.resumed) == (20, 10, {5: 10, 100: 0}[shard_rows])


def test_a_place_that_cannot_be_written_is_an_error_in_words(tiny_classifier: Classifier, source: Path) -> None:
    with pytest.raises(DataError) as caught:
        score(tiny_classifier, source, "/proc/out.jsonl", TENS)
    remedy = "name an output in a folder that can be written to"
    assert str(caught.value) == f"/proc/out.jsonl.parts: can't be made (No such file or directory); {remedy}"


def test_a_shard_has_at_least_one_row(tiny_classifier: Classifier, source: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="shard_rows: at least 1, not 0"):
        score(tiny_classifier, source, tmp_path / "out.csv", ScoringSettings(shard_rows=0))


COMMAND = """
import os, resource, signal, sys
fault, number = sys.argv[1], int(sys.argv[2])
if fault == "LIMIT":
    resource.setrlimit(resource.RLIMIT_FSIZE, (number, number))
elif fault != "NONE":
    fsync, calls = os.fsync, 0
    def fsync_and_signal(descriptor):
        global calls
        calls += 1
        if calls == number:
            os.kill(os.getpid(), signal.Signals[fault])
        fsync(descriptor)
    os.fsync = fsync_and_signal
sys.argv[1:3] = []
from sentiment.cli import main
main()
"""


@pytest.mark.parametrize(
    ("fault", "number", "code", "message"),
    [
        ("SIGTERM", 11, 143, "error: stopped by SIGTERM; the same command resumes\n"),
        ("SIGINT", 11, 130, "error: stopped by SIGINT; the same command resumes\n"),
        ("LIMIT", 1900, 2, "File too large; no row is lost: the same command resumes\n"),
    ],
)
def test_the_command_stopped_from_outside_says_how_to_go_on(
    run_python: Callable[..., Any],
    tiny_bundle: Path,
    source: Path,
    tmp_path: Path,
    fault: str,
    number: int,
    code: int,
    message: str,
) -> None:
    target = tmp_path / "out.jsonl"

    def run(fault: str, number: int = 0) -> Any:
        options = ["--shard-rows", 10, "--columns", "id", "--top-only"]
        return run_python("-c", COMMAND, fault, number, "score", "--model", tiny_bundle, source, target, *options)

    stopped = run(fault, number)
    assert stopped.returncode == code, stopped.stderr
    assert stopped.stderr.endswith(message)
    assert stopped.stderr.count("\n") == 1
    assert not target.exists()
    done = json.loads((tmp_path / "out.jsonl.parts" / "checkpoint.json").read_text())["shards"]
    assert 0 < len(done) <= 4

    finished = run("NONE")
    assert finished.returncode == 0, finished.stderr
    assert f"{sum(shard['rows'] for shard in done)} rows were finished earlier" in finished.stdout
    answers = [json.loads(line) for line in target.read_text().splitlines()]
    assert [answer["id"] for answer in answers] == list(range(ROWS))
    assert all(list(answer) == ["id", "label", "probability"] for answer in answers)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]
