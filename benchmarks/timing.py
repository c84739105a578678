"""Medians that a busy moment or a cold cache doesn't decide."""

import statistics
import time
from collections.abc import Callable, Mapping

Row = dict[str, str | float]  # of a table: a name or a figure by column


def interleaved_medians(contenders: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Return the median seconds of each contender. They take turns, after a round that isn't counted."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for counted in (False, *[True] * repeats):
        for name, run in contenders.items():
            started = time.perf_counter()
            run()
            if counted:
                seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(times) for name, times in seconds.items()}
