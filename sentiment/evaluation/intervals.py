"""Estimate how far a figure may be off with other texts."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sentiment.errors import DataError
from sentiment.evaluation.answers import Floats, Integers

CONFIDENCE = 0.95
RESAMPLES = 1000
SEED = 0  # the same answers, the same intervals
_ROWS_AT_ONCE = 1 << 22  # 32 MB of row numbers


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, and the 95 % interval around it."""

    value: float
    low: float
    high: float


def resampled(statistic: Callable[[Integers], Floats], rows: int) -> list[Estimate]:
    """Return an estimate of each figure of `statistic`, by row indices (N,), with percentile bootstrap intervals.

    1,000 resamples by seed (Efron and Tibshirani 1993). Raises DataError for fewer than two rows.
    """
    from scipy.stats import bootstrap  # a second, which a training need not wait for

    if rows < 2:
        raise DataError(f"an interval needs 2 rows or more, not {rows}")
    everything = np.arange(rows)
    values = np.atleast_1d(statistic(everything))
    found = bootstrap(
        (everything,),
        statistic,
        n_resamples=RESAMPLES,
        batch=max(1, _ROWS_AT_ONCE // rows),
        vectorized=False,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=SEED,
    ).confidence_interval
    bounds = zip(values, np.atleast_1d(found.low), np.atleast_1d(found.high), strict=True)
    return [Estimate(float(value), float(low), float(high)) for value, low, high in bounds]


def share(count: int, rows: int) -> Estimate:
    """Return the share of the rows, with Wilson's interval, which holds for a handful of rows, too (Wilson 1927)."""
    from scipy.stats import binomtest

    found = binomtest(count, rows).proportion_ci(CONFIDENCE, method="wilson")
    return Estimate(count / rows, float(found.low), float(found.high))
