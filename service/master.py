"""What gunicorn's master and its workers tell each other, through memory that they share: for gunicorn.conf.py.

The master imports this before it forks. Under another server each process is its own master.
"""

import mmap
import time

_shared = mmap.mmap(-1, 16)
_RELOAD_ASKED, _SERVED = slice(0, 8), 8


def ask_for_reload() -> bytes:
    """Return what `reload_asked` says from now on: every worker is asked for a reload. Safe in a signal handler."""
    asked = time.monotonic_ns().to_bytes(8, "little")
    _shared[_RELOAD_ASKED] = asked
    return asked


def reload_asked() -> bytes:
    """Return when a reload was asked for last, in a form to compare."""
    return _shared[_RELOAD_ASKED]


def has_served() -> bool:
    """Return whether a worker of this master has ever served."""
    return bool(_shared[_SERVED])


def set_served() -> None:
    """Say that a worker serves: another that can't start must not end all."""
    _shared[_SERVED] = 1
