"""Threads of the operating system, also in a worker where gevent has made greenlets of Python's own."""

from collections.abc import Callable
from typing import TypeVar

from gevent import monkey
from gevent.threadpool import ThreadPool

T = TypeVar("T")
# For what is done without waiting for anything: gevent's own lock, for greenlets that wait, takes ten times as long.
Lock = monkey.get_original("threading", "Lock")


class NativeThread:
    """One thread for calls that take long, in turns. Where gevent has patched nothing, the caller's own makes them."""

    def __init__(self) -> None:
        self._pool = ThreadPool(1) if monkey.is_module_patched("threading") else None

    def run(self, call: Callable[[], T]) -> T:
        """Return what the call returns or raise what it raises. Other greenlets are served meanwhile."""
        if self._pool is None:
            return call()
        result, error = self._pool.apply(_outcome, (call,))
        if error is not None:
            raise error
        return result


def _outcome(call: Callable[[], T]) -> tuple[T | None, BaseException | None]:
    """Return the result or the error: gevent would print one that is raised, with its words, which may quote a text."""
    try:
        return call(), None
    except BaseException as error:
        return None, error
