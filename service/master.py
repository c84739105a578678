"""What gunicorn's master and its workers tell each other, through memory that they share: for gunicorn.conf.py.

The master imports this before it forks. Under another server each process is its own master.
"""

import mmap
import time
from typing import Any

_shared = mmap.mmap(-1, 16)
_RELOAD_ASKED, _SERVED, _STOPPING = slice(0, 8), 8, 9


def prepare(arbiter: Any) -> None:
    """Nothing. SIGHUP to the master reloads its workers' models, and they know when it stops.

    gunicorn's own way with SIGHUP, to start all workers anew, would end the service over a bad bundle.
    """
    stop = arbiter.stop

    def tell_and_stop(graceful: bool = True) -> None:
        _shared[_STOPPING] = 1
        stop(graceful)

    arbiter.handle_hup = ask_for_reload
    arbiter.stop = tell_and_stop


def ask_for_reload() -> bytes:
    """What `reload_asked` says from now on: every worker is asked for a reload. Safe in a signal handler."""
    asked = time.monotonic_ns().to_bytes(8, "little")
    _shared[_RELOAD_ASKED] = asked
    return asked


def reload_asked() -> bytes:
    """When a reload was asked for last, in a form to compare."""
    return _shared[_RELOAD_ASKED]


def has_served() -> bool:
    """Whether a worker of this master has ever served."""
    return bool(_shared[_SERVED])


def set_served() -> None:
    """Says that a worker serves: another that can't start must not end all."""
    _shared[_SERVED] = 1


def is_stopping() -> bool:
    """Whether all workers are to end, not one alone."""
    return bool(_shared[_STOPPING])
