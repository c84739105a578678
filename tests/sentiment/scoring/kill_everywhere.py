"""Score a file once undisturbed, then killed at each STRIDE-th of the steps on the disk that this takes, and resumed.

A step is a sync, rename, removal or making of a file or folder. The process dies by SIGKILL in its place; files that
were written and not synced are cut in half, as a power failure may leave them. Every child is a fork of one process
that has loaded the model: a kill and what follows take a tenth of a second. Prints how many kills there were, or fails
with what differs.

    kill_everywhere.py MODEL INPUT FOLDER SUFFIX STRIDE
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import torch

import sentiment
from sentiment.scoring import Progress, ScoringSettings, score
from sentiment.scoring.formats.arrow import files as table_files
from sentiment.scoring.formats.arrow import writer as table_writer
from sentiment.scoring.formats.text import readers as text_readers

KILLED_AGAIN_AT = 17  # a start and a shard take up to 15 steps
MAX_KILLS = 20
SETTINGS = ScoringSettings(shard_rows=50)
torch.set_num_threads(1)  # a fork of a process with more may hang


def version(file: os.stat_result) -> tuple[int, int]:
    """Return what stays the same of a file while it is renamed, and changes when it is written."""
    return file.st_ino, file.st_mtime_ns


def kill_at(step: int, folder: Path) -> None:
    """Have this process die at its `step`-th step, from 1."""
    steps = 0
    lasting = {version(path.stat()) for path in folder.rglob("*")}

    def dying(call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **settings: Any) -> Any:
            nonlocal steps
            steps += 1
            if steps == step:
                for path in folder.rglob("*"):
                    if path.is_file() and version(path.stat()) not in lasting:
                        os.truncate(path, path.stat().st_size // 2)
                os.kill(os.getpid(), signal.SIGKILL)
            if call is fsync:
                lasting.add(version(os.fstat(arguments[0])))
            return call(*arguments, **settings)

        return counted

    fsync = os.fsync
    for name in ("fsync", "replace", "rename", "unlink", "rmdir", "mkdir"):
        setattr(os, name, dying(getattr(os, name)))


def start_fork(action: Callable[[], None]) -> int:
    """Start a process that does this, and return its id."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            action()
            code = 0
        except BaseException as error:
            print(repr(error), file=sys.stderr)
        finally:
            os._exit(code)
    return child


def end_of(child: int) -> int:
    """Return how a process ends: its exit code, or the signal's number below zero."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def in_a_fork(action: Callable[[], None]) -> int:
    return end_of(start_fork(action))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def main(model: str, source: Path, folder: Path, suffix: str, stride: int) -> None:
    text_readers.BATCH_ROWS = table_files.BATCH_ROWS = 13
    table_writer.ROW_GROUP_ROWS = 50
    classifier = sentiment.load(model)
    target = folder / f"out{suffix}"
    target_rejects = folder / f"out{suffix}.rejects.jsonl"

    def job(step: int = 0) -> None:
        if step:
            kill_at(step, folder)
        score(classifier, source, target, SETTINGS)

    assert in_a_fork(job) == 0
    expected = contents(folder)
    assert sorted(expected) == [target.name, target_rejects.name], sorted(expected)
    resumed_rows = set()
    kills = 0
    for step in count(1, stride):
        target.unlink(missing_ok=True)
        target_rejects.write_bytes(b"of an earlier job")
        if in_a_fork(partial(job, step)) == 0:
            break
        found = target.read_bytes() if target.exists() else None
        assert found in (None, expected[target.name]), f"step {step}: half an output is in its place"

        def resume() -> None:
            seen: list[Progress] = []
            score(classifier, source, target, SETTINGS, seen.append)
            (folder / "resumed").write_text(str(seen[0].resumed))

        assert in_a_fork(resume) == 0, f"step {step}: could not be resumed"
        resumed_rows.add(int((folder / "resumed").read_text()))
        (folder / "resumed").unlink()
        assert contents(folder) == expected, f"step {step}: other bytes"
        kills += 1
    # The same job, killed again and again a few steps after its next shard is in the checkpoint.
    kills_of_one = 0
    target.unlink()
    while in_a_fork(lambda: job(KILLED_AGAIN_AT)) != 0:
        kills_of_one += 1
        assert kills_of_one < MAX_KILLS, "it doesn't get any further"
    assert contents(folder) == expected, f"after {kills_of_one} kills: other bytes"
    print(json.dumps({"kills": kills, "resumed": sorted(resumed_rows), "kills_of_one": kills_of_one}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
