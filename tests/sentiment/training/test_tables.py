"""The same rows from wherever they lie, and what is no table refused by what is wrong with it."""

import gzip
import importlib
import io
import socket
import sys
import threading
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sentiment.errors import ConfigError, DataError
from sentiment.storage.remote import RemoteError
from sentiment.training.data.reading import read_labelled, read_soft_labelled, read_texts
from sentiment.training.recipe import Source
from sentiment.training.resume.fingerprint import files_fingerprint

SKIP_ROW = "mend or remove it, or leave it out with --skip-bad-rows"
SKIP_ROWS = "mend or remove them, or leave them out with --skip-bad-rows"
CSV = b"text,label\ngood,x\nbad,y\n"
CSV_GZ = gzip.compress(CSV, mtime=0)


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
    with socket.socket() as taken:  # bound, without a listener
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/a.csv"
        with pytest.raises(RemoteError) as caught:
            rows(url)
    assert str(caught.value).startswith(f"{url}: Cannot connect to host 127.0.0.1:")


def test_objects_folders_and_globs_of_a_store(s3: fsspec.AbstractFileSystem) -> None:
    parquet = io.BytesIO()
    pl.DataFrame({"text": ["so-so"], "label": ["z"]}).write_parquet(parquet)
    s3.pipe(
        {
            "bucket/in/a.csv": CSV,
            "bucket/in/b.parquet": parquet.getvalue(),
            "bucket/in/notes.md": b"none",
            "bucket/in/._a.csv": b"\0",
        }
    )
    assert rows("s3://bucket/in/a.csv") == ("a.csv", ["good", "bad"], ["x", "y"])
    for path, name in (("s3://bucket/in/", "in"), ("s3://bucket/in/*.*[vt]", "*.*[vt]")):
        assert rows(path) == (name, ["good", "bad", "so-so"], ["x", "y", "z"])
    with pytest.raises(DataError, match=r"^s3://bucket/gone\.csv: there is no such file"):
        rows("s3://bucket/gone.csv")
    with pytest.raises(DataError, match=r"^s3://nowhere/a\.csv: there is no bucket 'nowhere', or you may not read it$"):
        rows("s3://nowhere/a.csv")


def test_what_changes_in_a_store_changes_the_fingerprint(s3: fsspec.AbstractFileSystem) -> None:
    s3.pipe_file("bucket/u.csv", CSV)
    before = files_fingerprint("s3://bucket/u.csv")
    assert files_fingerprint("s3://bucket/u.csv") == before
    s3.pipe_file("bucket/u.csv", CSV.replace(b"bad", b"mad"))
    assert files_fingerprint("s3://bucket/u.csv") != before


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


def test_labels_are_text_whatever_the_others_are(tmp_path: Path) -> None:
    lines = [f"text {number},{number % 5}\n" for number in range(200)]
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(lines) + "late,unsure\n")
    assert rows(f"{tmp_path}/a.csv")[2][-2:] == ["4", "unsure"]
    lines = [f'{{"text": "{number}", "label": {number % 5}}}\n' for number in range(200)]
    (tmp_path / "b.jsonl").write_text("".join(lines) + '{"text": "late", "label": "unsure"}\n')
    assert rows(f"{tmp_path}/b.jsonl")[2][-2:] == ["4", "unsure"]
    (tmp_path / "c.csv").write_text("text,label\na,007\nb,True\nc,1.0\nd, cafe\u0301 \u200b\u00a0\ne,1e3\n")
    assert rows(f"{tmp_path}/c.csv")[2] == ["007", "True", "1.0", "caf\u00e9", "1e3"]
    typed = '{"text": "a", "label": 1.0}\n{"text": "b", "label": true}\n{"text": "c", "label": 1e2}\n'
    (tmp_path / "d.jsonl").write_text(typed)
    assert rows(f"{tmp_path}/d.jsonl")[2] == ["1", "true", "100"]


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (pa.array([1.5, 2.0], pa.float32()), ["1.5", "2"]),
        (pa.array([0.1, 0.2], pa.float32()), ["0.1", "0.2"]),
        (pa.array([Decimal("1.50"), Decimal("100.00")]), ["1.5", "100"]),
        (pa.array([True, False]), ["true", "false"]),
        (pa.array(["b", "a"]).dictionary_encode(), ["b", "a"]),
        (pa.array([3, 4], pa.uint8()), ["3", "4"]),
    ],
)
def test_typed_labels_are_their_shortest_decimal(tmp_path: Path, labels: pa.Array, names: list[str]) -> None:
    texts = pa.array(["good", "bad"]).dictionary_encode()
    pq.write_table(pa.table({"text": texts, "label": labels}), tmp_path / "a.parquet")
    mapped = Source(path=tmp_path / "a.parquet", label_mapping={name: f"is {name}" for name in names})
    found = read_labelled(mapped, columns=["label"])
    assert (found.texts, found.labels) == (["good", "bad"], [f"is {name}" for name in names])
    assert found.columns == {"label": names}


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", b"", "is empty; its first line should name the columns"),
        ("a.csv", b"text,label\n", "there are no rows"),
        ("a.jsonl", b"", "there are no rows"),
        ("a.csv", "text,label\ngut,x\n".encode("utf-16"), "the file holds UTF-16, not UTF-8 text; save it as UTF-8"),
        ("a.csv", "text,label\ngut,x\n".encode("utf-16-le"), "the file holds UTF-16, not UTF-8 text; save it as UTF-8"),
        ("a.csv", b"PK\x03\x04", "the file holds zip, not UTF-8 text; unpack it, or export the spreadsheet as CSV"),
        ("a.csv.gz", CSV, "the file holds UTF-8 text, not gzip; name it by what it is"),
        ("a.csv.zst", CSV_GZ, "the file holds gzip, not zstd; let its name end in .gz"),
        ("a.csv.gz", gzip.compress(CSV_GZ, mtime=0), "the file holds gzip, not UTF-8 text; let its name end in .gz"),
        ("a.parquet", CSV, "the file holds UTF-8 text, not Parquet; name it by what it is"),
        ("a.arrow", b"PAR1 no", "the file holds Parquet, not Arrow; let its name end in .parquet"),
        (
            "a.csv",
            CSV.replace(b"\n", b"\r"),
            "its lines end in a carriage return alone; save it with line feeds (LF or CRLF)",
        ),
        (
            "a.csv",
            b"text;label\ngood, really;x\n",
            "its cells are separated by ';', not by ','; --separator ';' reads it",
        ),
        (
            "a.csv",
            b'"text";"label"\n"good";"x"\n',
            "its cells are separated by ';', not by ','; --separator ';' reads it",
        ),
        (
            "a.csv",
            b"n, or so|text|label\n1|good|x\n",
            "its cells are separated by '|', not by ','; --separator '|' reads it",
        ),
        (
            "a.csv",
            b"text\tlabel\ngood\tx\n",
            "its cells are separated by '\\t', not by ','; --separator '\\t' reads it",
        ),
        ("a.tsv", b"text,label\ngood,x\n", "its cells are separated by ',', not by '\\t'; --separator ',' reads it"),
        (
            "a.csv",
            b"sep=;\ntext;label\ngood;x\n",
            "its first line is a hint for Excel, 'sep=;'; remove it, and give --separator ';'",
        ),
        ("a.csv", b"label,text,label\nx,good,y\n", "two columns are called 'label'; give each its own name"),
        (
            "a.csv",
            b"text,label\ngood,x\nbad, really,y\n",
            f"line 3 (row 2, byte 18) has 3 cells where the first line names 2 columns; {SKIP_ROW}",
        ),
        (
            "a.csv",
            b'text,label\n"good\nindeed",x\n"bad,y\n\n',
            f"line 4 (row 2, byte 27) is malformed: unexpected end of data, the first of 2 bad rows; {SKIP_ROWS}",
        ),
        (
            "a.csv",
            b'text,label\n"a 5\\" screen",x\n',
            f"line 2 (row 1, byte 11) is malformed: ',' expected after '\"'; {SKIP_ROW}",
        ),
        (
            "a.csv",
            b'text,label\na "b\rc",x\n',
            f"line 2 (row 1, byte 11) is malformed: new-line character seen in unquoted field; {SKIP_ROW}",
        ),
        ("a.csv", b"text,label\n\ngood,x\n", f"line 2 (row 1, byte 11) is a blank line; {SKIP_ROW}"),
        (
            "a.jsonl",
            b'\xef\xbb\xbf{"text": "a", "label": "x"}\n{"text": "a", "label":\n',
            f"line 2 (row 2, byte 31) is not JSON: Expecting value at character 22; {SKIP_ROW}",
        ),
        (
            "a.jsonl",
            b'{"text": "a", "label": "x"}\n{"text": "a", "label": "x", "n": NaN}\n',
            f"line 2 (row 2, byte 28) is not JSON: it has no NaN; {SKIP_ROW}",
        ),
        (
            "a.jsonl",
            b'{"text": "a", "label": ["x"]}\n',
            f"line 1 (row 1, byte 0) holds list in column 'label', not a name or a number; {SKIP_ROW}",
        ),
        (
            "a.jsonl",
            b"[1, 2]\n",
            "none of its first 1 lines is a JSON object: line 1 is not a JSON object; "
            "write each object on a line of its own",
        ),
        ("a.csv", b"\n\n" + CSV, "its first line, which should name the columns, is a blank line"),
        (
            "a.csv",
            b"\x1f\x8b\x08\0\0\0\0\0\0\x03\r\0",  # and no line feed
            "the file holds gzip, not UTF-8 text; let its name end in .gz",
        ),
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
@pytest.mark.parametrize("content", [b"\xff\xfa\0 no", b""])
def test_tables_that_are_none_are_refused(tmp_path: Path, name: str, kind: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=rf"/{name}: can't be read as {kind}: \S"):
        rows(f"{tmp_path}/{name}")


def test_separators_that_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text;label\ngood, really;x\n")
    found = read_labelled(Source(path=tmp_path / "a.csv", separator=";"))
    assert (found.texts, found.labels) == (["good, really"], ["x"])
    with pytest.raises(ConfigError, match="separator: one character between cells"):
        Source(path="a.csv", separator="||")


def test_a_column_that_is_not_used_breaks_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,text,x,label\n1,good,2,y\n")
    (tmp_path / "b.jsonl").write_text(
        '{"text": "bad", "label": "z", "x": [1]}\n{"text": "so", "label": "y", "x": "a"}\n'
    )
    texts = {"text": ["fine"], "label": ["z"]}
    table = pa.Table.from_arrays(
        [pa.array(each) for each in (["fine"], ["z"], [1], [[2]])], ["text", "label", "x", "x"]
    )
    pq.write_table(pa.table({**texts, "x": [b"\xff"]}), tmp_path / "c.parquet")
    with pa.OSFile(f"{tmp_path}/d.arrow", "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    assert rows(f"{tmp_path}") == (tmp_path.name, ["good", "bad", "so", "fine", "fine"], ["y", "z", "y", "z", "z"])


def test_rows_that_are_skipped_are_counted(tmp_path: Path) -> None:
    content = 'text,label\ngood,x\n&nbsp;<br>,x\n\u200b,y\nbad\n"b"ad,y\n,\nfine,\nbad,y\n'
    (tmp_path / "a.csv").write_text(content)
    source = Source(path=tmp_path / "a.csv")
    found = read_labelled(source, skip_empty=True, skip_bad_rows=True)
    assert (found.texts, found.labels, found.skipped, found.unreadable) == (["good", "bad"], ["x", "y"], 3, 3)
    assert [str(found.origin(place)) for place in (0, 1)] == [f"{tmp_path}/a.csv: row {row}" for row in (1, 8)]
    for option, cure, line in (("skip_empty", "--skip-bad-rows", 5), ("skip_bad_rows", "--skip-empty", 3)):
        with pytest.raises(DataError, match=rf"a\.csv: line {line} .*; mend .* with {cure}$"):
            read_labelled(source, **{option: True})
