"""Collect the metrics of all workers for /metrics.

Under gunicorn each worker writes to files that all can read. Else the figures are those of this process.
"""

import os
import shutil
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from prometheus_client import Counter, Gauge, Histogram

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client's name for it
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
ROWS = [2**power for power in range(11)]
TOKENS = [2**power for power in range(3, 15)]
SHED = (429, 503, 504)

_made: list[str] = []


class Figures:
    """All metrics of this process."""

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


@cache  # when first asked for, in a worker: in gunicorn's master they would not be the worker's
def figures() -> Figures:
    """Return the metrics of this process."""
    return Figures()


@cache  # looking a child up by its labels takes longer than to count
def child(figure: str, *labels: str) -> Any:
    """Return a metric's child with these labels."""
    return getattr(figures(), figure).labels(*labels)


def count_request(method: str, route: str | None, status: int, problem: str | None) -> None:
    """Count an answered request, and count it as shed if it was refused for lack of time or capacity."""
    # Clients can invent any number of unknown methods.
    known = method if route or method in ("GET", "POST") else "other"
    child("requests", known, route or "none", str(status)).inc()
    shed(status, problem)


def count_predictions(model: str, predictions: Sequence[Any]) -> None:
    """Count predictions, of labels by label and confidence: they show drift before labelled data exists."""
    tokens = unknown = truncated = confidence = 0
    labels: dict[str, int] = {}
    for found in predictions:
        tokens += found.tokens
        unknown += found.unknown_tokens
        truncated += found.truncated
        if hasattr(found, "label"):  # else it is a number
            confidence += max(found.probabilities.values())
            labels[found.label] = labels.get(found.label, 0) + 1
    child("texts", model).inc(len(predictions))
    child("tokens", model).inc(tokens)
    for figure, amount in (("unknown", unknown), ("truncated", truncated)):
        of_model = child(figure, model)
        if amount:  # mostly there is nothing to write down
            of_model.inc(amount)
    child("confidence", model).inc(confidence)
    for label, count in labels.items():
        child("labels", model, label).inc(count)


def shed(status: int, reason: str | None, count: int = 1) -> None:
    """Count requests shed for lack of time or capacity; ignore other problems."""
    if status in SHED:
        figures().shed.labels(reason).inc(count)


def set_model_version(model: str, version: str, before: str | None) -> None:
    """Set the version of a model that serves now."""
    figures().model.labels(model, version).set(1)
    if before not in (None, version):
        figures().model.labels(model, before).set(0)


def share_files() -> None:
    """Empty or create the folder of the workers' metrics, so that those of an earlier start don't count."""
    if FOLDER not in os.environ:
        # In memory where there is such a place: the files are written with every request.
        memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="sentiment-metrics-", dir=memory)
        _made.append(os.environ[FOLDER])
    folder = Path(os.environ[FOLDER])
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.db"):
        file.unlink()


def remove_files() -> None:
    """Remove the folder, if it was created here."""
    for folder in _made:
        shutil.rmtree(folder, ignore_errors=True)
