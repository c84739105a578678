"""Many requests on one thread: each is a greenlet, which leaves the thread to the others while it waits for the model.

A thread for each would have to be given Python's lock, and a processor, four times an answer, in no fair order: that
takes as long as the rest of the answer, and the unlucky wait ten times as long as the others. docs/service.md has the
figures.
"""

from __future__ import annotations

import contextvars
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

import greenlet

from service.pool import Pool

SLICE_SECONDS = 0.01  # of beginning new tasks, after which the sockets are looked at again

T = TypeVar("T")


class Event(Protocol):
    """Something that one caller waits for, and that happens once."""

    def wait(self, seconds: float) -> bool:
        """Whether it has happened, by then at the latest."""

    def set(self) -> None:
        """Says that it has. From any thread."""


def event() -> Event:
    """What the caller, a task or a plain thread, can wait for in its own way."""
    task = greenlet.getcurrent()
    return _Parked(task) if isinstance(task, Task) else _Blocked()


def set_all(events: Iterable[Event]) -> None:
    """Sets them all. A loop is woken once, for all of its own: it would take Python's lock away after the first."""
    waiting: set[Tasks] = set()
    for each in events:
        if isinstance(each, _Parked):
            each.is_set = True
            each.task.tasks.happened.append(each)
            waiting.add(each.task.tasks)
        else:
            each.set()
    for loop in waiting:
        loop.wake()


def when_idle(call: Callable[[], None]) -> None:
    """Calls it once the other tasks have had their turn too; at once where there are no others."""
    task = greenlet.getcurrent()
    if isinstance(task, Task):
        task.tasks.idle_calls[call] = None
    else:
        call()


def offload(call: Callable[[], T]) -> T:
    """What the call returns or raises: a task has it made by a thread, since it may wait for somebody else."""
    task = greenlet.getcurrent()
    if not isinstance(task, Task):
        return call()
    result: list[T] = []
    errors: list[BaseException] = []
    made = _Parked(task)
    context = contextvars.copy_context()

    def make() -> None:
        try:
            result.append(context.run(call))
        except BaseException as error:
            errors.append(error)
        finally:
            made.set()

    task.tasks.threads.submit(make)
    made.wait(math.inf)
    if errors:
        raise errors[0]
    return result[0]


class Task(greenlet.greenlet):
    """A request that is being answered, then another: a new one's stack would be taken from the system each time."""

    def __init__(self, tasks: Tasks) -> None:
        super().__init__(self._work)
        self.tasks = tasks

    def give_way(self) -> Any:
        """Lets the loop go on, and returns what it switches back with."""
        # The parent is the thread's own greenlet: the loop, which goes on where it switched to this one.
        assert self.parent is not None
        return self.parent.switch()

    def _work(self) -> None:
        while True:
            self.tasks.free.append(self)
            job = self.give_way()
            job()
            del job  # or it would hold its request until the next


class Tasks:
    """Does jobs in turns, on the thread that calls `run`. Its `submit`, `jobs` and `is_full` are those of a Pool."""

    def __init__(self, max_jobs: int, threads: Pool, wake: Callable[[], None]) -> None:
        self.jobs = 0
        self.max_jobs = max_jobs
        self.threads = threads  # for the calls that block
        self.idle_calls: dict[Callable[[], None], None] = {}
        self.parked: dict[_Parked, float] = {}  # and until when
        self.happened: deque[_Parked] = deque()
        self.free: list[Task] = []  # as many as there ever were at once
        self._wake = wake
        self._woken = False  # whoever finds it set after adding an event is before the loop in `run`, which sees both
        self._new: deque[Callable[[], None]] = deque()

    @property
    def is_full(self) -> bool:
        """Whether it has as many jobs as it may."""
        return self.jobs >= self.max_jobs

    def submit(self, job: Callable[[], None]) -> None:
        """Does it in its turn. A job raises nothing, and counts itself down."""
        self.jobs += 1
        self._new.append(job)

    def wake(self) -> None:
        """Goes on with the tasks whose events have `happened`. From any thread."""
        if not self._woken:
            self._woken = True
            self._wake()

    def seconds_to_next(self) -> float:
        """How long nothing can go on, unless something happens."""
        if self._new or self.happened:
            return 0.0
        return min(self.parked.values(), default=math.inf) - time.monotonic()

    def run(self) -> None:
        """Lets every task go on that can, and new ones begin for a slice of time."""
        now = time.monotonic()
        self._woken = False
        while self.happened:
            event = self.happened.popleft()
            if self.parked.pop(event, None) is not None:
                event.task.switch()
        for event in [event for event, deadline in self.parked.items() if deadline <= now]:
            if self.parked.pop(event, None) is not None:
                event.task.switch()
        began = time.monotonic()
        while self._new:
            if not self.free:
                Task(self).switch()  # which is free then
            self.free.pop().switch(self._new.popleft())
            if time.monotonic() - began > SLICE_SECONDS:
                break
        while self.idle_calls:
            self.idle_calls.popitem()[0]()


class _Blocked:
    """A plain thread's event."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def wait(self, seconds: float) -> bool:
        return self._lock.acquire(timeout=seconds)

    def set(self) -> None:
        self._lock.release()


class _Parked:
    """A task's event."""

    __slots__ = ("is_set", "task")

    def __init__(self, task: Task) -> None:
        self.task = task
        self.is_set = False

    def wait(self, seconds: float) -> bool:
        if not self.is_set:
            self.task.tasks.parked[self] = time.monotonic() + seconds
            self.task.give_way()
        return self.is_set

    def set(self) -> None:
        set_all([self])
