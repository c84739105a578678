"""SIGKILL at any moment of a training, then the same command again: the same files, byte for byte."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Write = Callable[[Path, int], Path]
SCRIPT = Path(__file__).with_name("killed_training.py")
SHARES = (0.12, 0.43, 0.81)  # of a training's moments, at which it is killed, besides the first and the last
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
[vocabulary]
pieces = 60
[training]
misspelling = 0.2
schedule = "linear"
frozen_embedding_epochs = 1
epochs = 3
patience = 2
max_batch_rows = 20
"""


@pytest.fixture(scope="module", params=["float32", pytest.param("bfloat16", marks=pytest.mark.slow)])
def dtype(request: pytest.FixtureRequest) -> str:
    """Each number format; the loop is the same in both, so that one is quick and the other slow."""
    if request.param == "bfloat16":
        request.getfixturevalue("bfloat16")
    return str(request.param)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory, write_reviews: Write, dtype: str) -> Path:
    folder = tmp_path_factory.mktemp("resume")
    write_reviews(folder / "reviews.csv", 60)
    (folder / "toy.toml").write_text(f'{RECIPE}dtype = "{dtype}"\n')
    return folder / "toy.toml"


def train_all(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the result of each of these runs: see killed_training.py."""
    command = [sys.executable, str(SCRIPT), json.dumps(runs)]
    done = subprocess.run(command, capture_output=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return list(json.loads(done.stdout))


def run_of(recipe: Path, out: str, kill: float | None, *options: str) -> dict[str, Any]:
    arguments = ["train", "--recipe", str(recipe), *options]
    return {"out": str(recipe.parent / out), "kill": kill, "arguments": arguments}


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.slow
def test_killed_once_at_any_moment(recipe: Path) -> None:
    names = [f"killed-{share}" for share in (0, *SHARES, 0.97, 0.9999)]
    runs = [run_of(recipe, "undisturbed", None)]
    for name in names:
        runs += [run_of(recipe, name, float(name.removeprefix("killed-"))), run_of(recipe, name, None)]
    undisturbed, *others = train_all(runs)
    assert undisturbed["code"] == 0, undisturbed["output"]
    assert [end["code"] for end in others[::2]] == [-signal.SIGKILL] * len(names)
    for name, end in zip(names, others[1::2], strict=True):
        assert end["code"] == 0, end["output"]
        assert contents(recipe.parent / name) == contents(recipe.parent / "undisturbed"), name


def test_killed_again_and_again_and_refused_with_other_settings(recipe: Path) -> None:
    other = recipe.with_name("other.toml")
    other.write_text(recipe.read_text().replace("patience = 2", "patience = 1"))
    undisturbed, *killed, refused, whole, cut, anew = train_all(
        [
            run_of(recipe, "plain", None),
            *(run_of(recipe, "often", share) for share in (0.15, 0.1, 0.12)),
            run_of(other, "often", None),
            run_of(recipe, "often", None),
            run_of(other, "restarted", 0.5),
            run_of(recipe, "restarted", None, "--restart"),
        ]
    )
    folder = recipe.parent
    assert undisturbed["code"] == 0, undisturbed["output"]
    assert [end["code"] for end in (*killed, cut)] == [-signal.SIGKILL] * 4
    assert refused["code"] == 2
    assert "training.patience was 2, is 1" in "\n".join(refused["output"])
    for end, name, resumed in ((whole, "often", True), (anew, "restarted", False)):
        assert end["code"] == 0, end["output"]
        assert contents(folder / name) == contents(folder / "plain")
        assert any(f"{folder / f'.{name}.checkpoint'}: " in line for line in end["output"]) is resumed
    assert not list(folder.glob(".*checkpoint"))
