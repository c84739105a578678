"""Choose the engine of a scoring command: this process, several of this machine, or a Ray cluster."""

import os
import random
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sentiment.errors import ConfigError

if TYPE_CHECKING:
    from sentiment.classifier import AnyModel
    from sentiment.scoring.predict.engines import Engine

LOCAL, RAY = "local", "ray"
SMALL_BYTES = 1 << 22  # are scored before another process has its model
MEASURED_ROWS, MEASURED_TOKENS = 256, 32  # that a warning of a slow number format is measured by


def check_engine(engine: str, ray_address: str | None, processes: int | None) -> None:
    """Raise ConfigError for options that do not belong together."""
    if engine not in (LOCAL, RAY):
        raise ConfigError(f"--engine: {LOCAL} or {RAY}, not {engine!r}")
    if ray_address is not None and engine != RAY:
        raise ConfigError("--ray-address is for --engine ray")
    if ray_address is not None and processes is not None:
        raise ConfigError("--processes: the cluster at --ray-address has its own: leave one out")


def load_in_dtype(model: Path, dtype: str) -> "AnyModel":
    """Return the model in this number format, with a warning on standard error where float32 is quicker here."""
    from sentiment.classifier import EncodedText, load
    from sentiment.nn.precision import measure

    classifier = load(model, dtype=dtype, task=None)
    if dtype == "float32":
        return classifier
    exact = load(model, task=None)
    draw = partial(random.Random(0).choices, range(len(exact.vocabulary)), k=MEASURED_TOKENS)
    rows = [EncodedText(draw(), truncated=False) for _ in range(MEASURED_ROWS)]
    seconds = measure({"float32": partial(exact.classify, rows), dtype: partial(classifier.classify, rows)})
    if seconds["float32"] < seconds[dtype]:
        times = seconds[dtype] / seconds["float32"]
        warning = f"warning: --dtype {dtype}: float32 is {times:.1f} times as quick here, and exact; leave --dtype out"
        typer.secho(warning, fg="yellow", err=True)
    return classifier


def local_engine(processes: int | None, model: Path, classifier: "AnyModel", paths: Sequence[str]) -> "Engine":
    """Return this process, or as many as requested; by default, for large files, one a core."""
    from sentiment.scoring.formats.inputs import total_size
    from sentiment.scoring.predict.engines import LocalEngine, ProcessEngine

    if processes is None:
        processes = len(os.sched_getaffinity(0)) if total_size(paths) > SMALL_BYTES else 1
    if processes == 1:
        return LocalEngine(classifier)
    return ProcessEngine(model, classifier.version, processes, dtype=classifier.dtype)


def ray_engine(
    address: str | None, processes: int | None, model: Path, classifier: "AnyModel", paths: Sequence[str]
) -> "Engine":
    """Return a Ray cluster, or one of this machine alone."""
    from sentiment.scoring.predict.ray_engine import RayEngine

    return RayEngine(model, classifier.version, address=address, processes=processes, dtype=classifier.dtype)
