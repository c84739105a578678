import gzip
import io
import sys

import pyarrow as pa
import pytest

from sentiment.errors import DataError
from sentiment.scoring.files import open_source, writer_for
from sentiment.scoring.rows import RowWindow, Selection
from sentiment.storage.formats import Format


@pytest.mark.parametrize(
    ("name", "content", "texts"),
    [
        ("in.csv", b"text,n\ngood,1\n", ["good"]),
        ("in.CSV", b"text,n\ngood,1\n", ["good"]),
        ("in.tsv", b"text\tn\ngood, bad\t1\n", ["good, bad"]),
        ("in.jsonl", b'{"text": "good"}\n', ["good"]),
        ("in.ndjson", b'{"text": "good"}\n', ["good"]),
        ("in.txt", b"good, bad\n", ["good, bad"]),
        ("in.2024.csv.gz", gzip.compress(b"text,n\ngood,1\n", mtime=0), ["good"]),
        ("in.jsonl.ZST", pa.compress(b'{"text": "good"}\n', "zstd", asbytes=True), ["good"]),
    ],
)
def test_the_suffix_says_the_format(name: str, content: bytes, texts: list[str]) -> None:
    with open_source(io.BytesIO(content), name, Selection("text", ())) as source:
        [(window, _)] = source.windows(source.start, 10, 10)
        assert window.texts == texts


def test_parquet_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("sentiment.scoring.table_writer", "sentiment.scoring.table_reader", "sentiment.scoring.table_files"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    head = RowWindow(1, [], ["text"], "text")
    with pytest.raises(DataError) as caught:
        writer_for(Format(".parquet"), io.BytesIO(), head, {}, names=True, escape_formulas=True)
    assert str(caught.value) == ".parquet output: needs pyarrow; pip install 'sentiment-bilstm[score]'"
