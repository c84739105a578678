import struct

import pytest
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


@pytest.mark.parametrize(
    ("content", "pointer", "detail"),
    [
        (b"\x01", "/d", "ends within element 0"),
        (b"\x01\x00\x00\x00a\x05\x00\x00\x00b", "/d", "ends within element 1"),
        (b"\xff\xff\xff\xffa", "/d", "ends within element 0"),
        (b"\x01\x00\x00\x00a\x02\x00\x00\x00b\xff", "/d/1", "is not valid UTF-8: see byte 1 of it"),
    ],
)
def test_bytes_that_are_no_strings(content: bytes, pointer: str, detail: str) -> None:
    with pytest.raises(Problem) as problem:
        tensors.read_strings(content, "/d")
    assert [(fault.pointer, fault.detail) for fault in problem.value.faults] == [(pointer, detail)]


def test_doubles_have_the_little_end_first() -> None:
    assert tensors.write_doubles([1.0, 0.25]) == struct.pack("<2d", 1.0, 0.25)
