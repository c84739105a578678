"""Public sets, from archives of the form that those who made them publish, on a server of this machine."""

import hashlib
import io
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from sentiment.cli import main
from sentiment.errors import ConfigError, DataError
from sentiment.training.data import public_sets
from sentiment.training.data.reading import read_labelled
from sentiment.training.recipe import Source
from tests.sentiment.storage.web_files import WebFiles, web_files

TREES = {
    "train": "(3 (2 It) (4 (2 's) (4 (3 lovely) (2 -LRB-)))) \n(1 (2 It) (1 (2 's) (0 awful)))\n",
    "dev": "(2 (2 So) (2 what))\n",
    "test": "(0 (2 No) (2 .))\n",
}


def reviews() -> bytes:
    """A small aclImdb_v1.tar.gz, with members that would leave the folder, or are none of its reviews."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, text in {
            "aclImdb/README": "read me",
            "aclImdb/train/pos/10_9.txt": "Très bien.<br />Go!",
            "aclImdb/train/neg/2_1.txt": "No, thanks.",
            "aclImdb/train/neg/10_3.txt": "Dull.",
            "aclImdb/train/unsup/0_0.txt": "Who knows?",
            "aclImdb/test/pos/0_10.txt": "Superb.",
            "aclImdb/test/neg/0_2.txt": "Poor.",
            "../outside.txt": "evil",
            "/tmp/aclImdb/train/pos/1_9.txt": "evil",
            "aclImdb/train/pos/../../../../1_9.txt": "evil",
        }.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
        link = tarfile.TarInfo("aclImdb/train/pos/3_9.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return content.getvalue()


def trees(**parts: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for split, lines in (TREES | parts).items():
            archive.writestr(f"trees/{split}.txt", lines)
        archive.writestr("../outside.txt", "evil")
    return content.getvalue()


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebFiles]:
    """A server that gives both archives, and the sets as they lie there."""
    files = {"/aclImdb_v1.tar.gz": reviews(), "/trainDevTestTrees_PTB.zip": trees()}
    with web_files(files) as served:
        serve(served, monkeypatch)
        yield served


def serve(web: WebFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, public in public_sets.SETS.items():
        path = f"/{public.url.rsplit('/', 1)[-1]}"
        digest = hashlib.sha256(web.files[path]).hexdigest()
        monkeypatch.setitem(public_sets.SETS, name, replace(public, url=web.url + path, sha256=digest))


def command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["sentiment", "data", "fetch", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def rows(path: Path) -> list[tuple[object, ...]]:
    return pl.read_parquet(path).rows()


def test_film_reviews(
    web: WebFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "data" / "imdb"
    assert command(monkeypatch, "imdb", folder) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{folder}/imdb_train.parquet: 3 rows",
        f"{folder}/imdb_test.parquet: 2 rows",
        f"{folder}/imdb_unlabelled.parquet: 1 rows",
    ]
    assert rows(folder / "imdb_train.parquet") == [
        ("neg/10_3", "Dull.", "negative", 3),
        ("neg/2_1", "No, thanks.", "negative", 1),
        ("pos/10_9", "Très bien.<br />Go!", "positive", 9),
    ]
    assert rows(folder / "imdb_test.parquet") == [
        ("neg/0_2", "Poor.", "negative", 2),
        ("pos/0_10", "Superb.", "positive", 10),
    ]
    assert rows(folder / "imdb_unlabelled.parquet") == [("unsup/0_0", "Who knows?")]
    # Nothing else is there, neither in the folder nor out of it: no name in an archive is a path.
    assert sorted(path.name for path in tmp_path.rglob("*")) == sorted(
        ["data", "imdb", "aclImdb_v1.tar.gz", *(f"imdb_{name}.parquet" for name in ("test", "train", "unlabelled"))]
    )


def test_sentences_and_their_phrases(web: WebFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert command(monkeypatch, "sst", tmp_path) == 0
    assert rows(tmp_path / "sst_train.parquet") == [
        (0, "It 's lovely (", "positive", "positive"),
        (1, "It 's awful", "negative", "negative"),
    ]
    assert rows(tmp_path / "sst_dev.parquet") == [(0, "So what", "neutral", "neutral")]
    assert rows(tmp_path / "sst_test.parquet") == [(0, "No .", "negative", "very negative")]
    assert rows(tmp_path / "sst_train_phrases.parquet") == [
        ("It", "neutral", "neutral", 0, 0),
        ("'s", "neutral", "neutral", 0, 0),
        ("lovely", "positive", "positive", 0, 0),
        ("(", "neutral", "neutral", 0, 0),
        ("lovely (", "positive", "very positive", 0, 0),
        ("'s lovely (", "positive", "very positive", 0, 0),
        ("It 's lovely (", "positive", "positive", 1, 0),
        ("awful", "negative", "very negative", 0, 1),
        ("'s awful", "negative", "negative", 0, 1),
        ("It 's awful", "negative", "negative", 1, 1),
    ]
    five = read_labelled(Source(path=f"{tmp_path}/sst_train.parquet", label_column="label5"))
    assert (five.texts[1], five.labels[1]) == ("It 's awful", "negative")


def test_a_cut_is_gone_on_from_and_what_is_there_is_not_fetched_again(
    web: WebFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    web.breaks += [100, 0]
    assert command(monkeypatch, "sst", tmp_path) == 2
    assert "; 100 bytes are in " in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["trainDevTestTrees_PTB.zip.partial"]
    for _ in range(2):
        assert command(monkeypatch, "sst", tmp_path) == 0
    assert [ranged for _, ranged in web.asked] == [None, "bytes=100-", "bytes=100-"]
    assert len(rows(tmp_path / "sst_train.parquet")) == 2


def test_an_altered_archive_is_refused_by_name(
    web: WebFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    web.files["/trainDevTestTrees_PTB.zip"] = trees(dev="(4 (2 So) (2 what))\n")
    assert command(monkeypatch, "sst", tmp_path) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {web.url}/trainDevTestTrees_PTB.zip: its SHA-256 is ")
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("line", ["(3 (2 It) (4 works)", "(3 (2 It)) (2 works)", "(3 It))", "It works", "", "(5 It)"])
def test_what_is_no_tree_is_named_by_its_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.zip").write_bytes(trees(dev=f"(2 So)\n{line}\n(2 what)\n"))
    with pytest.raises(DataError) as refused:
        public_sets.sst_tables(tmp_path / "a.zip")
    assert str(refused.value) == f"dev.txt line 2 is not a tree: {line!r}"


def test_what_is_no_set_and_what_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="^there is no public set 'yelp'; there are imdb, sst$"):
        public_sets.fetch("yelp", tmp_path)
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(DataError, match=r"a\.txt: can't be made: File exists; choose another folder$"):
        public_sets.fetch("sst", tmp_path / "a.txt")


def test_the_sets_are_those_that_are_published() -> None:
    assert [(public.url.split("/")[2], len(public.sha256)) for public in public_sets.SETS.values()] == [
        ("ai.stanford.edu", 64),
        ("nlp.stanford.edu", 64),
    ]
