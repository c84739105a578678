"""A disk that is really full: a tmpfs of a few pages."""

import json
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sentiment.classifier import Classifier
from sentiment.scoring import ScoringSettings, score

SETTINGS = ScoringSettings(shard_rows=10)
PAGE = 4096
SHARD_PAGES = 5  # about what ten rows take
ROOM = 8  # pages for a checkpoint, its successor, rejects and what is being written


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def write_input(path: Path) -> None:
    """Forty rows of 1,500 letters that nothing packs well, a fifth of them without a text."""
    rng = random.Random(0)
    rows = [
        {"id": n, "text": "good film" if n % 5 else "", "filler": "".join(rng.choices("abcdefghij", k=1500))}
        for n in range(40)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def fill(disk: Path, free_pages: int) -> Path:
    """The file that takes all room but this."""
    filler = disk / "filler"
    filler.write_bytes(bytes(os.statvfs(disk).f_bavail * PAGE - free_pages * PAGE))
    return filler


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize(
    ("free_pages", "fewest", "most"),
    [(SHARD_PAGES + ROOM, 1, 3), (4 * SHARD_PAGES + ROOM, 4, 4)],
    ids=["in a shard", "in the last file"],
)
def test_on_a_full_disk_it_stops_with_a_word_and_goes_on_once_there_is_room(
    run_python: Callable[..., Any],
    tiny_classifier: Classifier,
    tiny_bundle: Path,
    tmp_path: Path,
    disk: Path,
    suffix: str,
    free_pages: int,
    fewest: int,
    most: int,
) -> None:
    source, target = tmp_path / "in.jsonl", disk / f"out{suffix}"
    write_input(source)
    expected = tmp_path / f"expected{suffix}"
    score(tiny_classifier, source, expected, SETTINGS)
    filler = fill(disk, free_pages)

    command = ["-m", "sentiment", "score", source, target, "--model", tiny_bundle, "--shard-rows", "10"]
    stopped = run_python(*command)

    assert stopped.returncode == 2
    goes_on = "no row is lost: make room, and the same command resumes"
    assert stopped.stderr.endswith(f": No space left on device; {goes_on}\n")
    assert stopped.stderr.count("\n") == 1
    assert not target.exists()
    checkpoint = json.loads((disk / f"out{suffix}.parts" / "checkpoint.json").read_text())
    assert fewest <= len(checkpoint["shards"]) <= most

    filler.unlink()
    summary = score(tiny_classifier, source, target, SETTINGS)
    assert summary.resumed == 10 * len(checkpoint["shards"])
    assert target.read_bytes() == expected.read_bytes()
    rejects = [path.with_name(f"{path.name}.rejects.jsonl").read_bytes() for path in (target, expected)]
    assert rejects[0] == rejects[1]
    assert sorted(path.name for path in disk.iterdir()) == [target.name, f"{target.name}.rejects.jsonl"]
