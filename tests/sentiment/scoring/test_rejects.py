import io
import json
from pathlib import Path

from sentiment.scoring.rejects import RejectsWriter, rejects_path
from sentiment.scoring.rows import Row, RowWindow


def test_rejects_lie_beside_their_output() -> None:
    assert rejects_path(Path("a/out.csv")) == Path("a/out.csv.rejects.jsonl")


def test_a_row_is_written_with_its_number_reason_and_raw_content() -> None:
    raws = (b"1,fine", b'2,"', "3,naïve".encode(), b"4,caf\xe9")
    window = RowWindow(11, [Row(raw, {}, None) for raw in raws], ["id", "text"], "text")
    file = io.BytesIO()
    rejects = RejectsWriter(file)
    rejects.write(window, {3: "is not UTF-8", 1: "is malformed", 2: "is blank"})
    assert rejects.rows == 3
    assert [json.loads(line) for line in file.getvalue().splitlines()] == [
        {"row": 12, "reason": "is malformed", "raw": '2,"'},
        {"row": 13, "reason": "is blank", "raw": "3,naïve"},
        {"row": 14, "reason": "is not UTF-8", "raw_base64": "NCxjYWbp"},
    ]
