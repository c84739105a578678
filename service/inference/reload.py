"""New bundles in place of old ones, while requests are answered, in every worker.

The worker that is asked verifies and swaps; the others see that it did, and do the same. SIGHUP asks all of them.
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

LOOK_EVERY_SECONDS = 0.25

_log = logging.getLogger(__name__)
_asked = mmap.mmap(-1, 8)  # when a reload was asked for last: gunicorn's master makes it before it forks


def ask_for_reload() -> bytes:
    """Return what `reload_asked` says from now on: every worker is asked for a reload. Safe in a signal handler."""
    _asked[:] = asked = time.monotonic_ns().to_bytes(8, "little")
    return asked


def reload_asked() -> bytes:
    """Return when a reload was asked for last, in a form to compare."""
    return _asked[:]


class Reloader:
    """Loads the models anew and swaps them in: all of them, or none.

    `followed` is what `reload_asked` was before the models of `models` were read.
    """

    def __init__(
        self, models: Mapping[str, Model], load: Callable[[], Mapping[str, AnyModel]], followed: bytes
    ) -> None:
        self._models = models
        self._load = load
        # One thread for all loads: torch keeps helpers for every thread that ever computed, and requests have many.
        self._loader = NativeThread("loader")
        self._running = threading.Lock()
        self._followed = followed

    def reload(self) -> list[Swap]:
        """Return what was swapped here, and ask all other workers to follow. Raises ReloadRunning and ModelRefused."""
        if not self._running.acquire(blocking=False):
            raise ReloadRunning
        try:
            asked = reload_asked()
            swaps = self._swap()
            is_newest = reload_asked() == asked
            own = ask_for_reload()
            if is_newest:  # else the files may have changed after they were read here: this worker follows, too
                self._followed = own
            return swaps
        finally:
            self._running.release()

    def watch(self) -> None:
        """Reload whenever it is asked for elsewhere, in a thread of its own."""
        threading.Thread(target=self._watch, name="reloader", daemon=True).start()

    def _watch(self) -> None:
        while True:
            time.sleep(LOOK_EVERY_SECONDS)
            with self._running:
                if (asked := reload_asked()) != self._followed:
                    self._followed = asked
                    self._follow()

    def _follow(self) -> None:
        try:
            swaps = self._swap()
        except ModelRefused as error:
            _log.error("reload refused, the old models go on serving: %s", error)
        except Exception as error:  # such as no memory for two models: the old one is still there
            _log.error("reload failed, the old models go on serving: %s", type(error).__name__)
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
