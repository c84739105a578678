"""Explanations and traces: computed one request after the other, on a thread of their own.

Each takes up to forty times as long as a prediction: none ever stands in the batcher's queue or on the worker's loop.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from service.errors import DeadlinePassed, Overloaded
from service.inference.native import Lock, NativeThread

MAX_WAITING_TEXTS = 64  # in the queue and being looked into; about as many as can be answered in time

T = TypeVar("T")


class Job:
    """What one caller wants to know, what came of it, and the event that something did."""

    __slots__ = ("deadline", "done", "error", "look", "result", "texts")

    def __init__(self, look: Callable[[], Any], texts: int, deadline: float) -> None:
        self.look = look
        self.texts = texts
        self.deadline = deadline
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = threading.Event()


class ExplainQueue:
    """Looks into texts for callers of any thread, for one at a time."""

    def __init__(self, max_waiting_texts: int = MAX_WAITING_TEXTS) -> None:
        self._max_waiting_texts = max_waiting_texts
        self._waiting_texts = 0
        self._native = NativeThread()
        self._lock = Lock()  # no one waits for anything while it is held
        self._arrived = threading.Event()
        self._queue: deque[Job] = deque()
        threading.Thread(target=self._run, name="explanations", daemon=True).start()

    def run(self, look: Callable[[], T], texts: int, deadline: float) -> T:
        """What `look` returns or raises; it looks into so many texts. `deadline` is of time.monotonic().

        Raises Overloaded at once, or DeadlinePassed: what has not begun by then never will.
        """
        job = Job(look, texts, deadline)
        with self._lock:
            # One request may be larger than the bound: it then waits alone.
            if self._waiting_texts and self._waiting_texts + texts > self._max_waiting_texts:
                raise Overloaded(self._waiting_texts, self._max_waiting_texts)
            self._waiting_texts += texts
            self._queue.append(job)
        self._arrived.set()
        if not job.done.wait(max(0.0, deadline - time.monotonic())):
            self._withdraw(job)
            raise DeadlinePassed
        if job.error is not None:
            raise job.error
        result: T = job.result
        return result

    def _withdraw(self, job: Job) -> None:
        with self._lock:
            if job in self._queue:
                self._queue.remove(job)
                self._waiting_texts -= job.texts

    def _run(self) -> None:
        while True:
            self._arrived.clear()  # before the look: what arrives after it sets it again
            with self._lock:
                job = self._queue.popleft() if self._queue else None
            if job is None:
                self._arrived.wait()
                continue
            try:
                if job.deadline <= time.monotonic():
                    raise DeadlinePassed
                job.result = self._native.run(job.look)
            except BaseException as error:  # the caller's, whatever it is: this thread is there for the others too
                job.error = error
            with self._lock:
                self._waiting_texts -= job.texts
            job.done.set()
            del job  # or the model of the last look would outlive a reload
