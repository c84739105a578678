"""Run CI's script with a `make` that only prints its targets."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SLOW, INSTALL, BESIDE = "test-slow", "build/torchtext/torchtext.done", "test-torchtext"
PINS = "torch==2.3.1 torchtext==0.18.0"


def run(folder: Path, *, fails: str = "", free_gb: int = 100) -> tuple[int, list[str], str]:
    """The exit code, what make was asked for, and what was said, where one target fails."""
    tools, checkout = folder / "bin", folder / "checkout"
    (checkout / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", checkout / ".ci" / "run")
    shutil.copy(ROOT / "requirements-torchtext.txt", checkout)
    tools.mkdir()
    for name, script in {
        "make": f'echo "$1"; [ "$1" != "{fails}" ]',
        "df": f"printf ' Avail\\n {free_gb}\\n'",
        "chromium": "",
        "redis-server": "",
    }.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    done = subprocess.run(
        ["bash", ".ci/run"],
        cwd=checkout,
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.split(), done.stderr


def test_all_legs_are_run(tmp_path: Path) -> None:
    assert run(tmp_path) == (0, ["test", SLOW, INSTALL, BESIDE], "")


@pytest.mark.parametrize(
    ("fails", "asked"),
    [("test", ["test"]), (SLOW, ["test", SLOW]), (BESIDE, ["test", SLOW, INSTALL, BESIDE])],
)
def test_a_leg_that_fails_fails(fails: str, asked: list[str], tmp_path: Path) -> None:
    code, done, _ = run(tmp_path, fails=fails)
    assert (code, done) == (1, asked)


def test_where_torchtext_cannot_be_installed_it_is_said_by_name(tmp_path: Path) -> None:
    code, asked, said = run(tmp_path, fails=INSTALL)
    assert (code, asked) == (0, ["test", SLOW, INSTALL])
    assert said.startswith(PINS)
    assert said.endswith("can't be installed: the tests are not run beside torchtext\n")


def test_where_there_is_no_room_for_it_it_is_said_by_name(tmp_path: Path) -> None:
    code, asked, said = run(tmp_path, free_gb=13)
    assert (code, asked) == (0, ["test", SLOW])
    assert said.startswith(PINS)
    assert said.endswith("take 14 GB and 13 are free: the tests are not run beside torchtext\n")
