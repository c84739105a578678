"""Which number formats this processor is quick at."""

from functools import cache
from pathlib import Path

_UNITS = {"avx512_bf16", "amx_bf16", "bf16"}  # Intel and AMD, Intel's matrix units, ARM


@cache
def has_bfloat16_units() -> bool:
    """Whether bfloat16 is computed by the processor itself; where it isn't, float32 is quicker."""
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return not _UNITS.isdisjoint(flags.split())
