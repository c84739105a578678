"""The number formats that a network answers in, and which of them this processor is quick at."""

import copy
from functools import cache
from pathlib import Path

import torch

from sentiment.errors import ConfigError
from sentiment.nn.model import SentimentModel

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}

_UNITS = {"avx512_bf16", "amx_bf16", "bf16"}  # Intel and AMD, Intel's matrix units, ARM


@cache
def has_bfloat16_units() -> bool:
    """Whether bfloat16 is computed by the processor itself; where it isn't, float32 is quicker."""
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return not _UNITS.isdisjoint(flags.split())


def in_dtype(model: SentimentModel, dtype: str) -> SentimentModel:
    """The model, ready to answer in this format; another one than its own is a copy. Raises ConfigError."""
    if dtype not in DTYPES:
        raise ConfigError(f"dtype: one of {', '.join(DTYPES)}, not {dtype!r}")
    model = model if dtype == "float32" else copy.deepcopy(model)
    return model.to(DTYPES[dtype]).eval()
