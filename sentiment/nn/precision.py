"""The number formats that a network answers in, and what of this processor decides their speed and last digits."""

import copy
from functools import cache
from pathlib import Path

import torch

from sentiment.errors import ConfigError
from sentiment.nn.model import SentimentModel

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}

_UNITS = {"avx512_bf16", "amx_bf16", "bf16"}  # Intel and AMD, Intel's matrix units, ARM
_MAKERS = ("vendor_id", "CPU implementer")  # x86, ARM


def has_bfloat16_units() -> bool:
    """Whether bfloat16 is computed by the processor itself; where it isn't, float32 is quicker."""
    return bool(bfloat16_units())


def native_dtypes() -> list[str]:
    """The formats that the processor computes itself."""
    return [dtype for dtype in DTYPES if dtype == "float32" or has_bfloat16_units()]


def fastest_dtype() -> str:
    """The format in which large networks answer soonest here."""
    return native_dtypes()[-1]


@cache
def bfloat16_units() -> list[str]:
    """The names of the units that do it."""
    return sorted(_UNITS.intersection(_cpuinfo().split()))


@cache
def processor_maker() -> str:
    """Who made it: libraries take other kernels on another's, and their sums differ in the last digits."""
    facts = (line.partition(":") for line in _cpuinfo().splitlines())
    return next((value.strip() for name, _, value in facts if name.strip() in _MAKERS), "unknown")


def in_dtype(model: SentimentModel, dtype: str) -> SentimentModel:
    """The model, ready to answer in this format; another one than its own is a copy. Raises ConfigError."""
    if dtype not in DTYPES:
        raise ConfigError(f"dtype: one of {', '.join(DTYPES)}, not {dtype!r}")
    model = model if dtype == "float32" else copy.deepcopy(model)
    return model.to(DTYPES[dtype]).eval()


def _cpuinfo() -> str:
    try:
        return Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""
