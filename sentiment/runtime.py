"""Process-wide settings of the libraries below torch. Set them before the process computes.

Child processes inherit them, and the environment overrides them.
"""

import os
import sys

OPENMP_SPINS = 1000  # libgomp's own choice where it has more threads than cores; it doesn't know of other processes
ONEDNN_SHAPES = 128  # each takes about 0.2 MB of code; with oneDNN's own 1,024 a process grows for hours


def limit_openmp_spin() -> None:
    """Limit how long an idle OpenMP thread spins on its core. It has no effect once torch is imported.

    With libgomp's own 300,000 turns, two trainings on the same cores take nearly all of them from each other.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(OPENMP_SPINS))


def limit_onednn_cache() -> None:
    """Limit for how many shapes of a batch oneDNN keeps its compiled code. Call it before the first text is read."""
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(ONEDNN_SHAPES))


def use_one_thread_after_fork() -> None:
    """Make each child that is forked once torch is loaded compute with one thread.

    The other threads stay in the parent, and a child with more than one would wait for them forever.
    """
    os.register_at_fork(after_in_child=_use_one_thread)


def _use_one_thread() -> None:
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
