"""Join the parts into the output and publish it when complete; safe to repeat after a crash."""

import hashlib
import json
from functools import partial
from typing import BinaryIO

from sentiment.errors import CheckpointError, DataError
from sentiment.scoring.formats.files import join
from sentiment.scoring.resume.checkpoint import Checkpoint, Shard
from sentiment.scoring.resume.parts import Parts, Publishable
from sentiment.scoring.resume.target import Target
from sentiment.storage.formats import Format

_JSON_LINES = Format(".jsonl")


def publish(checkpoint: Checkpoint, parts: Parts, target: Target, input_rows: int) -> None:
    """Publish output and rejects, and remove the parts. After a crash at any moment, call it again.

    Raises DataError if a row of the input is in neither.
    """
    if checkpoint.output_size is None:
        counts = f"{input_rows} rows read, {checkpoint.scored} scored, {checkpoint.rejected} rejected"
        if input_rows != checkpoint.rows or input_rows != checkpoint.scored + checkpoint.rejected:
            raise DataError(f"{target}: {counts}: some were lost, so no output was written")
        # For a moment only one of them may be published: the parts stay until both are.
        _publish_rejects(checkpoint, parts, target)
        if target.is_folder:
            target.publish_folder(
                {target.part_name(n): partial(_join_one, parts, target, s) for n, s in enumerate(checkpoint.shards)},
                _success(checkpoint),
            )
            checkpoint.output_size = target.size()
        else:
            with target.create(parts) as output:
                _join(checkpoint, parts, target, output)
                checkpoint.output_size = output.file.tell()
                output.publish()
        checkpoint.save(parts)
    elif (found := target.size()) != checkpoint.output_size:
        reason = f"the finished output had {checkpoint.output_size} bytes, and there is {found or 'none'}"
        raise CheckpointError(f"{target}: {reason}; --restart scores it anew")
    parts.remove()


def check_folder_is_free(checkpoint: Checkpoint, target: Target) -> None:
    """Raise DataError if the output folder contains other files."""
    if target.is_folder and checkpoint.output_size is None and not target.is_free():
        ours = checkpoint.shards and target.success() == _success(checkpoint)
        if not ours:
            raise DataError(f"{target}: holds files already; remove them, or name another folder")


def _publish_rejects(checkpoint: Checkpoint, parts: Parts, target: Target) -> None:
    names = [shard.rejects for shard in checkpoint.shards if shard.rejects is not None]
    if not names:
        target.drop_rejects()  # of an earlier job
        return
    for part in names:
        parts.check(part)
    with target.create_rejects(parts) as rejects:
        join(_JSON_LINES, [partial(parts.open, part.name) for part in names], rejects.file)
        rejects.publish()


def _join(checkpoint: Checkpoint, parts: Parts, target: Target, output: Publishable) -> None:
    for shard in checkpoint.shards:
        parts.check(shard.output)
    join(target.format, [partial(parts.open, shard.output.name) for shard in checkpoint.shards], output.file)


def _join_one(parts: Parts, target: Target, shard: Shard, file: BinaryIO) -> None:
    parts.check(shard.output)
    join(target.format, [partial(parts.open, shard.output.name)], file)


def _success(checkpoint: Checkpoint) -> bytes:
    fingerprint = json.dumps(checkpoint.fingerprint, sort_keys=True).encode()
    counts = {"rows": checkpoint.rows, "scored": checkpoint.scored, "rejected": checkpoint.rejected}
    return json.dumps({**counts, "job": hashlib.sha256(fingerprint).hexdigest()}).encode() + b"\n"
