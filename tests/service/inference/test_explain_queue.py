import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from service.errors import DeadlinePassed
from service.inference.explain_queue import ExplainQueue
from tests.service.conftest import WAIT_SECONDS


def later() -> float:
    return time.monotonic() + WAIT_SECONDS


class Held:
    """A look that doesn't end until it is let go."""

    def __init__(self) -> None:
        self.begun, self.released = threading.Event(), threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self.released.wait(WAIT_SECONDS)
        return "seen"


@pytest.fixture
def callers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


@pytest.fixture
def held() -> Iterator[Held]:
    held = Held()
    yield held
    held.released.set()


def ask(callers: ThreadPoolExecutor, queue: ExplainQueue, look: Callable[[], Any], texts: int = 1) -> Future[Any]:
    return callers.submit(queue.run, look, texts, later())


def test_what_was_seen_or_raised_is_the_callers() -> None:
    queue = ExplainQueue()
    assert queue.run(lambda: threading.current_thread().name, 1, later()) == "explanations_0"
    with pytest.raises(ZeroDivisionError):
        queue.run(lambda: 1 // 0, 1, later())
    with pytest.raises(SystemExit):  # the thread outlives it
        queue.run(lambda: exit(1), 1, later())
    assert queue.run(lambda: "still there", 1, later()) == "still there"


def test_who_waited_too_long_is_let_go_and_never_looked_into(callers: ThreadPoolExecutor, held: Held) -> None:
    queue = ExplainQueue(max_waiting_texts=2)
    first = ask(callers, queue, held)
    assert held.begun.wait(WAIT_SECONDS)
    looked: list[str] = []
    with pytest.raises(DeadlinePassed):
        queue.run(lambda: looked.append("late"), 1, time.monotonic() + 0.01)
    with pytest.raises(DeadlinePassed):
        queue.run(lambda: looked.append("too late"), 1, time.monotonic() - 1)
    held.released.set()
    assert first.result() == "seen"
    assert queue.run(lambda: "there is room again", 2, later()) == "there is room again"
    assert looked == []
