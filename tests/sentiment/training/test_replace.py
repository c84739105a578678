"""A model in --out is written over only where that is asked for, or its own training resumes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

import sentiment
from sentiment.cli import app
from sentiment.errors import BundleError, CheckpointError, ConfigError
from sentiment.training.resume.checkpoint import Checkpoint

SMALL = ("--hidden-size", "4", "--embedding-size", "4", "--epochs", "1")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, write_reviews: Callable[[Path, int], Path]) -> Path:
    return write_reviews(tmp_path_factory.mktemp("data") / "reviews.csv", 120)


def refusal(*command: object) -> BaseException | None:
    done = CliRunner().invoke(app, [str(part) for part in command])
    assert done.exit_code == 1, done.output
    return done.exception


def test_training(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "mine"
    command = ["train", str(data), *SMALL, "--out", str(out)]
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "remove", lambda self: None)  # as if killed just before
        assert CliRunner().invoke(app, command).exit_code == 0
    first = sentiment.load(out).version

    assert isinstance(refusal(*command, "--restart"), ConfigError)
    assert isinstance(refusal(*command, "--seed", 1), CheckpointError)  # another training than the one to resume
    assert CliRunner().invoke(app, command).exit_code == 0
    assert sentiment.load(out).version == first
    refused = refusal(*command, "--seed", 1)
    assert isinstance(refused, ConfigError)
    assert "--replace" in str(refused)
    assert sentiment.load(out).version == first
    assert CliRunner().invoke(app, [*command, "--seed", "1", "--replace"]).exit_code == 0
    assert sentiment.load(out).version != first


def test_distillation(data: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    command = ("distil", "--data", data, "--teacher", tmp_path / "none", "--unlabelled", data, "--out", tiny_bundle)
    assert "--replace" in str(refusal(*command))
    assert "none" in str(refusal(*command, "--replace"))  # the teacher is looked for


def test_calibration(data: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    command = ("calibrate", "--data", data, "--model", tiny_bundle, "--out", tmp_path / "mine")
    assert CliRunner().invoke(app, [str(part) for part in command]).exit_code == 0
    assert "--replace" in str(refusal(*command))
    assert CliRunner().invoke(app, [*map(str, command), "--replace"]).exit_code == 0


def test_nothing_but_a_model_is_ever_replaced(data: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert isinstance(refusal("train", data, *SMALL, "--out", tmp_path, "--replace"), BundleError)
