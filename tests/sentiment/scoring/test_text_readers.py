import io
import json

import pytest

from sentiment.errors import DataError
from sentiment.scoring.formats.rows import FileOffset, Selection, TextRowBatch
from sentiment.scoring.formats.text import readers as text_readers
from sentiment.scoring.formats.text.readers import TextSource, csv_source, json_source, line_source

SELECTION = Selection("text", ("label", "tokens"))


def row_batches_of(source: TextSource) -> list[TextRowBatch]:
    return [row_batch for row_batch, _ in source.row_batches(source.start, 1000, 1000)]


def csv_of(content: bytes) -> list[TextRowBatch]:
    return row_batches_of(csv_source(io.BytesIO(content), "in.csv", SELECTION, ","))


def json_of(content: bytes) -> list[TextRowBatch]:
    return row_batches_of(json_source(io.BytesIO(content), "in.jsonl", SELECTION))


def lines_of(content: bytes) -> list[TextRowBatch]:
    return row_batches_of(line_source(io.BytesIO(content), "in.txt", SELECTION))


def faults_of(row_batch: TextRowBatch) -> dict[bytes, str]:
    return {row_batch.raw(index): reason for index, reason in row_batch.faults.items()}


def test_csv_cells_are_text_quotes_and_line_breaks_included() -> None:
    [row_batch] = csv_of(b'\xef\xbb\xbfid,text,n\r\n007,"said ""no"",\nthen left",1.50\r\n8,caf\xc3\xa9,')
    assert row_batch.columns == ["id", "text", "n"]
    assert row_batch.values([0, 1]) == [
        {"id": "007", "text": 'said "no",\nthen left', "n": "1.50"},
        {"id": "8", "text": "café", "n": ""},
    ]
    assert row_batch.faults == {}


def test_csv_faults_name_each_bad_record_and_leave_its_neighbours_alone() -> None:
    [row_batch] = csv_of(
        b'id,text\n1,good\n2,caf\xe9\r\n3,a,b\n4\n\n6,"open\n7,"closed"\n8,"x"y\n9,fine\n10,"never closed\n11,last'
    )
    assert [text for index, text in enumerate(row_batch.texts) if index not in row_batch.faults] == [
        "good", "closed", "fine", "last",
    ]  # fmt: skip
    assert faults_of(row_batch) == {
        b"2,caf\xe9": "is not UTF-8: byte 0xe9",
        b"3,a,b": "has 3 cells where the first line names 2 columns",
        b"4": "has 1 cells where the first line names 2 columns",
        b"": "is a blank line",
        b'6,"open': "is malformed: ',' expected after '\"'",
        b'8,"x"y': "is malformed: ',' expected after '\"'",
        b'10,"never closed': "is malformed: unexpected end of data",
    }


def test_a_cell_past_the_limit_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_readers, "MAX_CELL_CHARACTERS", 10)
    [row_batch] = csv_of(b"text\n" + b"x" * 11 + b"\nfine\n")
    assert row_batch.faults == {0: "is malformed: field larger than field limit (10)"}
    assert row_batch.texts == [None, "fine"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; its first line should name the columns"),
        (b"id,t\xffxt\n", "its first line, which should name the columns, is not UTF-8: byte 0xff"),
        (b'"id,text\n1,a\n', "its first line, which should name the columns, is malformed: "),
        (b"id,review\n1,a\n", "there is no column 'text'; there are 'id', 'review'"),
        (b"\n1,a\n", "its first line, which should name the columns, is a blank line"),
        (b"text,tokens\n", "there is a column 'tokens' already, and one is added; give those added a --prefix"),
    ],
)
def test_csv_files_that_cannot_be_read_at_all(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=f"^in.csv: {message}"):
        csv_of(content)


def test_json_values_keep_their_types_and_rows_their_keys() -> None:
    [row_batch] = json_of(b'{"id": 12345678901234567890123, "text": "a"}\r\n{"text": "b", "tags": ["\\ud83d\\ude00"]}')
    assert row_batch.columns == ["id", "text", "tags"]
    assert row_batch.values([0, 1]) == [{"id": 12345678901234567890123, "text": "a"}, {"text": "b", "tags": ["😀"]}]
    assert row_batch.faults == {}


def test_json_faults() -> None:
    deep, digits = b"[" * 100_000, b"9" * 5000
    [row_batch] = json_of(
        b'{"text": "fine"}\n{"text": \n[1]\n\n{"text": "x", "n": NaN}\n{"text": "x", "n": "\\ud800"}\n"\xff"\n'
        + deep
        + b'\n{"id": 1}\n{"id": '
        + digits
        + b"}\n"
    )
    assert row_batch.texts[8] is None
    faults = faults_of(row_batch)
    assert faults.pop(b'{"id": ' + digits + b"}").endswith("value has 5000 digits")  # and no word of sys
    assert faults.pop(deep) == "is nested too deep"
    assert faults == {
        b'{"text": ': "is not JSON: Expecting value at character 8",
        b"[1]": "is not a JSON object",
        b"": "is a blank line",
        b'{"text": "x", "n": NaN}': "is not JSON: it has no NaN",
        b'{"text": "x", "n": "\\ud800"}': "holds a lone surrogate: it is not valid Unicode",
        b'"\xff"': "is not UTF-8: byte 0xff",
    }


def test_white_space_that_json_has_not_is_a_fault() -> None:
    [row_batch] = json_of(' \t{"text": "a"} \r\n\xa0{"text": "b"}\n{"text": "c"}\u2028\n{"text": "d"}\x1c\n'.encode())
    assert row_batch.json_objects([0]) == [b'{"text": "a"}']
    assert list(row_batch.faults.items()) == [
        (1, "is not JSON: Expecting value at character 0"),
        (2, "is not JSON: Extra data at character 13"),
        (3, "is not JSON: Extra data at character 13"),
    ]


def test_a_later_row_that_has_an_added_column_is_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_readers, "BATCH_ROWS", 2)
    row_batches = json_of(b'{"text": "a"}\n{"text": "b"}\n{"text": "c", "label": 1}\n')
    assert [row_batch.faults for row_batch in row_batches] == [{}, {0: "has 'label', the name of an added column"}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b'{"review": "a", "id": 1}\n',
            "there is no column 'text'; there are 'review', 'id'; --text-column names another",
        ),
        (
            b'{"text": "a"}\n{"text": "b", "label": 1}\n',
            "there is a column 'label' already, and one is added; give those ",
        ),
        (
            b"id,text\n1,a\n",
            "none of its first 2 lines is a JSON object: line 1 is not JSON: .*; write each object on a line",
        ),
    ],
)
def test_json_files_that_cannot_be_read_at_all(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=f"^in.jsonl: {message}"):
        json_of(content)


def test_plain_lines_are_texts_blank_ones_included() -> None:
    [row_batch] = lines_of(b"good\r\n\n caf\xe9\nlast\x00")
    assert row_batch.columns == ["text"]
    assert row_batch.texts == ["good", "", None, "last\x00"]
    assert row_batch.faults == {2: "is not UTF-8: byte 0xe9"}


def test_a_text_column_named_like_an_added_one_is_refused() -> None:
    with pytest.raises(DataError, match="there is a column 'label' already"):
        line_source(io.BytesIO(b"good\n"), "in.txt", Selection("label", ("label",)))


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf"])
def test_an_empty_file_has_no_window_but_a_head(content: bytes) -> None:
    for source in (
        json_source(io.BytesIO(content), "in.jsonl", SELECTION),
        line_source(io.BytesIO(content), "in.txt", SELECTION),
        csv_source(io.BytesIO(content + b"id,text\n"), "in.csv", SELECTION, ","),
    ):
        assert row_batches_of(source) == []
        assert list(source.head.texts) == []


CONTENTS = {
    "csv": b'\xef\xbb\xbfid,text\r\n1,"two\nlines"\n2,caf\xe9\n3,"open\n4,good\n5,\n6,"x"y\n7,last',
    "jsonl": b'\xef\xbb\xbf{"id": 1, "text": "a"}\n{\n\n{"text": "d"}\r\n[]\n{"text": "\xff"}\n{"text": "g"}',
    "txt": b"\xef\xbb\xbfone\n\ncaf\xe9\r\nfour\nfive\nsix\nseven",
}


def source_of(kind: str) -> TextSource:
    file = io.BytesIO(CONTENTS[kind])
    if kind == "csv":
        return csv_source(file, "in.csv", SELECTION, ",")
    return (json_source if kind == "jsonl" else line_source)(file, f"in.{kind}", SELECTION)


@pytest.mark.parametrize("kind", CONTENTS)
@pytest.mark.parametrize("shard_rows", [1, 2, 3, 7])
def test_a_row_starts_at_its_offset_and_reading_goes_on_from_any_position(kind: str, shard_rows: int) -> None:
    [whole] = row_batches_of(source_of(kind))
    assert len(whole.texts) == 7
    assert all(CONTENTS[kind][whole.offset(index) :].startswith(whole.raw(index)) for index in range(7))

    def facts(start: FileOffset, rows_left: int) -> list[tuple[int, list[tuple[bytes, int, str | None]], FileOffset]]:
        found = source_of(kind).row_batches(start, rows_left, shard_rows)  # a new one, as in a new process
        return [(row_batch.first_row, rows_of(row_batch), end) for row_batch, end in found]

    def rows_of(row_batch: TextRowBatch) -> list[tuple[bytes, int, str | None]]:
        indices = range(len(row_batch.texts))
        return [(row_batch.raw(index), row_batch.offset(index), row_batch.faults.get(index)) for index in indices]

    shards = facts(source_of(kind).start, shard_rows)
    assert [row for _, rows, _ in shards for row in rows] == rows_of(whole)
    assert [first_row for first_row, _, _ in shards] == list(range(1, 8, shard_rows))
    for number, (_, _, end) in enumerate(shards, 1):
        assert facts(end, shard_rows) == shards[number:]


def test_windows_are_bounded_by_rows_and_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_readers, "BATCH_ROWS", 3)
    monkeypatch.setattr(text_readers, "BATCH_BYTES", 100)
    texts = ["a", "b", "c", "d", "e" * 100, "f", "g"]
    row_batches = json_of(b"".join(json.dumps({"text": text}).encode() + b"\n" for text in texts))
    assert [(row_batch.first_row, list(row_batch.texts)) for row_batch in row_batches] == [
        (1, ["a", "b", "c"]),
        (4, ["d", "e" * 100]),
        (6, ["f", "g"]),
    ]
