import gzip
import io
import sys

import pyarrow as pa
import pytest

from sentiment.errors import ConfigError, DataError
from sentiment.scoring.formats.files import open_source, writer_for
from sentiment.scoring.formats.rows import Selection, TextRowBatch
from sentiment.scoring.settings import ScoringSettings
from sentiment.storage.formats import Format


@pytest.mark.parametrize(
    ("name", "content", "texts"),
    [
        ("in.CSV", b"text,n\ngood,1\n", ["good"]),
        ("in.tsv", b"text\tn\ngood, bad\t1\n", ["good, bad"]),
        ("in.ndjson", b'{"text": "good"}\n', ["good"]),
        ("in.2024.csv.gz", gzip.compress(b"text,n\ngood,1\n", mtime=0), ["good"]),
        ("in.jsonl.ZST", pa.compress(b'{"text": "good"}\n', "zstd", asbytes=True), ["good"]),
    ],
)
def test_the_suffix_says_the_format(name: str, content: bytes, texts: list[str]) -> None:
    with open_source(io.BytesIO(content), name, Selection("text", ())) as source:
        [(row_batch, _)] = source.row_batches(source.start, 10, 10)
        assert row_batch.texts == texts


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("in.csv", gzip.compress(b"text\n", mtime=0), "the file holds gzip, not UTF-8 text; let its name end in .gz"),
        ("in.txt.gz", b"good\n", "the file holds UTF-8 text, not gzip; name it by what it is"),
        ("in.txt", "good".encode("utf-16-be"), "the file holds UTF-16, not UTF-8 text; save it as UTF-8"),
        ("in.arrow", b"PAR1", "the file holds Parquet, not Arrow; let its name end in .parquet"),
        ("in.txt", b"good\rbad\r", "its lines end in a carriage return alone; save it with line feeds"),
        ("in.csv", b"id;text\n1;so, so\n", "its cells are separated by ';', not by ','; --separator ';' reads it"),
        ("in.csv", b"sep=;\nid;text\n", "its first line is a hint for Excel, 'sep=;'; remove it, and give --sep"),
    ],
)
def test_what_a_file_holds_is_said_before_anything_else(name: str, content: bytes, message: str) -> None:
    with (
        pytest.raises(DataError, match=f"^{name}: {message}"),
        open_source(io.BytesIO(content), name, Selection("text", ())),
    ):
        pass


@pytest.mark.parametrize("content", [b"\xff\xfa\xf0", b"caf\xe9\n", b"a\0b\n", "\u4e2d".encode()[:2], b"PAR"])
def test_bytes_that_are_nothing_known_are_left_to_the_reader(content: bytes) -> None:
    with open_source(io.BytesIO(content), "in.txt", Selection("text", ())) as source:
        assert len(list(source.row_batches(source.start, 10, 10))) == 1


def test_a_separator_takes_the_place_of_the_suffix() -> None:
    selection = Selection("text", (), separator=";")
    with open_source(io.BytesIO(b"id;text\n1;so, so\n"), "in.csv", selection) as source:
        [(row_batch, _)] = source.row_batches(source.start, 10, 10)
    assert row_batch.values([0]) == [{"id": "1", "text": "so, so"}]
    for separator in ("", ";;", '"', "\n"):
        with pytest.raises(ConfigError, match="separator: one character between cells"):
            ScoringSettings(separator=separator)


def test_a_row_is_located_in_the_lines_of_its_file() -> None:
    content = b'\xef\xbb\xbfid,text\r\n1,"two\r\nlines"\r\n2,good\r\n'
    with open_source(io.BytesIO(content), "in.csv", Selection("text", ())) as source:
        [(row_batch, _)] = source.row_batches(source.start, 10, 10)
        assert source.locate(row_batch, 1) == "line 4 (row 2, byte 28)"


def test_parquet_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (
        "sentiment.scoring.formats.arrow.writer",
        "sentiment.scoring.formats.arrow.reader",
        "sentiment.scoring.formats.arrow.files",
    ):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    head = TextRowBatch(1, [], ["text"], "text")
    with pytest.raises(DataError) as caught:
        writer_for(Format(".parquet"), io.BytesIO(), head, {}, names=True, escape_formulas=True)
    assert str(caught.value) == ".parquet output: needs pyarrow; pip install 'sentiment-bilstm[score]'"
