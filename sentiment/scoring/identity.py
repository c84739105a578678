"""What decides the bytes of an output: where any of it differs, a job begun before is not gone on from."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import torch

from sentiment import __version__
from sentiment.classifier import Classifier

HASHED_BYTES = 1 << 20  # of the start and of the end: all of 100 million rows would take minutes


def input_identity(path: Path) -> dict[str, object]:
    """Which file it is, and that nobody has written to it since."""
    with path.open("rb") as file:
        state = os.fstat(file.fileno())
        digest = hashlib.sha256(file.read(HASHED_BYTES))
        file.seek(max(0, state.st_size - HASHED_BYTES))
        digest.update(file.read(HASHED_BYTES))
    return {
        "input path": str(path.resolve()),
        "input size": state.st_size,
        "input mtime_ns": state.st_mtime_ns,
        "input sha256 of both ends": digest.hexdigest(),
    }


def job_identity(
    classifier: Classifier,
    source: Path,
    target: Path,
    text_column: str,
    columns: Sequence[str] | None,
    top_only: bool,
    shard_rows: int,
) -> dict[str, object]:
    """The identity of a job's input, its model and its settings, by name."""
    return {
        **input_identity(source),
        "model version": classifier.version,
        "precision": classifier.dtype,
        "text column": text_column,
        "columns": None if columns is None else list(columns),
        "top only": top_only,
        "output format": target.suffix.lower(),
        "shard rows": shard_rows,
        # Other threads or another build add numbers up in another order: other last digits.
        "threads": torch.get_num_threads(),
        "torch version": torch.__version__,
        "sentiment version": __version__,
    }
