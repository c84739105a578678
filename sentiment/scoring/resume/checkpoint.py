"""Record the finished shards of a job, so that a killed one resumes after the last."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sentiment.errors import CheckpointError
from sentiment.scoring.formats.inputs import JobOffset
from sentiment.scoring.formats.rows import FileOffset
from sentiment.scoring.resume.fingerprint import LocalFile
from sentiment.scoring.resume.parts import CHECKPOINT, Part, Parts
from sentiment.scoring.statistics import Tally

FORMAT_VERSION = 3


@dataclass(frozen=True, slots=True)
class Shard:
    """A chunk of the input that is done: `rows` are `scored` and `rejected` together."""

    rows: int
    scored: int
    rejected: int
    end: JobOffset  # in the input
    fraction: float  # of the input's bytes before its end, which a decompressed offset doesn't say
    output: Part
    rejects: Part | None  # None where nothing was rejected


@dataclass
class Checkpoint:
    """Finished shards of a job. `fingerprint` has all that decides the output's bytes, by name."""

    fingerprint: dict[str, object]
    shards: list[Shard] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    output_size: int | None = None  # bytes; None until the output is published
    files: dict[str, LocalFile] = field(default_factory=dict)  # saves reading them again, no part of the fingerprint

    @property
    def rows(self) -> int:
        """Return the number of finished rows."""
        return sum(shard.rows for shard in self.shards)

    @property
    def scored(self) -> int:
        """Return how many of these are in the output."""
        return sum(shard.scored for shard in self.shards)

    @property
    def rejected(self) -> int:
        """Return how many of these are in the rejects."""
        return sum(shard.rejected for shard in self.shards)

    def save(self, parts: Parts) -> None:
        """Replace the saved checkpoint."""
        content = asdict(self)
        content = {"format_version": FORMAT_VERSION, "identity": content.pop("fingerprint"), **content}
        with parts.create(CHECKPOINT) as partial:
            partial.file.write(json.dumps(content).encode() + b"\n")
            partial.publish()


def read_checkpoint(parts: Parts) -> Checkpoint | None:
    """Return the folder's checkpoint, if it has one. Raises CheckpointError if it can't be read."""
    if not parts.has(CHECKPOINT):
        return None
    try:
        with parts.open(CHECKPOINT) as file:
            content = json.load(file)
        if content["format_version"] != FORMAT_VERSION:
            raise ValueError(f"format version {FORMAT_VERSION} is read, not {content['format_version']}")
        return Checkpoint(
            fingerprint=content["identity"],
            shards=[_shard(entry) for entry in content["shards"]],
            tally=Tally(**content["tally"]),
            output_size=content["output_size"],
            files={path: LocalFile(**entry) for path, entry in content["files"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{parts}/{CHECKPOINT}: can't be read ({error!r}); --restart starts again") from None


def check_fingerprint(parts: Parts, found: Mapping[str, object], wanted: Mapping[str, object]) -> None:
    """Raise CheckpointError, naming each difference, where the two are not of the same job."""
    names = [name for name in (*found, *wanted) if found.get(name) != wanted.get(name)]
    if names:
        changes = "; ".join(
            f"{name} was {found.get(name)!r}, now {wanted.get(name)!r}" for name in dict.fromkeys(names)
        )
        raise CheckpointError(
            f"{parts}: is of another job: {changes}. Give the same again to resume, "
            "or --restart to drop what is done and start again"
        )


def _shard(entry: dict[str, Any]) -> Shard:
    return Shard(
        rows=entry["rows"],
        scored=entry["scored"],
        rejected=entry["rejected"],
        end=JobOffset(entry["end"][0], entry["end"][1], FileOffset(*entry["end"][2])),
        fraction=entry["fraction"],
        output=Part(**entry["output"]),
        rejects=None if entry["rejects"] is None else Part(**entry["rejects"]),
    )
