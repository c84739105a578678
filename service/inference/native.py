"""Run calls in threads of the operating system, also where gevent has patched `threading`."""

import concurrent.futures
import time
from collections.abc import Callable
from typing import Any, TypeVar

import gevent
from gevent import monkey
from gevent.threadpool import ThreadPool

from service.errors import DeadlinePassed

T = TypeVar("T")
# For what is done without waiting for anything: gevent's own lock, for greenlets that wait, takes ten times as long.
Lock = monkey.get_original("threading", "Lock")


def run_others(seconds: float) -> None:
    """Let the other greenlets run until all of them wait, for at most so many seconds. Threads need no turn."""
    if monkey.is_module_patched("threading"):
        with gevent.Timeout(seconds, False):
            gevent.idle()


class NativeThread:
    """One thread that runs long calls one by one, in the order of arrival."""

    def __init__(self, name: str) -> None:
        is_patched = monkey.is_module_patched("threading")
        self._for_greenlets: Any = ThreadPool(1) if is_patched else None  # false while it has nothing to do
        self._for_threads = None if is_patched else concurrent.futures.ThreadPoolExecutor(1, name)

    def run(self, call: Callable[[], T], deadline: float | None = None) -> T:
        """Return what the call returns or raise what it raises. Other greenlets are served meanwhile.

        `deadline` is of time.monotonic(). Raises DeadlinePassed then: what has not begun by then never will.
        """
        seconds = None if deadline is None else deadline - time.monotonic()
        if seconds is not None and seconds <= 0:
            raise DeadlinePassed
        if self._for_threads is None:
            with gevent.Timeout(seconds, DeadlinePassed()):
                result, error = self._for_greenlets.apply(_outcome, (call, deadline))
        else:
            future = self._for_threads.submit(_outcome, call, deadline)
            try:
                result, error = future.result(seconds)
            except concurrent.futures.TimeoutError:
                raise DeadlinePassed from None
        if error is not None:
            raise error
        return result


def _outcome(call: Callable[[], T], deadline: float | None) -> tuple[T | None, BaseException | None]:
    """Return the result or the error: gevent would print a raised one, and its message may quote a text."""
    if deadline is not None and time.monotonic() >= deadline:
        return None, DeadlinePassed()
    try:
        return call(), None
    except BaseException as error:
        return None, error
