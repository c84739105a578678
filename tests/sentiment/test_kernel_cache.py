import os

import pytest

from sentiment.kernel_cache import bound_kernel_cache

NAME = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"


def test_it_is_bounded_unless_the_environment_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "9")
    bound_kernel_cache()
    assert os.environ[NAME] == "9"
    monkeypatch.delenv(NAME)
    bound_kernel_cache()
    assert os.environ[NAME] == "128"
