"""Trainings followed in TensorBoard and MLflow: their settings, each epoch's figures, and what came of them.

A store that can't be used when a training starts is refused. One that stops answering later costs a warning: the
training continues, and what the store lacks is sent again after each epoch.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from textwrap import shorten
from typing import Any

from sentiment.errors import ConfigError, SentimentError, TrackingError
from sentiment.training.events import Done, Start
from sentiment.training.loop import Progress
from sentiment.training.tracking.stores import Figures, MlflowStore, Store, TensorBoardStore, safe_name

STORES: Mapping[str, Callable[[str], Store]] = {"tensorboard": TensorBoardStore, "mlflow": MlflowStore}
LONGEST_REASON = 600  # characters: the cause of a web client's error comes last
FORMS = "tensorboard:FOLDER or mlflow:ADDRESS"

Warn = Callable[[str], object]


class Tracker:
    """Watches a training for one store."""

    def __init__(self, name: str, store: Store, warn: Warn) -> None:
        self.name = name
        self._store, self._warn = store, warn
        self._unsent: list[Figures] = []
        self._epoch = 0
        self._begun = self._warned = False

    def start(self, start: Start) -> None:
        """Begin or resume a run. Raises TrackingError if the store refuses it."""
        try:
            self._store.begin(start)
        except Exception as error:
            raise _unusable(self.name, error) from None
        self._epoch = start.epochs_done
        self._begun = True

    def progress(self, progress: Progress) -> None:
        """Send the figures of an epoch at its end."""
        if progress.dev_score is None:
            return
        self._epoch = progress.epoch
        self._send(
            {
                "loss": progress.loss,
                "dev_score": progress.dev_score,
                "tokens_per_second": progress.tokens_per_second,
            }
        )

    def done(self, done: Done) -> None:
        """Send the figures of the model, and end the run."""
        figures = {"best_dev_score": done.dev_score, "temperature": done.temperature} | dict(_numbers(done.dev, "dev"))
        if self._send(figures):
            self._try(lambda: self._store.end(finished=True))

    def stop(self) -> None:
        """Record that the training stopped before it was done."""
        if self._begun:
            self._try(lambda: self._store.end(finished=False))

    def _send(self, values: Mapping[str, float]) -> bool:
        self._unsent.append(Figures(self._epoch, time.time(), dict(values)))
        while self._unsent:
            figures = self._unsent[0]
            if not self._try(lambda figures=figures: self._store.write(figures)):  # type: ignore[misc]
                return False
            del self._unsent[0]
        return True

    def _try(self, action: Callable[[], object]) -> bool:
        try:
            action()
        except Exception as error:  # whatever a store's client raises, hours of training are worth more
            if not self._warned:
                self._warned = True
                reason = f"{self.name} does not answer any more: {_line(error)}"
                self._warn(f"{reason}; training continues, and the missing records are sent once it answers")
            return False
        return True


@contextmanager
def open_trackers(names: Sequence[str], warn: Warn) -> Iterator[list[Tracker]]:
    """Return observers that record a training in each of the named stores.

    Raises ConfigError for a wrong form and a package that isn't there, TrackingError for a store that can't be used.
    """
    trackers = [Tracker(name, _store(name), warn) for name in dict.fromkeys(names)]
    try:
        yield trackers
    except BaseException:
        for tracker in trackers:
            tracker.stop()
        raise


def _store(name: str) -> Store:
    kind, _, address = name.partition(":")
    if kind not in STORES or not address:
        raise ConfigError(f"--track {name} has an unknown form; give {FORMS}")
    try:
        return STORES[kind](address)
    except ModuleNotFoundError as error:
        raise ConfigError(f"--track {name} needs {error.name}: pip install 'sentiment-bilstm[track]'") from None
    except SentimentError:
        raise
    except Exception as error:
        raise _unusable(name, error) from None


def _unusable(name: str, error: Exception) -> TrackingError:
    return TrackingError(f"--track {name} can't be used: {_line(error)}; fix the store, or leave --track out")


def _line(error: Exception) -> str:
    reason = str(error).partition("\n[SQL")[0] or type(error).__name__  # the statement, by SQLAlchemy
    return shorten(reason, LONGEST_REASON, placeholder=" …").rstrip(".;")


def _numbers(values: Mapping[str, Any], name: str) -> Iterator[tuple[str, float]]:
    for part, value in values.items():
        named = f"{name}/{safe_name(part)}"
        if isinstance(value, Mapping):
            yield from _numbers(value, named)
        elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            yield named, float(value)
