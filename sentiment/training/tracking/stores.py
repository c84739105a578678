"""Store runs in a TensorBoard folder, or in an MLflow server or database."""

import hashlib
import json
import logging
import os
import re
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sentiment.errors import ConfigError
from sentiment.storage.remote import is_remote
from sentiment.training.events import Start

EXPERIMENT = "sentiment"  # MLflow's word for a set of runs, unless MLFLOW_EXPERIMENT_NAME says another
FINGERPRINT_KEY = "sentiment.identity"
MOST_PARAMETERS, MOST_METRICS, LONGEST_VALUE = 100, 1000, 6000  # that MLflow takes at once

Setting = str | float | bool
Item = TypeVar("Item")


@dataclass(frozen=True)
class Figures:
    """The figures at the end of an epoch."""

    epoch: int
    seconds: float  # since 1970
    values: dict[str, float]


class Store(Protocol):
    """Keeps one run. Whatever its client raises means that the store can't be used now."""

    def begin(self, start: Start) -> None:
        """Begin the run, or resume the one that the same training began before it was killed."""

    def write(self, figures: Figures) -> None:
        """Keep figures; those that it has already, too."""

    def end(self, *, finished: bool) -> None:
        """Record whether the training finished."""


class TensorBoardStore:
    """A folder of runs, each a folder of event files named after the model and what decides its training."""

    def __init__(self, address: str) -> None:
        from torch.utils.tensorboard import summary

        if is_remote(address):
            raise ConfigError(f"tensorboard:{address}: give a local folder, such as tensorboard:runs")
        self._summary = summary
        self._folder = Path(address)
        self._folder.mkdir(parents=True, exist_ok=True)

    def begin(self, start: Start) -> None:
        """Begin the run, and drop epochs that will be repeated from its curves."""
        from tensorboard.compat.proto.event_pb2 import SessionLog

        self._folder /= f"{start.name}-{fingerprint_of(start)}"
        after = start.epochs_done + 1 if start.epochs_done else 0
        experiment, session, _ = self._summary.hparams(settings_of(start), {"best_dev_score": 0.0})
        began = time.time()
        self._append(
            began,
            {"step": after, "session_log": SessionLog(status=SessionLog.START)},
            {"summary": experiment},
            {"summary": session},
        )

    def write(self, figures: Figures) -> None:
        """Add each figure to its curve."""
        scalars = [self._summary.scalar(name, value) for name, value in figures.values.items()]
        self._append(figures.seconds, *({"step": figures.epoch, "summary": scalar} for scalar in scalars))

    def end(self, *, finished: bool) -> None:
        """Close nothing: each write is a file of its own."""

    def _append(self, seconds: float, *events: dict[str, Any]) -> None:
        """Append whole or not at all: TensorBoard's own writer has a thread, whose errors can't be caught."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._folder.mkdir(exist_ok=True)
        name = f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}"  # read in this order
        scratch = self._folder / "partial"  # of a name that TensorBoard passes over
        with scratch.open("wb") as file:
            records = RecordWriter(file)
            for event in ({"file_version": "brain.Event:2"}, *events):
                records.write(Event(wall_time=seconds, **event).SerializeToString())
        scratch.replace(self._folder / name)


class MlflowStore:
    """Keep runs in a server or database of MLflow's, at the address that its own clients take."""

    def __init__(self, address: str) -> None:
        if "://" not in address:
            raise ConfigError(
                f"mlflow:{address}: that is not an address; give one such as mlflow:http://127.0.0.1:5000 or "
                "mlflow:sqlite:///runs.db"
            )
        # Its own wait of minutes would hold the training up; what isn't taken now is sent again after the next epoch.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
        os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        from mlflow import MlflowClient, entities

        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what it raises is reported in one line
        self._entities = entities
        self._client = MlflowClient(tracking_uri=address)
        experiment = os.environ.get("MLFLOW_EXPERIMENT_NAME", EXPERIMENT)
        found = self._client.get_experiment_by_name(experiment)
        self._experiment = found.experiment_id if found is not None else self._client.create_experiment(experiment)
        self._run = ""

    def begin(self, start: Start) -> None:
        """Begin a run, or resume an unfinished run of the same training."""
        fingerprint = fingerprint_of(start)
        unfinished = self._client.search_runs(
            [self._experiment],
            f"tags.`{FINGERPRINT_KEY}` = '{fingerprint}' and attributes.status != 'FINISHED'",
            max_results=1,
            order_by=["attributes.start_time DESC"],
        )
        if unfinished:
            self._run = unfinished[0].info.run_id
            self._client.update_run(self._run, status="RUNNING")
        else:
            tags = {FINGERPRINT_KEY: fingerprint}
            self._run = self._client.create_run(self._experiment, tags=tags, run_name=start.name).info.run_id
        parameters = [
            self._entities.Param(name, str(value)[:LONGEST_VALUE]) for name, value in settings_of(start).items()
        ]
        for part in _parts(parameters, MOST_PARAMETERS):
            self._client.log_batch(self._run, params=part)

    def write(self, figures: Figures) -> None:
        """Write the figures; MLflow itself skips those that it has."""
        milliseconds = int(figures.seconds * 1000)
        metrics = [
            self._entities.Metric(name, value, milliseconds, figures.epoch) for name, value in figures.values.items()
        ]
        for part in _parts(metrics, MOST_METRICS):
            self._client.log_batch(self._run, metrics=part)

    def end(self, *, finished: bool) -> None:
        """Set the run's final status."""
        self._client.set_terminated(self._run, "FINISHED" if finished else "FAILED")


def fingerprint_of(start: Start) -> str:
    """Return a short name for all that decides how the training goes."""
    return hashlib.sha256(json.dumps([start.name, start.settings], sort_keys=True).encode()).hexdigest()[:8]


def settings_of(start: Start) -> dict[str, Setting]:
    """Return the settings under names that every store accepts; numbers as numbers."""
    settings = {safe_name(name): _setting(value) for name, value in start.settings.items()}
    labels = ", ".join(start.labels)
    sizes = {"rows": start.rows, "dev_rows": start.dev_rows, "parameters": start.parameters}
    return settings | sizes | {"labels": labels, "dtype": start.dtype}


def safe_name(name: str) -> str:
    """Return the name with `_` for what MLflow refuses in one."""
    return re.sub(r"[^\w.: -]", "_", name)


def _setting(value: str) -> Setting:
    try:
        found = json.loads(value)
    except ValueError:
        return value  # a digest or a version
    return found if isinstance(found, str | int | float) else value


def _parts(items: Sequence[Item], most: int) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), most):
        yield items[start : start + most]
