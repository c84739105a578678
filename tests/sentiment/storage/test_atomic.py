from pathlib import Path

import pytest

from sentiment.storage.atomic import PartialFile


def test_a_file_has_its_name_only_when_published_and_replaces_what_a_killed_process_left(tmp_path: Path) -> None:
    path, folder = tmp_path / "out.csv", tmp_path / "parts"
    folder.mkdir()
    (folder / "out.csv.partial").write_bytes(b"much that was never finished")
    with PartialFile(path, folder) as partial:
        partial.file.write(b"whole")
        assert not path.exists()
        partial.publish()
        assert path.read_bytes() == b"whole"
    assert list(folder.iterdir()) == []


def test_one_not_published_leaves_nothing_and_what_was_there_untouched(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(b"before")
    with pytest.raises(KeyboardInterrupt), PartialFile(path) as partial:
        partial.file.write(b"half")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_others_may_read_it_as_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    with PartialFile(tmp_path / "out.csv") as partial:
        partial.publish()
    assert (tmp_path / "out.csv").stat().st_mode == (tmp_path / "plain").stat().st_mode
