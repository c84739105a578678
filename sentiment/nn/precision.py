"""Number formats of the computation, and the processor features that decide their speed and last digits."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

import torch

from sentiment.errors import ConfigError
from sentiment.nn.model import SentimentModel

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
MEASURED_SECONDS = 0.5  # of all formats together; at least one run of each
LEAST_GAIN = 1.1  # times faster than float32, the more precise one

_UNITS = {"avx512_bf16", "amx_bf16", "bf16"}  # Intel and AMD, Intel's matrix units, ARM
_MAKERS = ("vendor_id", "CPU implementer")  # x86, ARM
_FORCED = "SENTIMENT_TEST_DTYPE"  # for tests: the format to choose, without measuring


@dataclass(frozen=True)
class DtypeChoice:
    """A number format, and the seconds that a piece of the work took in each; empty where none was measured."""

    dtype: str
    seconds: Mapping[str, float] = field(default_factory=dict)


def choose_dtype(work: Callable[[str], object]) -> DtypeChoice:
    """Return the format in which `work(dtype)` is faster here, by a short measurement.

    That depends on the work as much as on the processor: bfloat16 units make some products faster and
    others slower than float32. It is float32, too, where this torch can't do the work in bfloat16.
    """
    if forced := os.environ.get(_FORCED):
        return DtypeChoice(forced)
    try:
        seconds = measure({dtype: partial(work, dtype) for dtype in DTYPES})
    except RuntimeError:  # of torch 2.3, for an LSTM on a processor without bfloat16 units
        return DtypeChoice("float32")
    is_quicker = seconds["bfloat16"] * LEAST_GAIN < seconds["float32"]
    return DtypeChoice("bfloat16" if is_quicker else "float32", seconds)


def measure(ways: Mapping[str, Callable[[], object]], seconds: float = MEASURED_SECONDS) -> dict[str, float]:
    """Return the shortest seconds of each way: run in turns for that long, the first run of each not counted.

    If the first runs alone take longer, they count.
    """
    started = time.perf_counter()
    shortest = {name: _seconds(way) for name, way in ways.items()}
    if time.perf_counter() - started >= seconds:
        return shortest
    shortest = {name: float("inf") for name in ways}
    while time.perf_counter() - started < seconds or float("inf") in shortest.values():
        for name, way in ways.items():
            shortest[name] = min(shortest[name], _seconds(way))
    return shortest


def _seconds(way: Callable[[], object]) -> float:
    started = time.perf_counter()
    way()
    return time.perf_counter() - started


def autocast(dtype: str) -> torch.autocast:
    """Return a context in which a float32 network computes its products in this format."""
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == "bfloat16")


@cache
def bfloat16_units() -> list[str]:
    """Return the names of this processor's bfloat16 units."""
    return sorted(_UNITS.intersection(_cpuinfo().split()))


@cache
def processor_maker() -> str:
    """Return the processor's maker: libraries choose kernels by it, whose sums differ in the last digits."""
    facts = (line.partition(":") for line in _cpuinfo().splitlines())
    return next((value.strip() for name, _, value in facts if name.strip() in _MAKERS), "unknown")


def in_dtype(model: SentimentModel, dtype: str) -> SentimentModel:
    """Return the model in this format, a copy unless it is its own. Raises ConfigError."""
    if dtype not in DTYPES:
        raise ConfigError(f"dtype: one of {', '.join(DTYPES)}, not {dtype!r}")
    if dtype == "float32":
        return model.eval()
    return model.in_float32().to(DTYPES[dtype]).eval()


def _cpuinfo() -> str:
    try:
        return Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""
