import io
import sys
from pathlib import Path

import pytest

from sentiment.errors import DataError
from sentiment.scoring.files import check_output, open_input, writer_for
from sentiment.scoring.rows import RowWindow, Selection


@pytest.mark.parametrize(
    ("name", "content", "texts"),
    [
        ("in.csv", b"text,n\ngood,1\n", ["good"]),
        ("in.CSV", b"text,n\ngood,1\n", ["good"]),
        ("in.tsv", b"text\tn\ngood, bad\t1\n", ["good, bad"]),
        ("in.jsonl", b'{"text": "good"}\n', ["good"]),
        ("in.ndjson", b'{"text": "good"}\n', ["good"]),
        ("in.txt", b"good, bad\n", ["good, bad"]),
    ],
)
def test_the_suffix_says_the_format(tmp_path: Path, name: str, content: bytes, texts: list[str]) -> None:
    (tmp_path / name).write_bytes(content)
    with open_input(tmp_path / name, Selection("text", ())) as source:
        [(window, end)] = source.windows(source.start, 10)
        assert window.texts == texts
        assert source.fraction(end) == 1.0
        assert source.is_end(end)


def test_inputs_that_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    known = ".csv, .tsv, .jsonl, .ndjson, .parquet, .txt"
    for name, reason in {
        "in.xlsx": f"the suffix says the format, and score scores {known}, not '.xlsx'",
        "in": f"the suffix says the format, and score scores {known}, not ''",
        "in.csv.gz": f"the suffix says the format, and score scores {known}, not '.gz'",
        "folder.csv": "is a folder; give a file",
        "missing.csv": "there is no such file",
    }.items():
        with pytest.raises(DataError) as caught, open_input(tmp_path / name, Selection("text", ())):
            pass
        assert str(caught.value) == f"{tmp_path / name}: {reason}"


def test_outputs_that_are_refused(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.touch()
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "same.csv").symlink_to(source)
    known = ".csv, .tsv, .jsonl, .ndjson, .parquet"
    for name, reason in {
        "out.txt": f"the suffix says the format, and score writes {known}, not '.txt'",
        "folder.csv": "is a folder; give a file",
        "none/out.csv": f"there is no folder {tmp_path / 'none'}",
        "in.csv": "is the input too; give the output another name",
        "same.csv": "is the input too; give the output another name",
    }.items():
        with pytest.raises(DataError) as caught:
            check_output(tmp_path / name, source)
        assert str(caught.value) == f"{tmp_path / name}: {reason}"
    check_output(tmp_path / "out.csv", source)


def test_parquet_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("sentiment.scoring.table_writer", "sentiment.scoring.table_reader"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError) as caught:
        writer_for(Path("out.parquet"), io.BytesIO(), RowWindow(1, [], ["text"], "text"), {}, first=True)
    assert str(caught.value) == "out.parquet: Parquet needs pyarrow; pip install 'sentiment-bilstm[score]'"
