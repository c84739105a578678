from pathlib import Path

import pytest

from sentiment.errors import DataError
from sentiment.storage.files import expand, includes, open_file

SUFFIXES = (".csv", ".parquet")


def names(paths: list[str], folder: Path) -> list[str]:
    return [str(Path(path).relative_to(folder)) for path in paths]


def test_globs_and_folders_stand_for_their_files_by_name_each_once(tmp_path: Path) -> None:
    for name in ("2.csv", "1.csv.gz", "b/3.csv", "b/_SUCCESS", "notes.md", "[x].csv", "._2.csv", ".old/2.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert names(expand([tmp_path], SUFFIXES), tmp_path) == ["1.csv.gz", "2.csv", "[x].csv", "b/3.csv"]
    assert names(expand([tmp_path / "b", f"{tmp_path}/?.csv*"], SUFFIXES), tmp_path) == ["b/3.csv", "1.csv.gz", "2.csv"]
    found = expand([f"{tmp_path}/**/*.csv", tmp_path / "2.csv"], SUFFIXES)
    assert names(found, tmp_path) == ["2.csv", "[x].csv", "b/3.csv"]
    assert names(expand([tmp_path / "[x].csv"], SUFFIXES), tmp_path) == ["[x].csv"]


def test_a_folder_or_a_glob_takes_in_what_will_be_written_among_its_files(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "in")
    for name, path, expected in (
        ("in", "in/deep/out.csv", True),
        ("link", "in/out.csv.gz", True),
        ("in", "in/out.txt", False),
        ("in", "in/.out.csv", False),
        ("in", "in2/out.csv", False),
        ("in/*.csv", "in/out.csv", True),
        ("in/*.csv", "link/out.csv", True),
        ("in/*.csv", "in/deep/out.csv", False),
        ("in/**/*.csv", "in/deep/out.csv", True),
        ("in/**/*.csv", "in/out.csv", True),
        ("*/a*.csv", "in/out.csv", False),
        ("in/a.csv", "in/out.csv", False),
    ):
        assert includes(f"{tmp_path}/{name}", f"{tmp_path}/{path}", SUFFIXES) is expected, (name, path)
    assert includes("s3://bucket/in", "s3://bucket/in/out.csv", SUFFIXES)
    assert includes("s3://bucket/in/*.csv", "s3://bucket/in/out.csv", SUFFIXES)
    assert not includes("s3://bucket/in/*.csv", "s3://bucket/out.csv", SUFFIXES)
    assert not includes("s3://bucket/in/a.csv", "s3://bucket/in/out.csv", SUFFIXES)
    assert not includes("s3://bucket/in", f"{tmp_path}/out.csv", SUFFIXES)


def test_names_that_stand_for_nothing_are_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.md").touch()
    with pytest.raises(DataError, match=r"\*\.csv: there is no such file"):
        expand([f"{tmp_path}/*.csv"], SUFFIXES)
    with pytest.raises(DataError, match="the folder has no data file: none ends in .csv, .parquet"):
        expand([tmp_path], SUFFIXES)
    with pytest.raises(DataError, match="there is no input; name at least one"):
        expand([], SUFFIXES)
    with pytest.raises(DataError, match=r"gone\.csv: there is no such file"):
        open_file(str(tmp_path / "gone.csv"))
    with pytest.raises(DataError, match="can't be read: Is a directory"):
        open_file(str(tmp_path))
