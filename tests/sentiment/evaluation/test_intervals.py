import numpy as np
import pytest

from sentiment.errors import DataError
from sentiment.evaluation.intervals import resampled, share


def test_the_bootstrap_gives_what_the_formula_gives_for_a_mean() -> None:
    values = np.random.default_rng(1).normal(5, 2, size=2000)
    mean, doubled = resampled(lambda rows: np.array([values[rows].mean(), 2 * values[rows].mean()]), len(values))
    error = 1.96 * values.std() / np.sqrt(len(values))
    assert mean.value == values.mean()
    assert (mean.low, mean.high) == pytest.approx((mean.value - error, mean.value + error), abs=0.01)
    assert (doubled.low, doubled.high) == (2 * mean.low, 2 * mean.high)


def test_the_same_rows_give_the_same_interval() -> None:
    values = np.arange(50.0)
    first, second = (resampled(lambda rows: np.array([values[rows].mean()]), 50) for _ in range(2))
    assert first == second


def test_one_row_has_no_interval() -> None:
    with pytest.raises(DataError, match="an interval needs 2 rows or more, not 1"):
        resampled(lambda rows: np.array([0.0]), 1)


def test_a_share_of_few_rows_is_never_certain() -> None:
    three = share(3, 3)
    assert (three.value, three.high) == (1.0, 1.0)
    assert three.low == pytest.approx(0.4385, abs=1e-4)  # (1 + 1.96² / 6) / ... by Wilson's formula: 1 / (1 + z² / 3)
