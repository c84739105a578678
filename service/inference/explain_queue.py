"""Compute explanations and traces one request after the other, in a native thread of their own.

Each takes up to forty times as long as a prediction, so none enters the batcher's queue or blocks the hub.
"""

from collections.abc import Callable
from typing import TypeVar

from service.inference.batcher import check_capacity
from service.inference.native import Lock, NativeThread

MAX_WAITING_TEXTS = 64  # queued and being explained; about as many as can be answered in time

T = TypeVar("T")


class ExplainQueue:
    """Runs one explanation or trace at a time for any number of callers."""

    def __init__(self, max_waiting_texts: int = MAX_WAITING_TEXTS) -> None:
        self._max_waiting_texts = max_waiting_texts
        self._waiting_texts = 0
        self._lock = Lock()
        self._native = NativeThread("explanations")

    def run(self, compute: Callable[[], T], texts: int, deadline: float) -> T:
        """Run `compute`, which explains so many `texts`, and return its result or raise its error.

        `deadline` is of time.monotonic(). Raises Overloaded at once, or DeadlinePassed.
        """
        with self._lock:
            check_capacity(self._waiting_texts, texts, self._max_waiting_texts)
            self._waiting_texts += texts
        try:
            return self._native.run(compute, deadline)
        finally:
            with self._lock:
                self._waiting_texts -= texts
