"""What decides the bytes of an output: where any of it differs, a job begun before is not gone on from."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from sentiment import __version__
from sentiment.classifier import AnyModel
from sentiment.scoring.engines import Engine
from sentiment.scoring.settings import ScoringSettings
from sentiment.storage import remote

HASHED_BYTES = 1 << 20  # of the start and of the end: all of 100 million rows would take minutes


def input_identity(paths: Sequence[str]) -> dict[str, object]:
    """Which files they are, and that nobody has written to them since."""
    identity: dict[str, object] = {
        "inputs": [path if remote.is_remote(path) else os.path.realpath(path) for path in paths]
    }
    for path in paths:
        if remote.is_remote(path):
            size = remote.size(path)
            identity |= {f"size of {path}": size, f"version of {path}": remote.version(path)}
            with remote.open_to_read(path) as file:
                identity[f"sha256 of both ends of {path}"] = _hash_of_ends(file, size)
            continue
        with Path(path).open("rb") as file:
            state = os.fstat(file.fileno())
            identity |= {f"size of {path}": state.st_size, f"mtime_ns of {path}": state.st_mtime_ns}
            identity[f"sha256 of both ends of {path}"] = _hash_of_ends(file, state.st_size)
    return identity


def _hash_of_ends(file: BinaryIO, size: int) -> str:
    digest = hashlib.sha256(file.read(HASHED_BYTES))
    file.seek(max(0, size - HASHED_BYTES))
    digest.update(file.read(HASHED_BYTES))
    return digest.hexdigest()


def job_identity(
    classifier: AnyModel, engine: Engine, inputs: Sequence[str], output: str, settings: ScoringSettings
) -> dict[str, object]:
    """The identity of a job's input, its model and its settings, by name."""
    columns = None if settings.columns is None else list(settings.columns)
    named = {name.replace("_", " "): value for name, value in (asdict(settings) | {"columns": columns}).items()}
    return {
        **input_identity(inputs),
        "model version": classifier.version,
        "precision": classifier.dtype,
        **named,
        "output format": output,
        **engine.arithmetic,
        "sentiment version": __version__,
    }
