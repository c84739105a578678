"""The same rows from wherever they lie, and what is no table refused by what is wrong with it."""

import gzip
import importlib
import io
import socket
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import polars as pl
import pytest

from sentiment.errors import DataError
from sentiment.storage.remote import RemoteError
from sentiment.training.identity import files_identity
from sentiment.training.reading import read_labelled, read_soft_labelled, read_texts
from sentiment.training.recipe import Source

CSV = b"text,label\ngood,x\nbad,y\n"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """The address of a plain web server, which knows no byte ranges, for a folder with two files."""
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "a.csv").write_bytes(CSV)
    (tmp_path / "web" / "b.jsonl.gz").write_bytes(gzip.compress(b'{"text": "so-so", "label": "z"}\n'))
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "web"))) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def rows(path: str) -> tuple[str, list[str], list[str]]:
    data = read_labelled(Source(path=path))
    return data.name, data.texts, data.labels


def test_files_of_a_web_server(web: str) -> None:
    assert rows(f"{web}/a.csv?download=true") == ("a.csv", ["good", "bad"], ["x", "y"])
    assert rows(f"{web}/b.jsonl.gz") == ("b.jsonl.gz", ["so-so"], ["z"])
    with pytest.raises(DataError, match=r"/gone\.csv: there is no such file$"):
        rows(f"{web}/gone.csv")


def test_a_web_server_that_does_not_answer_is_said_to_be_the_fault() -> None:
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/a.csv"
        with pytest.raises(RemoteError) as caught:
            rows(url)
    assert str(caught.value).startswith(f"{url}: Cannot connect to host 127.0.0.1:")


def test_objects_folders_and_globs_of_a_store(s3: fsspec.AbstractFileSystem) -> None:
    parquet = io.BytesIO()
    pl.DataFrame({"text": ["so-so"], "label": ["z"]}).write_parquet(parquet)
    s3.pipe({"bucket/in/a.csv": CSV, "bucket/in/b.parquet": parquet.getvalue(), "bucket/in/notes.md": b"none"})
    assert rows("s3://bucket/in/a.csv") == ("a.csv", ["good", "bad"], ["x", "y"])
    for path, name in (("s3://bucket/in/", "in"), ("s3://bucket/in/*.*[vt]", "*.*[vt]")):
        assert rows(path) == (name, ["good", "bad", "so-so"], ["x", "y", "z"])
    with pytest.raises(DataError, match=r"^s3://bucket/gone\.csv: there is no such file$"):
        rows("s3://bucket/gone.csv")
    with pytest.raises(
        DataError, match=r"^s3://nowhere/a\.csv: there is no bucket 'nowhere', or it isn't yours to read$"
    ):
        rows("s3://nowhere/a.csv")


def test_what_changes_in_a_store_changes_the_identity(s3: fsspec.AbstractFileSystem) -> None:
    s3.pipe_file("bucket/u.csv", CSV)
    before = files_identity("s3://bucket/u.csv")
    assert files_identity("s3://bucket/u.csv") == before
    s3.pipe_file("bucket/u.csv", CSV.replace(b"bad", b"mad"))
    assert files_identity("s3://bucket/u.csv") != before


def test_a_client_that_is_missing_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    clients = importlib.import_module("fsspec.registry")._registry  # those loaded already
    for scheme, module, cure in (
        ("gs", "gcsfs", "pip install gcsfs"),
        ("hf", "huggingface_hub", "pip install huggingface_hub"),
        ("s3", "s3fs", "pip install 'sentiment-bilstm[remote]'"),
    ):
        monkeypatch.setitem(sys.modules, module, None)
        monkeypatch.delitem(clients, scheme, raising=False)
        with pytest.raises(DataError) as caught:
            rows(f"{scheme}://datasets/a/b.csv")
        assert str(caught.value) == f"{scheme}://datasets/a/b.csv: a package is missing: {cure}"


def test_folders_and_globs_are_one_set_of_rows(tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "b.csv").write_bytes(CSV)
    (tmp_path / "in" / "a.tsv").write_bytes(b"label\ttext\n3\tso-so\n")
    (tmp_path / "in" / "deep" / "c.jsonl").write_text('{"text": "fine", "label": 4}\n')
    (tmp_path / "in" / "none.csv").write_text("text,label\n")
    assert rows(f"{tmp_path}/in") == ("in", ["so-so", "good", "bad", "fine"], ["3", "x", "y", "4"])
    assert rows(f"{tmp_path}/in/**/*.[cj]*") == ("*.[cj]*", ["good", "bad", "fine"], ["x", "y", "4"])
    assert read_texts(Source(path=f"{tmp_path}/in/*.csv")) == ["good", "bad"]
    with pytest.raises(DataError, match=r"/x\*\.csv: there is no such file$"):
        rows(f"{tmp_path}/x*.csv")
    soft = [f"{tmp_path}/soft-{number}.csv" for number in range(2)]
    for number, path in enumerate(soft):
        Path(path).write_text(f"text,x,y\ngood {number},0.{number + 1},0.{9 - number}\n")
    found = read_soft_labelled(Source(path=f"{tmp_path}/soft-*.csv", soft_labels=True), ("x", "y"))
    assert found.probabilities == [{"x": 0.1, "y": 0.9}, {"x": 0.2, "y": 0.8}]


def test_types_are_those_of_all_rows(tmp_path: Path) -> None:
    lines = [f"text {number},{number % 5}\n" for number in range(200)]
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(lines) + "late,unsure\n")
    assert rows(f"{tmp_path}/a.csv")[2][-2:] == ["4", "unsure"]
    lines = [f'{{"text": "{number}", "label": {number % 5}}}\n' for number in range(200)]
    (tmp_path / "b.jsonl").write_text("".join(lines) + '{"text": "late", "label": "unsure"}\n')
    assert rows(f"{tmp_path}/b.jsonl")[2][-2:] == ["4", "unsure"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", b"", "the file is empty"),
        ("a.csv", b"text,label\n", "there are no rows, only the names of columns"),
        ("a.csv", "text,label\ngut,x\n".encode("utf-16"), "the file is UTF-16; save it as UTF-8"),
        ("a.tsv", b"text\0\tlabel\n", "the file is not text; save it as UTF-8"),
        ("a.csv", b"text,label\ncaf\xe9,x\n", "the file is not UTF-8 (it holds the byte 0xe9); save it as UTF-8"),
        ("a.csv", b"text;label\ngood;x\n", "its cells are separated by ';', not by ','; save it with ','"),
        ("a.csv", b"text\tlabel\ngood\tx\n", "its cells are separated by '\\t', not by ','; call it .tsv"),
        ("a.tsv", b"text,label\ngood,x\n", "its cells are separated by ',', not by '\\t'; call it .csv"),
        (
            "a.csv",
            b"text,label\ngood,x\nbad, really,y\n",
            "line 3 has 3 cells, and the first line 2; put quotes around a cell that holds ','",
        ),
        ("a.csv", b'text,label\ngood,x\n"bad,y\n', "line 3: unexpected end of data"),
        (
            "a.jsonl",
            b'{"text": "a", "label": "x"}\n\n{"text": "a", "label":\n',
            "line 3 is no JSON object: Expecting value at character 24; mend or remove it",
        ),
        ("a.jsonl", b"[1, 2]\n", 'line 1 is no JSON object; a line is one, as {"text": …, "label": …}'),
        (
            "a.jsonl.gz",
            gzip.compress(CSV, mtime=0),
            "line 1 is no JSON object: Expecting value at character 1; mend or remove it",
        ),
        ("a.csv.gz", CSV, "can't be unpacked as gzip after 0 bytes of text: Not a gzipped file (b'te')"),
    ],
)
def test_what_is_no_table_is_refused_by_what_is_wrong_with_it(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        rows(f"{tmp_path}/{name}")
    assert str(caught.value) == f"{tmp_path}/{name}: {reason}"


@pytest.mark.parametrize(("name", "kind"), [("a.parquet", "Parquet"), ("a.arrow", "Arrow")])
def test_tables_that_are_none_are_refused(tmp_path: Path, name: str, kind: str) -> None:
    for content in (b"PAR1 no", CSV, b""):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=rf"/{name}: is no {kind} file, or not a whole one: \S.*; write it anew$"):
            rows(f"{tmp_path}/{name}")
