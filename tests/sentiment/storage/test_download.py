"""A file of a web server comes whole, however often the connection breaks, or not at all."""

import hashlib
import random
import re
import socket
from pathlib import Path

import pytest

from sentiment.errors import DataError
from sentiment.storage.download import digest, download
from tests.sentiment.storage.web_files import web_files

CONTENT = random.Random(0).randbytes(1 << 20)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def test_a_file_comes_once(tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    with web_files({"/a.zip": CONTENT}) as web:
        for _ in range(2):
            download(f"{web.url}/a.zip", tmp_path / "a.zip", SHA256, lambda done, total: seen.append((done, total)))
        assert web.asked == [("/a.zip", None)]
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]
    assert digest(tmp_path / "a.zip") == SHA256


def test_connections_that_break_are_gone_on_from_where_they_broke(tmp_path: Path) -> None:
    with web_files({"/a.zip": CONTENT}, breaks=[1, 300_000, 400_000]) as web:
        download(f"{web.url}/a.zip", tmp_path / "a.zip", SHA256)
        assert web.asked == [("/a.zip", ranged) for ranged in (None, "bytes=1-", "bytes=300001-", "bytes=700001-")]
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_the_same_call_goes_on_after_the_server_was_gone(tmp_path: Path) -> None:
    target = tmp_path / "a.zip"
    with web_files({"/a.zip": CONTENT}, breaks=[500_000, 0]) as web:
        kept = rf"the connection failed: .+; 500,000 bytes are in {target}\.partial, and the same command resumes"
        with pytest.raises(DataError, match=kept):
            download(f"{web.url}/a.zip", target, SHA256)
        assert not target.exists()
        download(f"{web.url}/a.zip", target, SHA256)
        assert web.asked[-1] == ("/a.zip", "bytes=500000-")
    assert target.read_bytes() == CONTENT


def test_a_process_that_ended_before_the_last_step_has_all_of_it(tmp_path: Path) -> None:
    (tmp_path / "a.zip.partial").write_bytes(CONTENT)
    with web_files({"/a.zip": CONTENT}) as web:
        download(f"{web.url}/a.zip", tmp_path / "a.zip", SHA256)
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_a_server_without_ranges_begins_anew(tmp_path: Path) -> None:
    with web_files({"/a.zip": CONTENT}, breaks=[500_000], ranges=False) as web:
        download(f"{web.url}/a.zip", tmp_path / "a.zip", SHA256)
        assert len(web.asked) == 2
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_another_file_is_refused_by_its_sum_and_not_kept(tmp_path: Path) -> None:
    other = hashlib.sha256(b"another").hexdigest()
    with web_files({"/a.zip": b"another"}) as web:
        with pytest.raises(DataError) as refused:
            download(f"{web.url}/a.zip", tmp_path / "a.zip", SHA256)
        assert str(refused.value) == (
            f"{web.url}/a.zip: its SHA-256 is {other}, not {SHA256}: it is another file, or was altered on the way; "
            "none of it was kept"
        )
    assert list(tmp_path.iterdir()) == []


def test_another_file_in_its_place_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"another")
    with pytest.raises(DataError, match=rf"a\.zip: its SHA-256 is \w+, not {SHA256}; remove it"):
        download("http://127.0.0.1:1/a.zip", tmp_path / "a.zip", SHA256)
    assert (tmp_path / "a.zip").read_bytes() == b"another"


def test_what_a_server_refuses_is_said(tmp_path: Path) -> None:
    with web_files({}) as web, pytest.raises(DataError, match=r"/a\.zip: the server answers 404 Not Found$"):
        download(f"{web.url}/a.zip", tmp_path / "a.zip", SHA256)


def test_a_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:  # bound, without a listener
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/a.zip"
        with pytest.raises(DataError, match=re.escape(f"{url}: the connection failed: ") + ".*refused$"):
            download(url, tmp_path / "a.zip", SHA256)
