"""A signal stops a training with one line that says how to resume it, and the same command does."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

import sentiment
from sentiment.cli import app
from sentiment.training.resume.checkpoint import Checkpoint


@pytest.mark.parametrize(
    ("name", "options", "code", "next_step"),
    [
        ("SIGINT", [], 130, "; the same command resumes"),
        ("SIGTERM", [], 143, "; the same command resumes"),
        ("SIGINT", ["--restart"], 130, "; the same command without --restart resumes"),
    ],
)
def test_training(
    write_reviews: Callable[[Path, int], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    options: list[str],
    code: int,
    next_step: str,
) -> None:
    data = str(write_reviews(tmp_path / "reviews.csv", 60))
    command = ["train", data, "--epochs", "3", "--hidden-size", "4", "--embedding-size", "4", "--out"]
    out = tmp_path / "mine"
    save = Checkpoint.save

    def save_and_stop(self: Checkpoint, *content: object) -> None:
        save(self, *content)  # type: ignore[arg-type]
        os.kill(os.getpid(), signal.Signals[name])

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "save", save_and_stop)
        stopped = CliRunner().invoke(app, [*command, str(out), *options])
    assert stopped.exit_code == code
    assert stopped.stderr == f"error: stopped by {name}{next_step}\n"
    assert not out.exists()

    resumed = CliRunner().invoke(app, [*command, str(out)])
    assert resumed.exit_code == 0, resumed.output
    assert "1 of 3 epochs." in resumed.stdout
    whole = tmp_path / "whole" / "mine"
    assert CliRunner().invoke(app, [*command, str(whole)]).exit_code == 0
    assert sentiment.load(out).version == sentiment.load(whole).version
