from pathlib import Path

import pytest

from sentiment.errors import DataError
from sentiment.scoring.resume.target import LocalTarget as Target


def test_a_slash_at_the_end_asks_for_a_folder_of_parts() -> None:
    file, folder = Target("a/out.csv.gz"), Target("a/out.parquet/")
    assert (file.is_folder, folder.is_folder) == (False, True)
    assert (str(file.format), str(folder.format)) == (".csv.gz", ".parquet")
    assert (file.rejects, folder.rejects) == (Path("a/out.csv.gz.rejects.jsonl"), Path("a/out.parquet.rejects.jsonl"))
    assert folder.part_name(7) == "part-000007.parquet"


def test_outputs_that_are_refused(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.touch()
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "same.csv").symlink_to(source)
    inner = tmp_path / "folder.csv" / "inner.csv"
    inner.touch()
    for name, reason in {
        "folder.csv": f"is a folder; give a file, or {tmp_path}/folder.csv/ for a folder of parts",
        "none/out.csv": f"there is no folder {tmp_path / 'none'}; make it first",
        "in.csv": "is the input too; give the output another name",
        "same.csv": "is the input too; give the output another name",
        "in.csv/": "is a file; a folder of this name is asked for",
        "folder.csv/": f"holds the input {inner}; give the output another name",
    }.items():
        with pytest.raises(DataError) as caught:
            Target(f"{tmp_path}/{name}").check([str(source), str(inner)])
        assert str(caught.value) == f"{tmp_path / name}: {reason}"
    (tmp_path / "link.csv").symlink_to(tmp_path / "folder.csv")
    (tmp_path / "b.csv.rejects.jsonl").mkdir()
    for name, reason in {
        "link.csv/": f"{tmp_path}/link.csv: is a link, which a folder can't replace; name a new folder in it",
        "b.csv": f"{tmp_path}/b.csv.rejects.jsonl: is a folder, and where rejects go; give the output another name",
    }.items():
        with pytest.raises(DataError) as caught:
            Target(f"{tmp_path}/{name}").check([str(source)])
        assert str(caught.value) == reason
    Target(f"{tmp_path}/out.csv").check([str(source)])
    rejects = tmp_path / "out.csv.rejects.jsonl"
    rejects.touch()
    with pytest.raises(DataError) as caught:
        Target(f"{tmp_path}/out.csv").check([str(rejects)])
    assert str(caught.value) == f"{rejects}: is the input, and where new rejects go; give the output another name"
    with pytest.raises(DataError, match="out.txt: the suffix says the format, and score writes "):
        Target("out.txt")
