"""SIGKILL at any moment of a training, then the same command again: the same files, byte for byte."""

import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Write = Callable[[Path, int], Path]
SCRIPT = Path(__file__).with_name("killed_training.py")
NEVER = 1_000_000
MOMENTS = 3  # drawn at random, besides the first and the last two; 17 take two minutes
RECIPE = """
name = "toy"
[[train]]
path = "reviews.csv"
[model]
embedding_size = 8
hidden_size = 8
num_layers = 2
dropout = 0.2
weight_drop = 0.3
[training]
schedule = "linear"
frozen_embedding_epochs = 1
epochs = 3
patience = 2
max_batch_rows = 20
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory, write_reviews: Write) -> Path:
    folder = tmp_path_factory.mktemp("resume")
    write_reviews(folder / "reviews.csv", 60)
    (folder / "toy.toml").write_text(RECIPE)
    return folder / "toy.toml"


def train_all(recipe: Path, kills: dict[Path, list[int]], *options: str) -> dict[Path, list[dict[str, Any]]]:
    """For each folder how each of its runs ended; the n-th was killed before its n-th moment of `kills`."""
    plan = json.dumps({str(out): moments for out, moments in kills.items()})
    command = [sys.executable, str(SCRIPT), plan, "train", "--recipe", str(recipe), *options]
    done = subprocess.run(command, capture_output=True, timeout=600, check=False, cwd=recipe.parent)
    assert done.returncode == 0, done.stderr.decode()
    return {Path(out): ends for out, ends in json.loads(done.stdout).items()}


def train(recipe: Path, out: Path, kills: list[int], *options: str) -> list[dict[str, Any]]:
    return train_all(recipe, {out: kills}, *options)[out]


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.fixture(scope="module")
def undisturbed(recipe: Path) -> tuple[dict[str, bytes], int]:
    """The files of a training that nothing disturbed, and how many moments it had."""
    out = recipe.parent / "undisturbed"
    [end] = train(recipe, out, [NEVER])
    assert end["code"] == 0, end["output"]
    assert not list(recipe.parent.glob(".*checkpoint"))
    return contents(out), int(end["output"][-1].removeprefix("moments "))


def test_killed_once_at_any_moment(recipe: Path, undisturbed: tuple[dict[str, bytes], int]) -> None:
    expected, moments = undisturbed
    chosen = sorted(random.Random(0).sample(range(2, moments), MOMENTS))
    kills = {recipe.parent / f"killed-{moment}": [moment, NEVER] for moment in [1, *chosen, moments - 1, moments]}
    for out, (killed, whole) in train_all(recipe, kills).items():
        assert killed["code"] == -signal.SIGKILL
        assert whole["code"] == 0, whole["output"]
        assert contents(out) == expected, f"{out.name} of {moments} moments"


def test_killed_again_and_again(recipe: Path, undisturbed: tuple[dict[str, bytes], int]) -> None:
    expected, moments = undisturbed
    out = recipe.parent / "often"
    kills = [random.Random(seed).randrange(7, moments // 6) for seed in range(8)]
    *killed, whole = train(recipe, out, [*kills, NEVER])
    assert [end["code"] for end in killed] == [-signal.SIGKILL] * 8
    assert contents(out) == expected
    folder = out.with_name(".often.checkpoint")
    assert any(line.startswith(f"Going on from {folder}: ") for line in whole["output"]), whole["output"]
    assert not folder.exists()


def test_other_settings_are_refused_by_name_and_restart_starts_anew(
    recipe: Path, undisturbed: tuple[dict[str, bytes], int]
) -> None:
    expected, moments = undisturbed
    out, other = recipe.parent / "other", recipe.with_name("other.toml")
    [killed] = train(recipe, out, [moments // 2])
    assert killed["code"] == -signal.SIGKILL
    other.write_text(RECIPE.replace("patience = 2", "patience = 1"))
    [refused] = train(other, out, [NEVER])
    assert refused["code"] == 2
    assert (
        f"error: checkpoint {out.with_name('.other.checkpoint')} belongs to another training: "
        "training.patience was 2, is 1. Undo that change to go on, or start anew with --restart"
    ) in refused["output"]
    [anew] = train(recipe, out, [NEVER], "--restart")
    assert anew["code"] == 0
    assert "Going on" not in "\n".join(anew["output"])
    assert contents(out) == expected
