"""Require behaviour before a model is saved, from the command's options to the files on disk."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

import sentiment
from sentiment.cli import app
from sentiment.errors import ConfigError
from sentiment.training.data.splits import Data
from sentiment.training.recipe import Recipe

OPTIONS = ("--hidden-size", "4", "--epochs", "1")
ROWS = [("great", "positive"), ("awful", "negative")] * 5
# A text held against itself, whose probability cannot change.
SUITE = """
tests:
  - {{name: stays, kind: invariance, texts: ["a great film"], variants: ["{{text}}"]}}
  - {{name: rises, kind: directional, label: positive, min_change: {least}, texts: ["a film"], variants: ["{{text}}"]}}
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, write_reviews: Callable[[Path, int], Path]) -> Path:
    return write_reviews(tmp_path_factory.mktemp("data") / "reviews.csv", 40)


@pytest.fixture
def suites(tmp_path: Path) -> tuple[str, str]:
    """A suite that any model holds, and one that none does."""
    paths = tmp_path / "holds.yaml", tmp_path / "misses.yaml"
    for path, least in zip(paths, (0.0, 0.5), strict=True):
        path.write_text(SUITE.format(least=least))
    return str(paths[0]), str(paths[1])


def test_a_model_that_misses_a_test_is_not_written_and_its_training_not_lost(
    data: Path, suites: tuple[str, str], tmp_path: Path
) -> None:
    plain, gated = tmp_path / "plain", tmp_path / "gated" / "plain"  # a model is named for its folder
    gated.parent.mkdir()
    checkpoint = gated.with_name(".plain.checkpoint")
    command = ["train", str(data), *OPTIONS, "--out"]
    held = CliRunner().invoke(app, [*command, str(plain), "--require", suites[0]])
    assert held.exit_code == 0
    assert "All 2 tests hold.\n" in held.stdout

    refused = CliRunner().invoke(app, [*command, str(gated), "--require", suites[0], "--require", suites[1]])
    assert isinstance(refused.exception, ConfigError)  # two tests of one name
    refused = CliRunner().invoke(app, [*command, str(gated), "--require", suites[1]])
    assert refused.exit_code == 1
    assert "rises, for one:\n  negative" in refused.stdout
    assert refused.stderr == (
        "error: no model is written, as it misses rises (100.0% of 1 cases fail, 0.0% may). What it learned stays "
        f"in {checkpoint}: without what is required, the same command writes it and does not train again\n"
    )
    assert not gated.exists()

    again = CliRunner().invoke(app, [*command, str(gated), "--require", suites[1]])
    assert (again.exit_code, again.stderr) == (1, refused.stderr)
    assert "1 of 1 epochs." in again.stdout
    assert "epoch 1/1" not in again.stdout

    written = CliRunner().invoke(app, [*command, str(gated)])
    assert written.exit_code == 0
    assert "1 of 1 epochs." in written.stdout
    assert not checkpoint.exists()
    assert sentiment.load(gated).version == sentiment.load(plain).version


def test_a_recipe_requires_by_paths_from_its_own_folder(data: Path, suites: tuple[str, str], tmp_path: Path) -> None:
    toml = f'name = "toy"\nrequire = ["misses.yaml"]\n[[train]]\npath = "{data}"\n[model]\nhidden_size = 4\n'
    (tmp_path / "toy.toml").write_text(f"{toml}[training]\nepochs = 1\n")
    command = ["train", "--recipe", str(tmp_path / "toy.toml"), "--out", str(tmp_path / "toy")]
    refused = CliRunner().invoke(app, command)
    assert refused.exit_code == 1
    assert "as it misses rises (100.0% of 1 cases fail, 0.0% may)." in refused.stderr
    assert not (tmp_path / "toy").exists()
    assert Recipe.read(tmp_path / "toy.toml").require == (suites[1],)
    (tmp_path / "toy.toml").write_text(f'name = "toy"\nrequire = ["default"]\n[[train]]\npath = "{data}"\n')
    assert Recipe.read(tmp_path / "toy.toml").require == ("default",)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--require", "gone.yaml"], "suite gone.yaml: there is no such file; "),
        (
            ["--require", "default", "--task", "regression", "--label-column", "stars"],
            "--require: suites speak of labels",
        ),
        (["--require", "default", "--language", "de"], "suite: its texts are in 'en', the model reads 'de'; "),
        (
            ["--require", "default", "--labels", "positive=ja,negative=nein"],
            "suite: its tests expect positive, neg",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused_before_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], message: str
) -> None:
    def never(*arguments: object) -> Data:
        raise AssertionError("trained")

    monkeypatch.setattr("sentiment.training.trainer.train", never)
    data = tmp_path / "rated.csv"
    data.write_text(
        "text,label,stars\n"
        + "".join(f"the film was {word} {row},{label},{row}.5\n" for row, (word, label) in enumerate(ROWS))
    )
    done = CliRunner().invoke(app, ["train", str(data), "--out", str(tmp_path / "m"), *options])
    assert isinstance(done.exception, ConfigError)
    assert str(done.exception).startswith(message)
    assert list(tmp_path.iterdir()) == [data]
