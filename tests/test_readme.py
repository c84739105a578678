"""Run what the README and then the pages of docs/ show, in order, and compare the outputs that they show.

All blocks run in one folder with the shipped model. A block that needs another host, or an hour, has no language.
Outputs are shown with their numbers rounded; `...` matches what differs from run to run, as in doctest.
`make outputs` writes the outputs without `...` anew.
"""

import doctest
import os
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.warm_python import __file__ as WARM_PYTHON
from tests.warm_python import warm_python

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
LONG_NUMBER = re.compile(r"\d+\.\d{4,}(?:e-\d+)?")
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
# As a whole, for blocks need files of those before them. Slow pages need none of the others, nor the others of them.
SLOW_PAGES = {"encoders.md", "integrations.md", "training.md", "tutorial.md", "tutorial-own-model.md", "upgrading.md"}
EXAMPLES = [
    pytest.param(page, block, id=block[2].split("\n")[0], marks=[pytest.mark.slow] * (page.name in SLOW_PAGES))
    for page in PAGES
    for block in BLOCK.finditer(page.read_text())
]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder but for the shipped models, a small table of reviews, and docs/ with its tables."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "models").mkdir()
    (folder / "models" / "default").symlink_to(ROOT / "models" / "default")
    (folder / "docs").symlink_to(ROOT / "docs")
    rows = [("I love this", "good"), ("It broke at once", "bad")] * 20
    lines = (f"{text} {number},{label}\n" for number, (text, label) in enumerate(rows))
    (folder / "reviews.csv").write_text("text,label\n" + "".join(lines))
    return folder


@pytest.fixture(scope="module")
def cold() -> dict[str, str]:
    """An environment with this checkout's commands first."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def warm(cold: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An environment where `sentiment` and `warm-python FILE` run in forks of one interpreter."""
    folder = tmp_path_factory.mktemp("warm")
    with warm_python(folder, cold) as address:
        fork = shlex.join([sys.executable, "-IS", WARM_PYTHON, address])
        installed = Path(sys.executable).with_name("sentiment")
        scripts = {
            "warm-python": f'exec {fork} "$@"',
            # A server becomes another program, and gets signals.
            "sentiment": f'[ "$1" != serve ] || exec {installed} "$@"\nexec {fork} -m sentiment "$@"',
        }
        for name, script in scripts.items():
            (folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / name).chmod(0o755)
        yield {**cold, "PATH": f"{folder}:{cold['PATH']}"}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def port(workspace: Path, cold: dict[str, str]) -> Iterator[int]:
    """The port of the service, started as the README starts it but for the port."""
    port = free_port()
    command = [sys.executable, "-m", "sentiment", "serve", "--port", str(port)]
    with subprocess.Popen(command, cwd=workspace, env=cold, stderr=subprocess.DEVNULL) as process:
        wait_until_ready(port, process)
        yield port
        process.terminate()
        assert process.wait(30) == 0


def wait_until_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=1)
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail(f"the service was not ready: exit code {process.poll()}")


def shown(output: str) -> str:
    """Return an output as a page shows it: numbers rounded to three places, no spaces at the end of a line."""
    rounded = LONG_NUMBER.sub(lambda number: f"{float(number[0]):.3f}", output)
    return "".join(f"{line.rstrip()}\n" for line in rounded.splitlines())


@pytest.mark.parametrize(("page", "block"), EXAMPLES)
def test_example(
    page: Path, block: re.Match[str], workspace: Path, warm: dict[str, str], request: pytest.FixtureRequest
) -> None:
    language, code, expected = block.groups()
    code = code.replace("8001", str(free_port()))  # where the tutorial serves a second model
    if "curl" in code and "8000" in code:
        code = code.replace("8000", str(request.getfixturevalue("port")))
    if language == "python":
        (workspace / "example.py").write_text(code)
        code = "warm-python example.py"
    command = ["bash", "-euo", "pipefail", "-c", code]
    done = subprocess.run(command, cwd=workspace, env=warm, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    if expected is None:
        return
    output = shown(done.stdout)
    if os.environ.get("WRITE_OUTPUTS") and "..." not in expected:
        text = page.read_text()
        before, after = block[0], block[0].removesuffix(f"{expected}```\n") + f"{output}```\n"
        assert text.count(before) == 1
        page.write_text(text.replace(before, after))
    else:
        assert doctest.OutputChecker().check_output(expected, output, doctest.ELLIPSIS), output


def test_every_output_of_the_readme_is_compared() -> None:
    text = PAGES[0].read_text()
    assert text.count("\n```text\n") == sum(block[3] is not None for block in BLOCK.finditer(text))


def test_every_way_in_is_shown() -> None:
    shown = "\n".join(code for page in PAGES for _, code, _ in BLOCK.findall(page.read_text()))
    for command in (
        "train",
        "evaluate",
        "predict",
        "explain",
        "score",
        "info",
        "export",
        "compare",
        "calibrate",
        "check",
        "tune",
    ):
        assert f"sentiment {command}" in shown
    assert "sentiment.load(" in shown
    assert "/v1/predict" in shown


def test_the_picture_of_the_structure_is_true() -> None:
    picture = re.search(r"```\n(sentiment/ .*?)```", (ROOT / "docs" / "how-it-works.md").read_text(), re.DOTALL)
    assert picture
    folder = ROOT
    for line in picture[1].splitlines():
        names, indented = re.split(r" {2,}", line.strip())[0], line.startswith(" ")
        for name in names.split():
            assert (folder / name if indented else ROOT / name).exists(), name
        if not indented:
            folder = ROOT / names.split()[0]


def test_the_paths_that_contributing_names_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    paths = re.findall(r"`((?:sentiment|service|tests|deploy|recipes|benchmarks|docs)/[\w./-]*)`", text)
    assert len(paths) > 20
    assert [path for path in paths if not (ROOT / path).exists()] == []
