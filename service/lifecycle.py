"""Whether this worker should get requests, and its end if it can't answer them any more.

gunicorn looks at a worker's main loop, which goes on beating while the model hangs: this looks at the batcher.
"""

import logging
import os
import signal
import threading

from flask import Flask

from service.batcher import Batcher

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

    @staticmethod
    def of(app: Flask) -> "Lifecycle":
        """The one of this app."""
        lifecycle: Lifecycle = app.extensions["lifecycle"]
        return lifecycle

    def register(self, app: Flask) -> None:
        """Makes it the one of this app."""
        app.extensions["lifecycle"] = self

    def not_ready(self) -> str | None:
        """Why no more requests should come here, or None."""
        return "the worker is stopping" if self._draining else self._batcher.trouble(self._max_batch_seconds)

    def drain(self) -> None:
        """Not ready from now on; what comes is answered all the same."""
        self._draining = True

    def watch(self) -> None:
        """Ends this process when its batcher fails, from a thread of its own. What runs it starts another."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def _watch(self) -> None:
        pause = threading.Event()
        looks = 0
        while looks < LOOKS:
            pause.wait(LOOK_EVERY_SECONDS)
            reason = self._batcher.trouble(self._max_batch_seconds)
            looks = looks + 1 if reason else 0
        self.failed = True
        _log.critical("worker %d is replaced: %s", os.getpid(), reason)
        self._batcher.fail(reason or "")
        os.kill(os.getpid(), signal.SIGTERM)
        pause.wait(LAST_WORDS_SECONDS)
        os._exit(1)
