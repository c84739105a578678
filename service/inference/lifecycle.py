"""Report whether this worker is ready, and stop it when it can't answer any more.

gunicorn watches a worker's main loop, which runs on while the model hangs; this watches the batcher.
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

POLL_SECONDS = 0.25
FAILED_POLLS = 4  # in a row until the worker is replaced: a process that was itself paused finds its batch late
GRACE_SECONDS = 3.0  # to send what is ready, and the others a problem

_log = logging.getLogger(__name__)


class Lifecycle:
    """The state of a worker: ready until it stops or its batcher fails."""

    def __init__(self, batcher: Batcher, max_batch_seconds: float) -> None:
        self.failed = False
        self._draining = False
        self._batcher = batcher
        self._max_batch_seconds = max_batch_seconds

    def check_ready(self) -> None:
        """Raise Problem if this worker should get no more requests."""
        failure = self._batcher.failure_reason(self._max_batch_seconds)
        if reason := "the worker is stopping" if self._draining else failure:
            raise Problem(NOT_READY, f"No more requests should come here: {reason}.", headers=RETRY)

    def drain(self) -> None:
        """Report not ready from now on, but answer requests all the same."""
        self._draining = True

    def watch(self) -> None:
        """End this process when its batcher fails. gunicorn starts another."""
        # In a native thread, which needs the hub for nothing: that may be what hangs.
        self._watchdog = ThreadPool(1)
        self._watchdog.spawn(self._watch, gevent.get_hub().loop)

    def _watch(self, loop: Any) -> None:
        sleep = monkey.get_original("time", "sleep")
        failed_polls = 0
        while failed_polls < FAILED_POLLS:
            sleep(POLL_SECONDS)
            reason = self._batcher.failure_reason(self._max_batch_seconds)
            failed_polls = failed_polls + 1 if reason else 0
        self.failed = True
        _log.critical("worker %d is replaced: %s", os.getpid(), reason)
        loop.run_callback_threadsafe(self._batcher.fail, reason or "")
        os.kill(os.getpid(), signal.SIGTERM)
        sleep(GRACE_SECONDS)
        os._exit(1)
