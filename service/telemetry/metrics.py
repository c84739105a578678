"""What the service shows of itself at /metrics, of all workers together.

Under gunicorn each worker writes to files that all can read: see metrics_files.py. Else the figures are those of this
process.
"""

from __future__ import annotations

import collections
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, cast

from prometheus_client import (
    Counter,
    Gauge,
    Histogram,
)  # fmt: skip

if TYPE_CHECKING:
    from sentiment.classifier import AnyPrediction, Prediction

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

ROWS = [2**power for power in range(11)]
TOKENS = [2**power for power in range(3, 15)]
SHED = (429, 503, 504)


class Figures:
    """All figures of this process."""

    def __init__(self) -> None:
        self.requests = Counter("sentiment_requests", "Requests answered.", ["method", "route", "status"])
        self.request_seconds = Histogram(
            "sentiment_request_seconds",
            "From a request's last byte to its answer's, but for streams of lines.",
            ["route"],
            buckets=SECONDS,
        )
        self.in_flight = Gauge("sentiment_requests_in_flight", "Requests being answered.", multiprocess_mode="livesum")
        self.queue_seconds = Histogram(
            "sentiment_queue_wait_seconds", "From a text's arrival to the start of its batch.", buckets=SECONDS
        )
        self.batch_rows = Histogram("sentiment_batch_rows", "Texts of a batch.", buckets=ROWS)
        self.batch_tokens = Histogram("sentiment_batch_tokens", "Tokens of a batch.", buckets=TOKENS)
        self.shed = Counter("sentiment_shed", "Requests and NDJSON lines refused or given up, by problem.", ["reason"])
        self.texts = Counter("sentiment_texts", "Texts answered.", ["model"])
        self.truncated = Counter("sentiment_texts_truncated", "Texts whose middle was left out.", ["model"])
        self.tokens = Counter("sentiment_tokens", "Tokens read.", ["model"])
        self.unknown = Counter("sentiment_tokens_unknown", "Tokens read that the model doesn't know.", ["model"])
        self.labels = Counter("sentiment_labels", "Texts by the label of the highest probability.", ["model", "label"])
        self.confidence = Counter("sentiment_confidence", "Sum of the highest probabilities.", ["model"])
        self.model = Gauge("sentiment_model", "1 for what serves.", ["model", "version"], multiprocess_mode="livemax")


class ModelFigures:
    """What is counted of one model's texts."""

    def __init__(self, model: str) -> None:
        now = figures()
        self.texts = now.texts.labels(model)
        self.truncated = now.truncated.labels(model)
        self.tokens = now.tokens.labels(model)
        self.unknown = now.unknown.labels(model)
        self.confidence = now.confidence.labels(model)
        self.label = cache(lambda label: now.labels.labels(model, label))


@cache  # when first asked for, in a worker: in gunicorn's master they would not be the worker's
def figures() -> Figures:
    """Return the figures of this process."""
    return Figures()


_of_model = cache(ModelFigures)  # looking a child up by its labels takes longer than to count
_answered = cache(lambda method, route, status: figures().requests.labels(method, route, status))
_seconds = cache(lambda route: figures().request_seconds.labels(route))


def count_request(method: str, route: str | None, status: int, problem: str | None) -> None:
    """Count an answered request, and as shed one that was refused for want of time or room."""
    # Of methods nobody knows there are as many as clients can think of.
    known = method if route or method in ("GET", "POST") else "other"
    _answered(known, route or "none", status).inc()
    shed(status, problem)


def observe_seconds(route: str | None, seconds: float) -> None:
    """Note how long an answer took."""
    _seconds(route or "none").observe(seconds)


def count_predictions(model: str, predictions: Sequence[AnyPrediction]) -> None:
    """Count what the model said: a drift of the texts shows here long before anybody has labels."""
    now = _of_model(model)
    now.texts.inc(len(predictions))
    now.tokens.inc(sum(found.tokens for found in predictions))
    if unknown := sum(found.unknown_tokens for found in predictions):  # mostly there is none to write down
        now.unknown.inc(unknown)
    if truncated := sum(found.truncated for found in predictions):
        now.truncated.inc(truncated)
    labelled = cast("list[Prediction]", [found for found in predictions if hasattr(found, "label")])  # else numbers
    now.confidence.inc(sum(max(found.probabilities.values()) for found in labelled))
    for label, count in collections.Counter(found.label for found in labelled).items():
        now.label(label).inc(count)


def shed(status: int, reason: str | None, count: int = 1) -> None:
    """Count what is refused or given up for want of time or room; other problems are no shedding."""
    if status in SHED:
        figures().shed.labels(reason).inc(count)


def observe_queue_wait(seconds: float) -> None:
    """Count how long a text waited for its batch."""
    figures().queue_seconds.observe(seconds)


def observe_batch(rows: int, tokens: int) -> None:
    """Count a batch."""
    figures().batch_rows.observe(rows)
    figures().batch_tokens.observe(tokens)


def set_model_version(model: str, version: str, before: str | None) -> None:
    """Say which version of a model serves from now on."""
    figures().model.labels(model, version).set(1)
    if before not in (None, version):
        figures().model.labels(model, before).set(0)
