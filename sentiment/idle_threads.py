"""How long a thread that waits for another holds its core."""

import os

SPINS = 1000  # as libgomp takes where its own threads are more than the cores; of other processes it knows nothing


def let_cores_go() -> None:
    """Has this process, and those that it starts, hold a core for no longer, unless the environment says how long.

    With libgomp's own 300,000 turns two trainings on the same cores take each other nearly all of them. A process that
    has loaded torch stays as it is.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(SPINS))
