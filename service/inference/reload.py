"""Replace models by newly read bundles in every worker, while requests are answered.

The worker that gets the request loads and swaps first; the others notice and do the same. SIGHUP reloads all.
"""

from __future__ import annotations

import logging
import mmap
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sentiment.errors import SentimentError
from service.errors import ModelRefused, ReloadRunning
from service.inference.model import Model
from service.inference.native import NativeThread
from service.schemas.models import Swap

if TYPE_CHECKING:
    from sentiment.classifier import AnyModel

POLL_SECONDS = 0.25

_log = logging.getLogger(__name__)
_last_request = mmap.mmap(-1, 8)  # when a reload was asked for last: gunicorn's master makes it before it forks


def request_reload() -> bytes:
    """Request a reload from every worker, and return its token. Safe in a signal handler."""
    _last_request[:] = request = time.monotonic_ns().to_bytes(8, "little")
    return request


def last_reload_request() -> bytes:
    """Return the token of the last requested reload."""
    return _last_request[:]


class Reloader:
    """Loads all models again and replaces all of them, or none.

    `applied` is the token of `last_reload_request` before `models` were read.
    """

    def __init__(self, models: Mapping[str, Model], load: Callable[[], Mapping[str, AnyModel]], applied: bytes) -> None:
        self._models = models
        self._load = load
        # One thread for all loads: torch keeps helpers for every thread that ever computed, and requests have many.
        self._loader = NativeThread("loader")
        self._running = threading.Lock()
        self._applied = applied

    def reload(self) -> list[Swap]:
        """Reload here, request it from other workers, and return the swaps. Raises ReloadRunning and ModelRefused."""
        if not self._running.acquire(blocking=False):
            raise ReloadRunning
        try:
            request = last_reload_request()
            swaps = self._swap()
            is_newest = last_reload_request() == request
            own = request_reload()
            if is_newest:  # else the files may have changed after they were read here: this worker follows, too
                self._applied = own
            return swaps
        finally:
            self._running.release()

    def watch(self) -> None:
        """Start a thread that reloads whenever another worker requests it."""
        threading.Thread(target=self._watch, name="reloader", daemon=True).start()

    def _watch(self) -> None:
        while True:
            time.sleep(POLL_SECONDS)
            with self._running:
                if (request := last_reload_request()) != self._applied:
                    self._applied = request
                    self._apply_request()

    def _apply_request(self) -> None:
        try:
            swaps = self._swap()
        except ModelRefused as error:
            _log.error("reload refused, the old models keep serving: %s", error)
        except Exception as error:  # such as no memory for two models: the old one is still there
            _log.error("reload failed, the old models keep serving: %s", type(error).__name__)
        else:
            _log.info("reloaded: %s", ", ".join(f"{swap.name} {swap.version}" for swap in swaps))

    def _swap(self) -> list[Swap]:
        try:
            classifiers = self._loader.run(self._load)
        except SentimentError as error:
            raise ModelRefused(str(error)) from None
        if classifiers.keys() != self._models.keys():
            names = ", ".join(sorted(classifiers.keys() ^ self._models.keys()))
            raise ModelRefused(f"models come and go with a restart alone: {names}")
        swaps = []
        for name, classifier in classifiers.items():
            model = self._models[name]
            swaps.append(Swap(name=name, previous=model.classifier.version, version=classifier.version))
            model.replace(classifier)
        return swaps
