"""Fingerprint everything that decides a training: equal fingerprints give the same weights, bit for bit."""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch

from sentiment.storage.files import expand, open_file
from sentiment.storage.formats import ROW_SUFFIXES
from sentiment.training.data.dataset import LabelledTexts
from sentiment.training.data.splits import Data
from sentiment.training.pretrained import load_pretrained
from sentiment.training.processes import ALONE, Processes
from sentiment.training.recipe import Recipe

_CHUNK_BYTES = 1 << 20


def training_fingerprint(recipe: Recipe, data: Data, processes: Processes = ALONE) -> dict[str, str]:
    """Return each setting, each set of rows and what computes, by name; long ones as a digest.

    Contents count instead of paths; the card and required suites are left out, as they change no weight.
    """
    settings = recipe.model_dump(
        mode="json",
        exclude={
            "card": True,
            "require": True,
            "train": {"__all__": {"path"}},
            "dev": True,
            "unlabelled": True,
            "training": {"start"},
        },
    )
    fingerprint = _flat(settings)
    for role, parts in (("train", data.train), ("dev", data.dev)):
        fingerprint |= {
            f"{role} rows {number} ({part.name})": _rows(part) for number, part in enumerate(parts, start=1)
        }
    if data.unlabelled:
        fingerprint["unlabelled"] = _rows(LabelledTexts("unlabelled", list(data.unlabelled), []))
    fingerprint |= {
        f"vectors {source}": files_fingerprint(source) for source in recipe.training.vectors if Path(source).is_file()
    }
    if recipe.training.starts_from_model:
        fingerprint["start"] = load_pretrained(recipe.training.start).version
    if processes.size > 1:
        fingerprint["processes"] = str(processes.size)
    return fingerprint | {
        "torch": torch.__version__,
        "threads (OMP_NUM_THREADS)": str(torch.get_num_threads()),  # sums are cut at other places, and round otherwise
    }


def _flat(value: Any, name: str = "") -> dict[str, str]:
    if isinstance(value, dict) and value:
        return {key: item for part in value for key, item in _flat(value[part], f"{name}.{part}".lstrip(".")).items()}
    return {name: json.dumps(value)}


def _rows(part: LabelledTexts) -> str:
    digest = hashlib.sha256(json.dumps([part.texts, part.labels, part.probabilities]).encode())
    for states in part.states or ():
        digest.update(b"-" if states is None else b"%d:%b" % (len(states), states))  # with where it begins
    return f"{len(part.texts)} rows of sha256 {digest.hexdigest()[:16]}"


def files_fingerprint(path: str) -> str:
    """Return the digest of the files of a path. Raises DataError if there are none."""
    digest = hashlib.sha256()
    for name in expand([path], ROW_SUFFIXES):
        with open_file(name) as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    return f"sha256 {digest.hexdigest()[:16]}"
