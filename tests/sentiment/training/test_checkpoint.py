from pathlib import Path

import pytest
import torch

from sentiment.errors import CheckpointError
from sentiment.training.resume.checkpoint import STATE, Checkpoint

FINGERPRINT = {"training.seed": "0", "train rows 1 (a.csv)": "4 rows of sha256 00"}
TENSORS = {"weight": torch.tensor([1.5, -2.0])}
NUMBERS = {"step": 7, "loss": 0.1}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a checkpoint that was left behind."""
    with Checkpoint(tmp_path / "c", FINGERPRINT) as checkpoint:
        assert checkpoint.saved is None
        checkpoint.save(TENSORS, {**NUMBERS, "step": 6})
        checkpoint.save(TENSORS, NUMBERS)
    return tmp_path / "c"


def test_what_was_saved_last_is_found(folder: Path) -> None:
    assert {file.name for file in folder.iterdir()} == {STATE, "lock", "tensors-000000007.safetensors"}
    with Checkpoint(folder, FINGERPRINT) as checkpoint:
        assert checkpoint.saved is not None
        assert checkpoint.saved.numbers == NUMBERS
        assert torch.equal(checkpoint.saved.tensors["weight"], TENSORS["weight"])
        checkpoint.remove()
    assert not folder.exists()


def test_a_checkpoint_that_takes_long_to_write_is_written_less_often(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = sync_seconds = 0.0

    def sync(_: int) -> None:
        nonlocal now
        now += sync_seconds

    monkeypatch.setattr("sentiment.training.resume.checkpoint.time.monotonic", lambda: now)
    monkeypatch.setattr("sentiment.training.resume.checkpoint.os.fsync", sync)
    for writing_seconds, wait in ((1.0, 60.0), (10.0, 200.0)):
        sync_seconds = writing_seconds / 4  # a file and its folder are synced, for the tensors and for the state
        with Checkpoint(folder, FINGERPRINT) as checkpoint:
            checkpoint.save(TENSORS, NUMBERS)
            now += wait - 1
            assert not checkpoint.due()
            now += 1
            assert checkpoint.due()


def test_every_change_is_named(folder: Path) -> None:
    changed = {"training.seed": "1", "torch": "2"}
    message = (
        "c belongs to another training: torch was not there, is 2; train rows 1 .a.csv. was 4 rows of sha256 00, "
        "is not there; training.seed was 0, is 1. Undo that change to resume, or start again with --restart"
    )
    with pytest.raises(CheckpointError, match=message), Checkpoint(folder, changed):
        pass
    with Checkpoint(folder, changed, restart=True) as checkpoint:
        assert checkpoint.saved is None
    assert not folder.exists()


@pytest.mark.parametrize("name", [STATE, "tensors-000000007.safetensors"])
def test_an_altered_file_is_refused(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[-30] ^= 1
    (folder / name).write_bytes(content)
    message = rf"checkpoint .*{name} can't be read: .*start again with --restart"
    with pytest.raises(CheckpointError, match=message), Checkpoint(folder, FINGERPRINT):
        pass


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"sha256": 1}', b"\xff"])
def test_what_is_no_state_is_refused(folder: Path, content: bytes) -> None:
    (folder / STATE).write_bytes(content)
    with pytest.raises(CheckpointError, match=r"state\.json can't be read: "), Checkpoint(folder, FINGERPRINT):
        pass


def test_two_trainings_cannot_share_one(folder: Path) -> None:
    message = "c is in use by another training; wait, or choose another --out"
    with (
        Checkpoint(folder, FINGERPRINT),
        pytest.raises(CheckpointError, match=message),
        Checkpoint(folder, FINGERPRINT),
    ):
        pass
    with Checkpoint(folder, FINGERPRINT) as checkpoint:
        assert checkpoint.saved is not None


def test_a_file_in_its_place_and_files_of_others_stay(tmp_path: Path) -> None:
    (tmp_path / "c").write_text("mine")
    with pytest.raises(CheckpointError, match="c is a file; a folder of this name is needed"):
        Checkpoint(tmp_path / "c", FINGERPRINT).__enter__()
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "notes.txt").write_text("mine")
    with Checkpoint(tmp_path / "d", FINGERPRINT) as checkpoint:
        checkpoint.save(TENSORS, NUMBERS)
        checkpoint.remove()
    assert [file.name for file in (tmp_path / "d").iterdir()] == ["notes.txt"]
