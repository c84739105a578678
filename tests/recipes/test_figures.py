"""The figures are made by one command, and the document shows all of them."""

import re
from pathlib import Path

import pytest

from recipes import figures

DOCUMENT = figures.ROOT / "docs" / "how-it-works.md"
SHOWN = re.findall(r"!\[[^\]]{20,}\]\(figures/([\w.]+)\)", DOCUMENT.read_text())


def test_the_command_draws_what_the_document_shows(tiny_bundle: Path, tmp_path: Path) -> None:
    figures.main(["--model", str(tiny_bundle), "--out", str(tmp_path)])
    drawn = sorted(path.name for path in tmp_path.iterdir())
    assert drawn == sorted(SHOWN)
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in drawn)


@pytest.mark.parametrize("name", SHOWN)
def test_every_figure_is_there(name: str) -> None:
    assert (DOCUMENT.parent / "figures" / name).is_file()


def test_they_are_light() -> None:
    assert sum(path.stat().st_size for path in (DOCUMENT.parent / "figures").iterdir()) < 300_000


def test_what_the_document_points_to_is_there() -> None:
    for target in re.findall(r"\]\((\.\./[^)]+)\)", DOCUMENT.read_text()):
        assert (DOCUMENT.parent / target).exists(), target
