"""Real processes, started by torchrun, with a training that one process does as well."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from sentiment.errors import ConfigError
from sentiment.training.processes import ALONE, Processes, started_processes

Write = Callable[[Path, int], Path]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
SENTIMENT = ["-m", "sentiment"]
RECIPE = """
name = "toy"
[[train]]
path = "reviews.csv"
[[train]]
path = "labelled.parquet"
soft_labels = true
[model]
embedding_size = 8
hidden_size = 8
embedding_dropout = {dropout}
output_dropout = {dropout}
[training]
epochs = {epochs}
patience = {epochs}
max_batch_rows = 7
word_dropout = {dropout}
"""
GOING_ON = """start = "start"
start_share = 0.5
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, write_reviews: Write, write_labelled: Write) -> Path:
    path = tmp_path_factory.mktemp("processes")
    write_labelled(path / "labelled.parquet", 40)
    write_reviews(path / "reviews.csv", 60)
    write_reviews(path / "reviews-0.csv", 40)
    write_reviews(path / "reviews-1.csv", 50)
    (path / "plain.toml").write_text(RECIPE.format(dropout=0.0, epochs=4))
    dropout = RECIPE.format(dropout=0.2, epochs=12)  # enough of them to be killed among
    (path / "dropout.toml").write_text(dropout + GOING_ON)
    return path


@pytest.fixture(scope="module")
def alone(folder: Path) -> list[dict[str, Any]]:
    """Return the events of one process whose training others resume."""
    return train(folder, 1, "plain.toml", "start")


def start(folder: Path, command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def train(folder: Path, processes: int, recipe: str, out: str) -> list[dict[str, Any]]:
    """The events of a training that goes through."""
    command = [sys.executable] if processes == 1 else [*TORCHRUN, str(processes)]
    running = start(folder, [*command, *SENTIMENT, "train", "--recipe", recipe, "--out", out, "--json"])
    output, errors = running.communicate(timeout=300)
    assert running.returncode == 0, errors
    return [json.loads(line) for line in output.splitlines()]


def contents(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.iterdir()}


@pytest.mark.slow
def test_several_processes_give_the_loss_curve_of_one(folder: Path, alone: list[dict[str, Any]]) -> None:
    one, two = (
        [event for event in events if event["event"] == "epoch"]
        for events in (alone, train(folder, 2, "plain.toml", "plain"))
    )
    assert [event["loss"] for event in two] == pytest.approx([event["loss"] for event in one], rel=2e-3)
    assert [event["steps"] for event in two] == [event["steps"] for event in one]
    assert two[-1]["loss"] < 0.98 * two[0]["loss"]
    assert not list(folder.glob(".plain*"))


@pytest.mark.slow
@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("victim", ["all", "second"])
def test_killed_and_gone_on_with_to_the_same_bytes(folder: Path, victim: str) -> None:
    expected = folder / "undisturbed"
    if not expected.exists():
        train(folder, 2, "dropout.toml", "undisturbed")
    out = f"killed-{victim}"
    running = start(folder, [*TORCHRUN, "2", *SENTIMENT, "train", "--recipe", "dropout.toml", "--out", out, "--json"])
    assert running.stdout is not None
    events = (json.loads(line) for line in running.stdout)
    next(event for event in events if event["event"] == "epoch")
    ranks = children(running.pid)
    for killed in [running.pid, *ranks.values()] if victim == "all" else [ranks["1"]]:
        os.kill(killed, signal.SIGKILL)
    running.communicate(timeout=120)
    assert running.returncode != 0
    assert not (folder / out).exists()
    [first, *_] = train(folder, 2, "dropout.toml", out)
    assert first["steps_done"] > 0
    assert contents(folder / out) == contents(expected)


def children(parent: int) -> dict[str, int]:
    """The processes that torchrun started, by their ranks."""
    found = {}
    for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        environment = dict(line.partition("=")[::2] for line in Path(f"/proc/{child}/environ").read_text().split("\0"))
        found[environment["RANK"]] = int(child)
    return found


@pytest.mark.slow
def test_processes_that_differ_are_refused_by_what_differs(folder: Path) -> None:
    own = f"{sys.executable} -m sentiment train reviews-$RANK.csv --out differing --epochs 1"
    running = start(folder, [*TORCHRUN, "2", "--no-python", "sh", "-c", own])
    _, errors = running.communicate(timeout=300)
    assert running.returncode != 0
    assert "error: process 1 of 2 differs from the first in " in errors
    assert "dev rows 1 (split of reviews-0.csv), dev rows 1 (split of reviews-1.csv)" in errors
    assert "; give all of them the same files, settings and software" in errors
    assert not (folder / "differing").exists()


def test_what_torchrun_tells_must_be_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with started_processes() as processes:
        assert processes == ALONE
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    with (
        pytest.raises(ConfigError, match="WORLD_SIZE is set but MASTER_ADDR, MASTER_PORT not: start several processes"),
        started_processes(),
    ):
        pass


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 7])
def test_every_row_is_one_process_s(rows: int) -> None:
    whole = list(range(rows))
    shares = [whole[Processes(rank, 3).share] for rank in range(3)]
    assert sorted(row for share in shares for row in share) == whole
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_alone_nobody_is_asked() -> None:
    model, loss = nn.Linear(2, 2), torch.tensor(1.5)
    assert ALONE.add_gradients(model, loss) is loss
    assert model.weight.grad is None
    assert ALONE.broadcast(2.5) == 2.5
    assert ALONE.broadcast_saved(None) is None
    assert [each.tolist() for each in ALONE.all_gather(torch.tensor([1, 2]))] == [[1, 2]]
    ALONE.check_agree({"threads": "1"})
