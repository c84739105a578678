from pathlib import Path

import pytest

from sentiment.errors import DataError
from sentiment.scoring.resume.target import LocalTarget as Target


def test_outputs_that_are_refused(tmp_path: Path) -> None:
    source, inner, old = (tmp_path / name for name in ("in.csv", "folder.csv/inner.csv", "c.csv.rejects.jsonl"))
    inner.parent.mkdir()
    (tmp_path / "b.csv.rejects.jsonl").mkdir()
    for path in (source, inner, old):
        path.touch()
    (tmp_path / "same.csv").symlink_to(source)
    (tmp_path / "link.csv").symlink_to(inner.parent)
    inputs = [str(source), str(inner), str(old)]
    for name, reason in {
        "folder.csv": f"folder.csv: is a folder; give a file, or {tmp_path}/folder.csv/ for a folder of parts",
        "none/out.csv": f"none/out.csv: there is no folder {tmp_path / 'none'}; make it first",
        "in.csv": "in.csv: is the input too; give the output another name",
        "same.csv": "same.csv: is the input too; give the output another name",
        "in.csv/": "in.csv: is a file; a folder of this name is asked for",
        "folder.csv/": f"folder.csv: holds the input {inner}; give the output another name",
        "link.csv/": "link.csv: is a link, which a folder can't replace; name a new folder in it",
        "b.csv": "b.csv.rejects.jsonl: is a folder, and where rejects go; give the output another name",
        "c.csv": "c.csv.rejects.jsonl: is the input, and where new rejects go; give the output another name",
    }.items():
        with pytest.raises(DataError) as caught:
            Target(f"{tmp_path}/{name}").check(inputs)
        assert str(caught.value) == f"{tmp_path}/{reason}"
    Target(f"{tmp_path}/out.csv").check(inputs)
    with pytest.raises(DataError, match="out.txt: the suffix says the format, and score writes "):
        Target("out.txt")
