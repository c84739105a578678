"""Whether this worker should get requests, and its end if it can't answer them any more.

gunicorn looks at a worker's main loop, which beats on while the model hangs: this looks at the batcher.
"""

import logging
import os
import signal
from typing import Any

import gevent
from gevent import monkey
from gevent.threadpool import ThreadPool

from service.http.problems import NOT_READY, RETRY, Problem
from service.inference.batcher import Batcher

LOOK_EVERY_SECONDS = 0.25
LOOKS = 4  # in a row that find trouble: a process that was itself stopped for a while finds its batch late, at first
LAST_WORDS_SECONDS = 3.0  # to send what is ready, and the others a problem

_log = logging.getLogger(__name__)


class Lifecycle:
    """Ready from the start, until the worker stops or its batcher fails."""

    def __init__(self, batcher: Batcher, max_batch_seconds: float) -> None:
        self.failed = False
        self._draining = False
        self._batcher = batcher
        self._max_batch_seconds = max_batch_seconds

    def check_ready(self) -> None:
        """Raise Problem where no more requests should come here."""
        failure = self._batcher.failure_reason(self._max_batch_seconds)
        if reason := "the worker is stopping" if self._draining else failure:
            raise Problem(NOT_READY, f"No more requests should come here: {reason}.", headers=RETRY)

    def drain(self) -> None:
        """Not ready from now on; what comes is answered all the same."""
        self._draining = True

    def watch(self) -> None:
        """End this process when its batcher fails. gunicorn starts another."""
        # In a native thread, which needs the hub for nothing: that may be what hangs.
        self._watchdog = ThreadPool(1)
        self._watchdog.spawn(self._watch, gevent.get_hub().loop)

    def _watch(self, loop: Any) -> None:
        sleep = monkey.get_original("time", "sleep")
        looks = 0
        while looks < LOOKS:
            sleep(LOOK_EVERY_SECONDS)
            reason = self._batcher.failure_reason(self._max_batch_seconds)
            looks = looks + 1 if reason else 0
        self.failed = True
        _log.critical("worker %d is replaced: %s", os.getpid(), reason)
        loop.run_callback_threadsafe(self._batcher.fail, reason or "")
        os.kill(os.getpid(), signal.SIGTERM)
        sleep(LAST_WORDS_SECONDS)
        os._exit(1)
