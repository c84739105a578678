import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.errors import DeadlinePassed
from service.inference.explain_queue import ExplainQueue
from tests.service.conftest import WAIT_SECONDS


def later() -> float:
    return time.monotonic() + WAIT_SECONDS


def test_what_was_seen_or_raised_is_the_callers() -> None:
    queue = ExplainQueue()
    assert queue.run(lambda: threading.current_thread().name, 1, later()) == "explanations_0"
    with pytest.raises(ZeroDivisionError):
        queue.run(lambda: 1 // 0, 1, later())
    with pytest.raises(SystemExit):  # the thread outlives it
        queue.run(lambda: exit(1), 1, later())
    assert queue.run(lambda: "still there", 1, later()) == "still there"


def test_who_waited_too_long_is_let_go_and_never_looked_into() -> None:
    queue, begun, released = ExplainQueue(max_waiting_texts=2), threading.Event(), threading.Event()
    looked: list[str] = []

    def look() -> str:
        begun.set()
        assert released.wait(WAIT_SECONDS)
        return "seen"

    with ThreadPoolExecutor(1) as callers:
        first = callers.submit(queue.run, look, 1, later())
        assert begun.wait(WAIT_SECONDS)
        for wait_seconds in (0.01, -1):
            with pytest.raises(DeadlinePassed):
                queue.run(lambda: looked.append("late"), 1, time.monotonic() + wait_seconds)
        released.set()
        assert first.result() == "seen"
    assert queue.run(lambda: "there is room again", 2, later()) == "there is room again"
    assert looked == []
