import json
from typing import Any

import pytest

from sentiment.errors import DataError
from sentiment.scoring.formats.rows import JsonRowBatch, Row, Selection, TextRowBatch, to_json, to_text

ROWS = [Row(b'{"id": 1.10, "text": "a"} ', {"id": 1.1, "text": "a"}, None), Row(b"{", {}, "is not JSON")]


ADDED = "there is a column 'label' already, and one is added; give those added a --prefix, as predicted_, or name the "
TWICE = ["id", "text", "label", "x", "x"]


@pytest.mark.parametrize(
    ("columns", "kept", "message"),
    [
        (["id", "review"], None, "there is no column 'text'; there are 'id', 'review'; --text-column names another"),
        (["text", "id", "id"], None, "two columns are called 'id'; give each its own name"),
        (["text", "label"], None, f"{ADDED}columns to keep (--columns) without it"),
        (TWICE, ["id", "gone"], "there is no column 'gone'; there are 'id', 'text', 'label', 'x', 'x'"),
        (TWICE, ["x"], "two columns are called 'x'; give each its own name"),
        (TWICE, ["label"], f"{ADDED}columns to keep (--columns) without it"),
    ],
)
def test_columns_that_cannot_be_scored_are_refused_by_name(
    columns: list[str], kept: list[str] | None, message: str
) -> None:
    with pytest.raises(DataError) as caught:
        Selection("text", {"label", "tokens"}, kept).check("in.csv", columns)
    assert str(caught.value) == f"in.csv: {message}"


def test_columns_not_kept_may_be_called_anything() -> None:
    Selection("text", {"label"}, ["id"]).check("in.csv", ["id", "text", "label", "x", "x"])
    Selection("text", {"label"}, []).check("in.csv", ["id", "text", "label"])


def test_a_message_names_the_first_of_many_columns_alone() -> None:
    with pytest.raises(DataError) as caught:
        Selection("text", ()).check("in.csv", ["x" * 1000] * 100_000)
    assert len(str(caught.value)) < 2000
    assert "99,980 more" in str(caught.value)


def test_a_window_of_some_columns_still_has_its_texts_and_whole_rows() -> None:
    row_batch = TextRowBatch(1, ROWS, ["id", "text"], "text", ["id"])
    assert (row_batch.columns, row_batch.texts) == (["id"], ["a", None])
    assert row_batch.values([0]) == [{"id": 1.1}]
    assert row_batch.raw(0) == ROWS[0].raw


def test_numbers_keep_their_form_where_some_columns_are_kept() -> None:
    raw = b'{"n": 1.10, "text": "caf\\u00e9", "big": [12345678901234567890123, 1e400], "more": {"a": null}}'
    row = Row(raw, json.loads(raw), None)
    row_batch = JsonRowBatch(1, [row], list(row.values), "text", ["big", "n", "gone"])
    assert row_batch.json_objects([0]) == [b'{"big":[12345678901234567890123,1e400],"n":1.10}']


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=plain", "=plain"),
        (1.5, "1.5"),
        (10**30, "1" + "0" * 30),
        (True, "true"),
        ([1, {"a": None}], '[1,{"a":null}]'),
        (b"\xff", "/w=="),
        (float("nan"), "nan"),
    ],
)
def test_a_value_as_text(value: Any, text: str) -> None:
    assert to_text(value) == text


def test_json_has_no_number_that_is_none_and_no_other_types() -> None:
    assert to_json({"a": float("nan"), "b": b"\xff"}) == b'{"a":null,"b":"/w=="}'
    with pytest.raises(TypeError, match="not JSON serializable: complex"):
        to_json(1j)
