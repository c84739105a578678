"""JSON as it is read; what is refused, over the wire: routes/test_predict.py."""

import json

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
