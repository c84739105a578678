"""Where the workers keep their figures, so that any of them can show those of all: for gunicorn's hooks.

A worker that takes another's place goes on with its files, so there are never more than of as many workers as run.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from prometheus_client import multiprocess, values

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client's name for it

_made: list[str] = []


def prepare() -> None:
    """Empty the folder, or make one: figures of an earlier start would be added to this one's."""
    given = os.environ.get(FOLDER)
    if given is None:
        # In memory where there is such a place: the files are written with every request.
        given = tempfile.mkdtemp(prefix="sentiment-metrics-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        os.environ[FOLDER] = given
        _made.append(given)
    folder = Path(given)
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.db"):
        file.unlink()


def claim(workers: dict[int, Any], worker: Any) -> None:
    """Give a worker that is about to start a place that no living one has."""
    taken = {other.metrics_place for other in workers.values()}
    worker.metrics_place = next(place for place in range(len(taken) + 1) if place not in taken)


def enter(worker: Any) -> None:
    """Make this process, the worker's, write to the files of its place."""
    place = worker.metrics_place
    # By place and not by process, as it is by default: there, dead workers' files pile up.
    values.ValueClass = values.MultiProcessValue(lambda: place)


def leave(worker: Any) -> None:
    """Take out what was true of a worker only while it lived."""
    multiprocess.mark_process_dead(worker.metrics_place)


def remove() -> None:
    """Remove the folder, if it was made here."""
    for folder in _made:
        shutil.rmtree(folder, ignore_errors=True)
