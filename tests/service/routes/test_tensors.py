from hypothesis import given
from hypothesis import strategies as st

from service.http.problems import Problem
from service.routes import tensors


@given(st.lists(st.text()))
def test_strings_come_back(strings: list[str]) -> None:
    assert tensors.read_strings(tensors.write_strings(strings), "/d") == strings


@given(st.binary())
def test_any_bytes_are_strings_or_a_fault(content: bytes) -> None:
    try:
        strings = tensors.read_strings(content, "/d")
    except Problem as problem:
        assert problem.faults[0].pointer.startswith("/d")  # noqa: PT017
    else:
        assert tensors.write_strings(strings) == content
