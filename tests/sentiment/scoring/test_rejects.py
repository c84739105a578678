import io
import json
import os

from sentiment.scoring.formats.rows import Row, TextRowBatch
from sentiment.scoring.resume.rejects import RejectsWriter


def test_a_file_name_may_be_any_bytes_and_the_last_reject_is_told() -> None:
    file = io.BytesIO()
    rejects = RejectsWriter(file)
    row_batch = TextRowBatch(7, [Row(b"x", {}, None), Row(b"y", {}, None)], ["text"], "text")
    rejects.write(row_batch, {0: "is bad", 1: "is worse"}, os.fsdecode(b"caf\xe9.csv"))
    assert [json.loads(line)["file"] for line in file.getvalue().splitlines()] == ["caf\\xe9.csv"] * 2
    assert rejects.last == "row 8 of caf\\xe9.csv: is worse"
