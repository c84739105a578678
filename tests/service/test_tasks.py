"""Many requests on one thread, and what they wait for."""

import contextvars
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import greenlet
import pytest

from sentiment.classifier import EncodedText, Prediction
from service import tasks
from service.batcher import Batcher
from service.pool import Pool
from service.tasks import Tasks
from tests.service.conftest import WAIT_SECONDS


class Loop:
    """The tasks of this thread, run until they are done."""

    def __init__(self) -> None:
        self._awake = threading.Event()
        self.tasks = Tasks(8, Pool("blocking", 2, max_jobs=8), self._awake.set)

    def start(self, job: Callable[[], None]) -> None:
        """Submits a job that counts itself down."""

        def counted() -> None:
            job()
            self.tasks.jobs -= 1

        self.tasks.submit(counted)

    def run(self) -> None:
        """Until every job is done."""
        while self.tasks.jobs:
            self._awake.wait(min(WAIT_SECONDS, max(0.0, self.tasks.seconds_to_next())))
            self._awake.clear()
            self.tasks.run()


@pytest.fixture
def loop() -> Loop:
    return Loop()


def test_a_task_that_waits_leaves_the_thread_to_the_next(loop: Loop) -> None:
    said: list[str] = []
    happened: list[tasks.Event] = []

    def waits() -> None:
        happened.append(tasks.event())
        said.append("waits")
        assert happened[0].wait(WAIT_SECONDS)
        said.append("goes on")

    def goes_first() -> None:
        said.append("goes first")
        happened[0].set()

    loop.start(waits)
    loop.start(goes_first)
    loop.run()
    assert said == ["waits", "goes first", "goes on"]


def test_one_task_answers_one_after_the_other_and_holds_none(loop: Loop) -> None:
    done_by: list[object] = []
    held: list[weakref.ref[Callable[[], None]]] = []

    def answered() -> None:
        done_by.append(greenlet.getcurrent())

    for _ in range(3):
        job = partial(answered)
        held.append(weakref.ref(job))
        loop.tasks.submit(job)
        del job
        loop.tasks.run()
    assert len(set(done_by)) == 1
    assert loop.tasks.free == done_by[:1]
    assert [job() for job in held] == [None, None, None]


def test_an_event_set_by_another_thread(loop: Loop) -> None:
    def waits() -> None:
        event = tasks.event()
        threading.Timer(0.01, event.set).start()
        assert event.wait(WAIT_SECONDS)

    for _ in range(8):
        loop.start(waits)
    loop.run()
    assert not loop.tasks.parked


def test_events_set_together_wake_their_loop_once() -> None:
    wakings: list[int] = []
    together = Tasks(8, Pool("blocking", 2, max_jobs=8), lambda: wakings.append(len(together.happened)))
    events: list[tasks.Event] = []
    went_on: list[int] = []

    def waits(number: int) -> None:
        events.append(tasks.event())
        assert events[-1].wait(WAIT_SECONDS)
        went_on.append(number)

    for number in range(3):
        together.submit(partial(waits, number))
    together.run()
    of_a_thread = tasks.event()
    tasks.set_all([*events, of_a_thread])
    assert wakings == [3]
    assert of_a_thread.wait(0)
    together.run()
    assert went_on == [0, 1, 2]


def test_an_event_that_happens_too_soon_or_never_or_late(loop: Loop) -> None:
    found: list[bool] = []

    def waits() -> None:
        early, never = tasks.event(), tasks.event()
        early.set()
        found.append(early.wait(WAIT_SECONDS))
        found.append(never.wait(0.01))
        never.set()
        found.append(never.wait(0.01))

    loop.start(waits)
    loop.run()
    assert found == [True, False, True]


def test_who_waits_without_an_end_needs_no_waking(loop: Loop) -> None:
    loop.start(lambda: None)
    assert (loop.tasks.jobs, loop.tasks.is_full, loop.tasks.seconds_to_next()) == (1, False, 0.0)
    loop.run()
    assert loop.tasks.seconds_to_next() > WAIT_SECONDS
    for _ in range(8):
        loop.start(lambda: None)
    assert loop.tasks.is_full
    loop.run()


def test_what_is_done_when_idle_is_done_once_after_all_tasks(loop: Loop) -> None:
    said: list[str] = []
    idle = partial(said.append, "idle")

    def task(name: str) -> None:
        said.append(name)
        tasks.when_idle(idle)

    for name in "ab":
        loop.start(partial(task, name))
    loop.run()
    assert said == ["a", "b", "idle"]


def test_what_blocks_is_done_by_a_thread_in_the_context_of_the_task(loop: Loop) -> None:
    name = contextvars.ContextVar[str]("name")
    found: list[tuple[str, str, str]] = []

    def task(own: str) -> None:
        name.set(own)
        thread = tasks.offload(lambda: (name.get(), threading.current_thread().name.rstrip("01")))
        found.append((own, *thread))

    for own in "ab":
        loop.start(partial(task, own))
    loop.run()
    assert sorted(found) == [("a", "a", "blocking-"), ("b", "b", "blocking-")]


def test_what_a_thread_raises_is_raised_in_the_task(loop: Loop) -> None:
    def task() -> None:
        with pytest.raises(ZeroDivisionError):
            tasks.offload(lambda: 1 // 0)

    loop.start(task)
    loop.run()


def test_a_batch_waits_for_those_who_ask_in_the_same_turn(loop: Loop) -> None:
    batches: list[int] = []
    entered, leave = threading.Semaphore(0), threading.Semaphore(0)

    class Recorder:
        def classify(self, texts: Sequence[EncodedText]) -> list[Prediction]:
            batches.append(len(texts))
            entered.release()
            assert leave.acquire(timeout=WAIT_SECONDS)
            return [Prediction("fine", {}, 1, 0, False) for _ in texts]

    batcher, recorder = Batcher(max_batch_tokens=8, max_waiting_texts=40), Recorder()

    def asks() -> None:
        batcher.classify(recorder, [EncodedText([1], truncated=False)], time.monotonic() + WAIT_SECONDS)

    def asks_late() -> None:
        leave.release(2)
        first.result()
        assert not entered.acquire(timeout=0.05)  # the batcher is free, and the turn has not ended
        asks()

    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(asks)
        assert entered.acquire(timeout=WAIT_SECONDS)
        loop.start(asks)
        loop.start(asks_late)
        loop.run()
    assert batches == [1, 2]


def test_without_tasks_a_thread_waits_for_itself() -> None:
    event = tasks.event()
    assert not event.wait(0.0)
    event.set()
    assert event.wait(WAIT_SECONDS)
    assert tasks.offload(threading.get_ident) == threading.get_ident()
    done: list[int] = []
    tasks.when_idle(partial(done.append, 1))
    assert done == [1]
