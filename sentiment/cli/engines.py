"""What answers a scoring command: this process, several of this machine, or a Ray cluster."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment.errors import ConfigError

if TYPE_CHECKING:
    from sentiment.classifier import AnyModel
    from sentiment.scoring.engines import Engine

LOCAL, RAY = "local", "ray"
SMALL_BYTES = 1 << 22  # are scored before another process has its model


def check_engine(engine: str, ray_address: str | None, processes: int | None) -> None:
    """Raises ConfigError for options that do not belong together."""
    if engine not in (LOCAL, RAY):
        raise ConfigError(f"--engine: {LOCAL} or {RAY}, not {engine!r}")
    if ray_address is not None and engine != RAY:
        raise ConfigError("--ray-address is for --engine ray")
    if ray_address is not None and processes is not None:
        raise ConfigError("--processes: the cluster at --ray-address has its own: leave one out")


def local_engine(processes: int | None, model: Path, classifier: "AnyModel", paths: Sequence[str]) -> "Engine":
    """This process, or as many as are asked for; else, for large files, one a core."""
    from sentiment.scoring.engines import LocalEngine, ProcessEngine
    from sentiment.scoring.inputs import total_size

    if processes is None:
        processes = len(os.sched_getaffinity(0)) if total_size(paths) > SMALL_BYTES else 1
    if processes == 1:
        return LocalEngine(classifier)
    return ProcessEngine(model, classifier.version, processes, dtype=classifier.dtype)


def ray_engine(
    address: str | None, processes: int | None, model: Path, classifier: "AnyModel", paths: Sequence[str]
) -> "Engine":
    """A Ray cluster, or one of this machine alone."""
    from sentiment.scoring.ray_engine import RayEngine

    return RayEngine(model, classifier.version, address=address, processes=processes, dtype=classifier.dtype)
