"""How much of what oneDNN compiles a process keeps: its code for each shape of a batch, about 0.2 MB."""

import os

CAPACITY = 128  # shapes; oneDNN's own 1,024 let a process grow for hours


def bound_kernel_cache() -> None:
    """Has this process, and those that it starts, keep no more, unless the environment says how many.

    To be called before the process answers its first text.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(CAPACITY))
