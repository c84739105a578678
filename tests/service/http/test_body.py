import json

import pytest
from flask import Request
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from service.http import body
from service.http.problems import INVALID_JSON, Problem

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**32) + 1, 10**32 - 1) | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


def request_of(content: bytes, headers: dict[str, str] | None = None) -> Request:
    given = {"Content-Type": "application/json"} | (headers or {})
    return Request(EnvironBuilder(method="POST", data=content, headers=Headers(given)).get_environ())


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
        (b"", "The body is empty; a JSON object is expected."),
        (b" ", "The JSON is broken at line 1, column 2."),
        (b'{"text": "a', "The JSON is broken at line 1, column 10."),
        (b'{"text": "a"} x', "The JSON is broken at line 1, column 15."),
        (b'{"text": "a\nb"}', "The JSON is broken at line 1, column 12."),
        (b'\xef\xbb\xbf{"text": "a"}', "The JSON is broken at line 1, column 1."),
        (b'["a"]', "The body must be a JSON object, not an array."),
        (b'"a"', "The body must be a JSON object, not a string."),
        (b"null", "The body must be a JSON object, not null."),
        (b"true", "The body must be a JSON object, not a boolean."),
        (b"1", "The body must be a JSON object, not a number."),
        (b'{"text": "\xff"}', "The body is not valid UTF-8: see byte 10."),
        ('{"text": "a"}'.encode("utf-16"), "The body is not valid UTF-8: see byte 0."),
        (b'{"text": NaN}', "NaN is not JSON."),
        (b'{"text": -Infinity}', "-Infinity is not JSON."),
        (b'{"text": 1e999}', "A number is out of the range of a double."),
        (b'{"text": ' + b"9" * 10_000 + b"}", "A number has 10000 digits; the limit is 32."),
        (b'{"text": "a", "text": "b"}', "The field text stands twice in one object."),
        (b'{"x": {"a secret text": 1, "a secret text": 2}}', "The field of some name stands twice in one object."),
        (b'{"text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "The JSON is nested too deeply."),
        (b'{"text":' * 50_000 + b"1" + b"}" * 50_000, "The JSON is nested too deeply."),
    ],
)
def test_json_that_is_refused(content: bytes, detail: str) -> None:
    with pytest.raises(Problem) as problem:
        body.parse(content)
    assert problem.value.type.name == "invalid-json"
    assert problem.value.detail == detail


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({"Content-Type": "text/plain"}, "Content-Type must be application/json, not text/plain."),
        ({"Content-Type": ""}, "Content-Type must be application/json, not absent."),
        ({"Content-Type": "application/json; charset=latin-1"}, "The charset must be utf-8, not latin-1."),
        ({"Content-Encoding": "gzip"}, "Content-Encoding must be absent, not gzip."),
        ({"Transfer-Encoding": "gzip, chunked"}, "Transfer-Encoding must be chunked or absent, not gzip, chunked."),
    ],
)
def test_a_body_of_another_kind_is_refused(headers: dict[str, str], detail: str) -> None:
    with pytest.raises(Problem) as problem:
        body.read(request_of(b"{}", headers), ["application/json"], 100)
    assert problem.value.type.name == "unsupported-media-type"
    assert problem.value.detail == detail


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; Charset=UTF-8"])
def test_a_body_up_to_the_limit_is_read(content_type: str) -> None:
    content = b"x" * 100
    assert body.read(request_of(content, {"Content-Type": content_type}), ["application/json"], 100) == content


def test_a_body_past_the_limit_is_not_read() -> None:
    request = request_of(b"x" * 101)
    with pytest.raises(Problem) as problem:
        body.read(request, ["application/json"], 100)
    assert problem.value.type.name == "body-too-large"
    assert problem.value.detail == "The body has 101 bytes; the limit is 100."
    assert request.environ["wsgi.input"].tell() == 0


def test_a_body_that_ends_early_is_refused() -> None:
    request = request_of(b"x" * 10)
    request.environ["CONTENT_LENGTH"] = "20"
    with pytest.raises(Problem) as problem:
        body.read(request, ["application/json"], 100)
    assert problem.value.type.name == "incomplete-body"
    assert problem.value.detail == "The body ended after 10 of 20 bytes."
