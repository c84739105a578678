"""Threads that do jobs, and a count of the jobs they have."""

import queue
import threading
from collections.abc import Callable


class Pool:
    """Does what is submitted, in that order. One thread submits, and counts each job down when it is done."""

    def __init__(self, name: str, threads: int, max_jobs: int) -> None:
        self.jobs = 0
        self.max_jobs = max_jobs
        self._queue: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        for number in range(threads):
            threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True).start()

    @property
    def is_full(self) -> bool:
        """Whether it has as many jobs as it may."""
        return self.jobs >= self.max_jobs

    def submit(self, job: Callable[[], None]) -> None:
        """Does it as soon as a thread is free. A job raises nothing."""
        self.jobs += 1
        self._queue.put(job)

    def _run(self) -> None:
        while True:
            self._queue.get()()
