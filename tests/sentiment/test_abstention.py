from typing import Any

import pytest

from sentiment.abstention import AbstentionTable, threshold_for
from sentiment.errors import ConfigError

LEVELS = [
    {"threshold": 0.9, "answered": 100, "wrong": 0, "bound": 0.04},
    {"threshold": 0.8, "answered": 200, "wrong": 8, "bound": 0.08},
    {"threshold": 0.7, "answered": 300, "wrong": 9, "bound": 0.05},
    {"threshold": 0.0, "answered": 400, "wrong": 60, "bound": 0.2},
]
TABLE = {"rows": 400, "levels": LEVELS}


def metrics(**tables: Any) -> dict[str, Any]:
    return {"accuracy": 0.85, "abstention": tables}


@pytest.mark.parametrize(("promise", "threshold"), [(0.04, 0.9), (0.05, 0.7), (0.08, 0.7), (0.199, 0.7), (0.2, 0.0)])
def test_the_lowest_threshold_that_keeps_the_promise(promise: float, threshold: float) -> None:
    assert threshold_for(promise, metrics(dev=TABLE), "m") == threshold


def test_the_promise_is_kept_on_every_dev_set() -> None:
    easy = {"rows": 9, "levels": [{"threshold": 0.0, "answered": 9, "wrong": 0, "bound": 0.01}]}
    assert threshold_for(0.05, metrics(hard=TABLE, easy=easy), "m") == 0.7


def test_a_promise_that_no_data_backs_is_refused() -> None:
    message = r"the 400 rows of dev support no promise under 0.040, and 0.01 is asked for; ask for more, or give"
    with pytest.raises(ConfigError, match=message):
        threshold_for(0.01, metrics(dev=TABLE), "m")


def test_a_model_without_a_table_says_what_makes_one() -> None:
    with pytest.raises(
        ConfigError, match="the model 'm' has no table of its errors on dev data; `sentiment calibrate`"
    ):
        threshold_for(0.05, {"accuracy": 0.5}, "m")


@pytest.mark.parametrize("promise", [0, 1, -0.1, 5, float("nan")])
def test_a_promise_is_a_share(promise: float) -> None:
    with pytest.raises(ConfigError, match="a share of wrong answers between 0 and 1, as in 0.05, not"):
        threshold_for(promise, metrics(dev=TABLE), "m")


def test_a_table_of_another_form_is_named() -> None:
    with pytest.raises(ConfigError, match=r"levels: .*not \(\)|levels: "):
        AbstentionTable.of({"rows": 3, "levels": []})
