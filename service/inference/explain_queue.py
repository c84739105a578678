"""Explanations and traces: computed one request after the other, in a native thread of their own.

Each takes up to forty times as long as a prediction: none ever waits in the batcher's queue or holds up the hub.
"""

from collections.abc import Callable
from typing import TypeVar

from service.inference.batcher import check_room
from service.inference.native import Lock, NativeThread

MAX_WAITING_TEXTS = 64  # in the queue and being looked into; about as many as can be answered in time

T = TypeVar("T")


class ExplainQueue:
    """Looks into texts for any callers, for one at a time."""

    def __init__(self, max_waiting_texts: int = MAX_WAITING_TEXTS) -> None:
        self._max_waiting_texts = max_waiting_texts
        self._waiting_texts = 0
        self._lock = Lock()
        self._native = NativeThread("explanations")

    def run(self, look: Callable[[], T], texts: int, deadline: float) -> T:
        """Return what `look` returns or raise what it raises; it looks into so many texts.

        `deadline` is of time.monotonic(). Raises Overloaded at once, or DeadlinePassed.
        """
        with self._lock:
            check_room(self._waiting_texts, texts, self._max_waiting_texts)
            self._waiting_texts += texts
        try:
            return self._native.run(look, deadline)
        finally:
            with self._lock:
                self._waiting_texts -= texts
