"""Fingerprint everything that decides the bytes of an output: a job resumes only if it is unchanged."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from sentiment import __version__
from sentiment.classifier import AnyModel
from sentiment.scoring.predict.engines import Engine
from sentiment.scoring.resume.target import Target
from sentiment.scoring.settings import ScoringSettings
from sentiment.storage import remote
from sentiment.storage.files import hash_file

HASHED_BYTES = 1 << 20  # of the start and of the end of a URL's file, whose store has a version of its own for it


@dataclass(frozen=True)
class LocalFile:
    """The digest of a local file, and the state of its entry when it was read.

    The system changes the state with every write, and no user can set all of it back: while it is the same, so is what
    the file holds. Another state proves nothing: copying, moving and `touch` change it, too.
    """

    state: list[int]
    size: int
    sha256: str


LocalFiles = Mapping[str, LocalFile]  # by path


def read_local_files(paths: Sequence[str], known: LocalFiles) -> dict[str, LocalFile]:
    """Return the digests of the local files: each is read unless it is `known` in its present state."""
    found = {}
    for path in paths:
        if remote.is_remote(path):
            continue
        with Path(path).open("rb") as file:
            entry = os.fstat(file.fileno())
            state = [entry.st_dev, entry.st_ino, entry.st_size, entry.st_mtime_ns, entry.st_ctime_ns]
            if path in known and known[path].state == state:
                found[path] = known[path]
            else:
                found[path] = LocalFile(state, *hash_file(file))
    return found


def input_fingerprint(paths: Sequence[str], files: LocalFiles) -> dict[str, object]:
    """Return the inputs' names and contents."""
    # Real paths: the same file may have another name next time.
    names = {path: path if remote.is_remote(path) else os.path.realpath(path) for path in paths}
    fingerprint: dict[str, object] = {"inputs": list(names.values())}
    for path, name in names.items():
        if remote.is_remote(path):
            size = remote.size(path)
            fingerprint |= {f"size of {name}": size, f"version of {name}": remote.version(path)}
            with remote.open_to_read(path) as file:
                fingerprint[f"sha256 of both ends of {name}"] = _hash_of_ends(file, size)
        else:
            fingerprint |= {f"size of {name}": files[path].size, f"sha256 of {name}": files[path].sha256}
    return fingerprint


def _hash_of_ends(file: BinaryIO, size: int) -> str:
    digest = hashlib.sha256(file.read(HASHED_BYTES))
    file.seek(max(0, size - HASHED_BYTES))
    digest.update(file.read(HASHED_BYTES))
    return digest.hexdigest()


def job_fingerprint(
    classifier: AnyModel,
    engine: Engine,
    inputs: Sequence[str],
    files: LocalFiles,
    target: Target,
    settings: ScoringSettings,
) -> dict[str, object]:
    """Return all that decides a job's output, by name: input, model, settings, engine and format."""
    columns = None if settings.columns is None else list(settings.columns)
    named = {name.replace("_", " "): value for name, value in (asdict(settings) | {"columns": columns}).items()}
    return {
        **input_fingerprint(inputs, files),
        "model version": classifier.version,
        "precision": classifier.dtype,
        **named,
        "output format": f"{target.format} in parts" if target.is_folder else str(target.format),
        **engine.numeric_environment,
        "sentiment version": __version__,
    }
