"""JSON as it is read; bodies over the wire: routes/test_predict.py."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.http import body
from service.http.problems import INVALID_JSON, Problem

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**32) + 1, 10**32 - 1) | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_any_json_object_is_parsed_as_written(value: dict[str, object]) -> None:
    assert body.parse(json.dumps(value).encode()) == value
    assert body.parse(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary())
def test_any_bytes_are_an_object_or_a_named_refusal(content: bytes) -> None:
    try:
        value = body.parse(content)
    except Problem as problem:
        assert problem.type is INVALID_JSON  # noqa: PT017
    else:
        assert value == json.loads(content)


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b" ", "The JSON is broken at line 1, column 2."),
        (b'{"text": "a', "The JSON is broken at line 1, column 10."),
        (b'{"text": "a"} x', "The JSON is broken at line 1, column 15."),
        (b'{"text": "a\nb"}', "The JSON is broken at line 1, column 12."),
        (b'\xef\xbb\xbf{"text": "a"}', "The JSON is broken at line 1, column 1."),
        (b'"a"', "The body must be a JSON object, not a string."),
        (b"null", "The body must be a JSON object, not null."),
        (b"true", "The body must be a JSON object, not a boolean."),
        (b"1", "The body must be a JSON object, not a number."),
        (b'{"text": "\xff"}', "The body is not valid UTF-8: see byte 10."),
        ('{"text": "a"}'.encode("utf-16"), "The body is not valid UTF-8: see byte 0."),
        (b'{"text": -Infinity}', "-Infinity is not JSON."),
        (b'{"text": 1e999}', "A number is out of the range of a double."),
        (b'{"x": {"a secret text": 1, "a secret text": 2}}', "The field of some name stands twice in one object."),
        (b'{"text":' * 50_000 + b"1" + b"}" * 50_000, "The JSON is nested too deeply."),
    ],
)
def test_json_that_is_refused(content: bytes, detail: str) -> None:
    with pytest.raises(Problem) as problem:
        body.parse(content)
    assert problem.value.type.name == "invalid-json"
    assert problem.value.detail == detail
