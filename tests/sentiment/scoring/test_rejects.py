import io
import json
import os

from sentiment.scoring.formats.rows import Row, TextRowBatch
from sentiment.scoring.resume.rejects import RejectsWriter


def test_a_row_is_written_with_its_number_offset_reason_and_raw_content() -> None:
    raws = (b"1,fine", b'2,"', "3,naïve".encode(), b"4,caf\xe9")
    row_batch = TextRowBatch(
        11, [Row(raw, {}, None, 10 * index) for index, raw in enumerate(raws)], ["id", "text"], "text"
    )
    file = io.BytesIO()
    rejects = RejectsWriter(file)
    rejects.write(row_batch, {3: "is not UTF-8", 1: "is malformed", 2: "is blank"})
    assert rejects.rows == 3
    assert [json.loads(line) for line in file.getvalue().splitlines()] == [
        {"row": 12, "offset": 10, "reason": "is malformed", "raw": '2,"'},
        {"row": 13, "offset": 20, "reason": "is blank", "raw": "3,naïve"},
        {"row": 14, "offset": 30, "reason": "is not UTF-8", "raw_base64": "NCxjYWbp"},
    ]


def test_rows_of_several_files_name_theirs() -> None:
    file = io.BytesIO()
    RejectsWriter(file).write(TextRowBatch(1, [Row(b"x", {}, None)], ["text"], "text"), {0: "is bad"}, "a.csv")
    assert json.loads(file.getvalue()) == {"file": "a.csv", "row": 1, "offset": 0, "reason": "is bad", "raw": "x"}


def test_a_file_name_may_be_any_bytes_and_the_last_reject_is_told() -> None:
    file = io.BytesIO()
    rejects = RejectsWriter(file)
    row_batch = TextRowBatch(7, [Row(b"x", {}, None), Row(b"y", {}, None)], ["text"], "text")
    rejects.write(row_batch, {0: "is bad", 1: "is worse"}, os.fsdecode(b"caf\xe9.csv"))
    assert [json.loads(line)["file"] for line in file.getvalue().splitlines()] == ["caf\\xe9.csv"] * 2
    assert rejects.last == "row 8 of caf\\xe9.csv: is worse"
