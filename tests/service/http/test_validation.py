import pytest

from service.http import validation


@pytest.mark.parametrize("name", ["text", "max_size", "X-y", "_"])
def test_a_name_is_repeated_if_it_looks_like_one(name: str) -> None:
    assert validation.field_name(name) == name


@pytest.mark.parametrize("name", ["", "a text", "a" * 33, "ü", "\ud800", "a/b", "1", "text\n"])
def test_anything_else_in_place_of_a_name_is_not_repeated(name: str) -> None:
    assert validation.field_name(name) is None
