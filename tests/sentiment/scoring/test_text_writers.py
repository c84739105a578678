import csv
import io
import json
from typing import Any

import pytest

from sentiment.scoring.formats.rows import JsonRowBatch, Row, TextRowBatch, Values
from sentiment.scoring.formats.text.writers import CsvWriter, JsonWriter

ANSWER = {"label": "positive", "tokens": 3, "truncated": False}
ADDED = {"label": str, "tokens": int, "truncated": bool}


def row_batch_of(*rows: Values) -> TextRowBatch:
    return TextRowBatch(1, [Row(b"", row, None) for row in rows], list(rows[0]), "text")


def read_csv(content: bytes, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline=""), delimiter=delimiter, strict=True))


def test_csv_quotes_what_needs_it_and_leaves_out_what_is_missing() -> None:
    row_batch = row_batch_of(
        {"text": 'a "b",\nc\td', "n": "007"}, {"text": "x", "n": "1"}, {"text": "café\r", "n": None}
    )
    for delimiter in (",", "\t"):
        file = io.BytesIO()
        writer = CsvWriter(file, row_batch.columns, ADDED, delimiter)
        assert writer.write(row_batch, {0: ANSWER, 2: ANSWER}) == {}
        assert writer.rows == 2
        assert read_csv(file.getvalue(), delimiter) == [
            ["text", "n", "label", "tokens", "truncated"],
            ['a "b",\nc\td', "007", "positive", "3", "false"],
            ["café\r", "", "positive", "3", "false"],
        ]


def test_what_a_spreadsheet_would_run_is_escaped_and_numbers_are_not() -> None:
    cells = ["=1+1", "+1 (555)", "-x", "@SUM(A1)", "\t=1", "\r=1", "-5", "+3.2e-7", "-.5", "- 5", "a=1", "", "1e5"]
    row_batch = row_batch_of(*({"=text": cell} for cell in cells))
    answers = {index: {"label": "-sure"} for index in range(len(cells))}
    for escape in (True, False):
        file = io.BytesIO()
        writer = CsvWriter(file, ["=text"], {"label": str}, ",", escape_formulas=escape)
        assert writer.write(row_batch, answers) == {}
        mark = "'" if escape else ""
        expected = [mark + cell for cell in cells[:6]] + cells[6:9] + [mark + "- 5", *cells[10:]]
        assert read_csv(file.getvalue()) == [[f"{mark}=text", "label"], *([cell, f"{mark}-sure"] for cell in expected)]


def test_a_json_row_of_which_no_column_is_kept_is_its_answer() -> None:
    file = io.BytesIO()
    row = Row(b'{"text": "a"}', {"text": "a"}, None)
    JsonWriter(file).write(JsonRowBatch(1, [row], ["text"], "text", []), {0: ANSWER})
    assert file.getvalue() == b'{"label":"positive","tokens":3,"truncated":false}\n'


def test_csv_takes_json_values_but_none_it_would_change_and_no_column_that_the_first_line_lacks() -> None:
    rows: list[dict[str, Any]] = [{"text": "a", "n": 10**30, "tags": ["x", 1.5]}, {"text": "b"}, {"text": "c", "z": 1}]
    rows += [{"text": "d", "n": [10**30]}]
    file = io.BytesIO()
    writer = CsvWriter(file, ["text", "n", "tags"], ADDED, ",")
    assert writer.write(row_batch_of(*rows), dict.fromkeys(range(4), ANSWER)) == {
        2: "has 'z', which none of the first rows has: write .jsonl to keep it",
        3: "holds what a cell can't: Integer exceeds 64-bit range",
    }
    assert writer.rows == 2
    assert [record[:3] for record in read_csv(file.getvalue())[1:]] == [
        ["a", "1" + "0" * 30, '["x",1.5]'],
        ["b", "", ""],
    ]


def test_json_members_follow_the_rows_own_in_order() -> None:
    file = io.BytesIO()
    writer = JsonWriter(file)
    assert writer.write(row_batch_of({"text": "a}", "n": "007"}, {"text": "b", "n": ""}), {1: ANSWER}) == {}
    row = Row(b'{ "n": 1.10, "text": "c" }', {"n": 1.1, "text": "c"}, None)
    assert writer.write(JsonRowBatch(3, [row], ["n", "text"], "text"), {0: ANSWER}) == {}
    assert writer.rows == 2
    assert file.getvalue().splitlines() == [
        b'{"text":"b","n":"","label":"positive","tokens":3,"truncated":false}',
        b'{ "n": 1.10, "text": "c" ,"label":"positive","tokens":3,"truncated":false}',
    ]


@pytest.mark.parametrize("kept", [["deep"], ["n", "deep"]])
def test_json_that_is_nested_too_deep_to_write_is_refused_and_its_neighbours_are_not(kept: list[str]) -> None:
    deep: object = 1
    for _ in range(300):
        deep = [deep]
    values = [{"n": 1, "deep": [1]}, {"n": 2, "deep": deep}, {"n": 3, "deep": [3]}]
    rows = [Row(json.dumps(each).encode(), each, None) for each in values]
    file = io.BytesIO()
    writer = JsonWriter(file)
    unwritable = writer.write(JsonRowBatch(1, rows, ["n", "deep"], "text", kept), dict.fromkeys(range(3), ANSWER))
    assert unwritable == {1: "holds what can't be written in JSON: Recursion limit reached"}
    assert [json.loads(line)["deep"] for line in file.getvalue().splitlines()] == [[1], [3]]
    assert writer.rows == 2
