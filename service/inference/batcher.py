"""Compute the texts of many callers together: one batch at a time, without added delay.

In a worker, where gevent has patched `threading`, the batcher and its callers are greenlets of one hub; elsewhere they
are threads. Each batch is computed in a native thread, of which the batcher has one.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol

from service.errors import BatcherFailed, DeadlinePassed, Overloaded, TextFailed
from service.inference.native import Lock, NativeThread, run_others
from service.telemetry import logs, metrics

if TYPE_CHECKING:
    from sentiment.classifier import AnyPrediction, EncodedText

# Callers just answered ask again, and what arrives with them joins the batch: of 32 clients 29 texts a batch, not 17.
# A native thread would wait for the hub all the same, which has the interpreter.
GATHER_SECONDS = 0.02
SHARES_OF_A_BATCH = 4  # of which one caller gets one a turn: a list of a thousand doesn't hold up a single text

_log = logging.getLogger(__name__)


class Classify(Protocol):
    """The method of a classifier that the batcher calls."""

    def classify(self, encoded: Sequence[EncodedText]) -> Sequence[AnyPrediction]:
        """Return a prediction for each text, in the order given."""


@dataclass(slots=True, eq=False)
class PendingRequest:
    """One caller's texts, their predictions, and the event set when all are computed."""

    classifier: Classify
    texts: Sequence[EncodedText]
    deadline: float
    arrived: float = field(default_factory=time.monotonic)
    next_index: int = 0  # texts before this index are computed or being computed
    error: Exception | None = None
    finished: bool = False
    answered: threading.Event = field(default_factory=lambda: threading.Event())  # gevent's, in a worker
    predictions: list[AnyPrediction | None] = field(init=False)
    missing: int = field(init=False)

    def __post_init__(self) -> None:
        self.missing = len(self.texts)
        self.predictions = [None] * self.missing


def check_capacity(waiting: int, texts: int, limit: int) -> None:
    """Raise Overloaded if the texts exceed the limit. A single request may exceed it while no other waits."""
    if waiting and waiting + texts > limit:
        raise Overloaded(waiting, limit)


class Batcher:
    """Computes texts from any thread in batches. All texts of a batch have the same classifier."""

    def __init__(self, max_batch_tokens: int, max_waiting_texts: int) -> None:
        self._max_batch_tokens = max_batch_tokens
        self._share = max(1, max_batch_tokens // SHARES_OF_A_BATCH)
        self._max_waiting_texts = max_waiting_texts
        self._lock = Lock()  # no one waits for anything while it is held
        self._arrived = threading.Event()
        self._queue: deque[PendingRequest] = deque()
        self._batch: list[tuple[PendingRequest, int]] = []
        self._waiting_texts = 0
        self._busy_since = math.inf
        self._failure: str | None = None
        self._native = NativeThread("batches")
        threading.Thread(target=self._run, name="batcher", daemon=True).start()  # a greenlet, in a worker

    @property
    def waiting_texts(self) -> int:
        """Return the number of texts queued, being computed, or reserved."""
        return self._waiting_texts

    def failure_reason(self, max_batch_seconds: float) -> str | None:
        """Return why the batcher can't answer, as it failed or a batch takes too long, or None."""
        if self._failure is not None:
            return self._failure
        if time.monotonic() - self._busy_since > max_batch_seconds:
            return f"a batch has been computing for more than {max_batch_seconds:g} seconds"
        return None

    @contextmanager
    def reserve(self, texts: int) -> Iterator[None]:
        """Count so many texts as waiting while they are encoded. Raises Overloaded or BatcherFailed at once."""
        with self._lock:
            self._check_capacity(texts)
            self._waiting_texts += texts
        try:
            yield
        finally:
            with self._lock:
                self._waiting_texts -= texts

    def classify(self, classifier: Classify, texts: Sequence[EncodedText], deadline: float) -> list[AnyPrediction]:
        """Return a prediction a text, in the order given. `deadline` is of time.monotonic().

        Raises Overloaded at once, DeadlinePassed, TextFailed for a text the model fails at, or BatcherFailed.
        """
        if not texts:
            return []
        pending = PendingRequest(classifier, texts, deadline)
        with self._lock:
            self._check_capacity(len(texts))
            self._waiting_texts += len(texts)
            self._queue.append(pending)
        self._arrived.set()
        if not pending.answered.wait(max(0.0, deadline - time.monotonic())):
            self._withdraw(pending, DeadlinePassed())
        if pending.error is not None:
            raise pending.error
        return pending.predictions  # type: ignore[return-value]  # none is missing: there was no error

    def fail(self, reason: str) -> None:
        """Raise BatcherFailed in every waiting and future caller."""
        with self._lock:
            self._failure = self._failure or reason
            for pending in [*self._queue, *(pending for pending, _ in self._batch)]:
                self._finish(pending, BatcherFailed(self._failure))
            self._queue.clear()

    def _check_capacity(self, texts: int) -> None:
        if self._failure is not None:
            raise BatcherFailed(self._failure)
        check_capacity(self._waiting_texts, texts, self._max_waiting_texts)

    def _withdraw(self, pending: PendingRequest, error: Exception) -> None:
        """End the request with this error, and drop its texts that are not yet computed."""
        with self._lock:
            if pending in self._queue:
                self._queue.remove(pending)
            self._finish(pending, error)

    def _finish(self, pending: PendingRequest, error: Exception | None = None) -> None:
        """Wake the caller, once. Call it with the lock held."""
        if not pending.finished:
            pending.finished = True
            self._waiting_texts -= len(pending.texts)
            pending.error = error
            pending.answered.set()

    def _run(self) -> None:
        try:
            while True:
                run_others(GATHER_SECONDS)
                self._arrived.clear()  # before the look: what arrives after it sets it again
                with self._lock:
                    batch = self._batch = self._take()
                if not batch:
                    self._arrived.wait()
                    continue
                _count(batch)
                self._compute(batch)
                self._batch = []  # or the model of the last batch would outlive a reload
        except BaseException as error:  # whatever ends the thread, no caller may wait forever
            _log.error("the batcher died: %s\n%s", type(error).__name__, logs.trace(error))
            self.fail(f"the batcher died of {type(error).__name__}")

    def _take(self) -> list[tuple[PendingRequest, int]]:
        """Return the next texts to compute, in turns from all callers of one classifier. Call it with the lock held."""
        batch: list[tuple[PendingRequest, int]] = []
        others: list[PendingRequest] = []
        tokens = 0
        now = time.monotonic()
        while self._queue:
            pending = self._queue.popleft()
            if pending.deadline <= now:
                self._finish(pending, DeadlinePassed())
            elif batch and pending.classifier is not batch[0][0].classifier:
                others.append(pending)
            else:
                end = tokens + self._share
                while pending.next_index < len(pending.texts):
                    cost = len(pending.texts[pending.next_index].token_ids)
                    if batch and tokens + cost > self._max_batch_tokens:
                        self._queue.extendleft([pending, *reversed(others)])
                        return batch
                    if tokens >= end:
                        self._queue.append(pending)
                        break
                    batch.append((pending, pending.next_index))
                    pending.next_index += 1
                    tokens += cost
        self._queue.extend(others)
        return batch

    def _compute(self, batch: list[tuple[PendingRequest, int]]) -> None:
        """Predict these texts; on an error halve the batch until only failing texts remain."""
        self._busy_since = time.monotonic()
        try:
            classify = batch[0][0].classifier.classify
            predictions = self._native.run(partial(classify, [pending.texts[index] for pending, index in batch]))
            if len(predictions) != len(batch):
                raise ValueError(f"{len(predictions)} predictions for {len(batch)} texts")
        except Exception as error:
            self._busy_since = math.inf
            if len(batch) > 1:
                middle = len(batch) // 2
                for half in (batch[:middle], batch[middle:]):
                    wanted = [(pending, index) for pending, index in half if not pending.finished]
                    if wanted:
                        self._compute(wanted)
                return
            _log.error("a text can't be computed: %s\n%s", type(error).__name__, logs.trace(error))
            pending, index = batch[0]
            self._withdraw(pending, TextFailed(index))
            return
        self._busy_since = math.inf
        with self._lock:
            for (pending, index), prediction in zip(batch, predictions, strict=True):
                pending.predictions[index] = prediction
                pending.missing -= 1
                if not pending.missing and not pending.finished:
                    self._finish(pending)


def _count(batch: Sequence[tuple[PendingRequest, int]]) -> None:
    figures, now = metrics.figures(), time.monotonic()
    for pending, index in batch:
        if index == 0:
            figures.queue_seconds.observe(now - pending.arrived)
    figures.batch_rows.observe(len(batch))
    figures.batch_tokens.observe(sum(len(pending.texts[index].token_ids) for pending, index in batch))
