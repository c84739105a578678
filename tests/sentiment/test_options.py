"""Options that messages advise: a command that can say so has them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

import sentiment
from sentiment.cli import app

PACKAGE = Path(sentiment.__file__).parent
ADVICE = re.compile(r"(?:sentiment ([a-z-]+) )?(--[a-z][a-z-]+)")
COMMANDS = {
    name: {option for parameter in command.params for option in parameter.opts}
    for name, command in typer.main.get_command(app).commands.items()  # type: ignore[attr-defined]
}
LABELLED = sorted(name for name, options in COMMANDS.items() if "--label-column" in options)
READERS = (
    "scoring/formats/rows.py",
    "scoring/formats/text/readers.py",
    "scoring/formats/arrow/reader.py",
    "training/data/tables.py",
    "training/data/reading.py",
    "training/data/label_mapping.py",
)
OF_SCORE = {"--prefix", "--columns"}  # of columns that are added and kept


def advised(path: Path) -> Iterator[tuple[str, str]]:
    """The command, "" where none is named, and the option of each advice in a file's strings, but for docstrings."""
    tree = ast.parse(path.read_text())
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield from ADVICE.findall(node.value)


def test_each_option_that_is_advised_exists() -> None:
    options = {"--help"}.union(*COMMANDS.values())
    for path in set(PACKAGE.rglob("*.py")) - set((PACKAGE / "cli").iterdir()):  # which declare them
        for command, option in advised(path):
            assert option in (COMMANDS[command] if command else options), path


@pytest.mark.parametrize("command", LABELLED)
def test_each_command_has_the_options_that_the_reader_of_labelled_files_advises(command: str) -> None:
    found = {option for path in READERS for named, option in advised(PACKAGE / path) if not named}
    assert {"--separator", "--skip-empty", "--skip-bad-rows", "--labels", "--text-column"} <= found
    assert found - OF_SCORE <= COMMANDS[command]


def test_score_has_the_options_that_scoring_advises() -> None:
    found = {option for path in (PACKAGE / "scoring").rglob("*.py") for _, option in advised(path)}
    assert OF_SCORE < found <= COMMANDS["score"]


def test_the_commands_of_labelled_files_are_all_found() -> None:
    assert LABELLED == ["calibrate", "compare", "compare-encoders", "distil", "evaluate", "train", "tune"]
