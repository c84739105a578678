"""Join the parts into the output and publish it when complete; safe to repeat after a crash."""

import hashlib
import json
from collections.abc import Sequence
from functools import partial
from typing import BinaryIO

from sentiment.errors import CheckpointError, DataError
from sentiment.scoring.formats.files import join
from sentiment.scoring.resume.checkpoint import Checkpoint
from sentiment.scoring.resume.parts import Part, Parts
from sentiment.scoring.resume.target import SUCCESS, Target
from sentiment.storage.formats import Format


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
        outputs = [shard.output for shard in checkpoint.shards]
        if target.is_folder:
            if target.success() is None:
                writes = [partial(_join, parts, [part], target.format) for part in outputs]
                files = {target.part_name(index): write for index, write in enumerate(writes)}
                target.publish_folder({**files, SUCCESS: lambda file: file.write(_success(checkpoint))})
            checkpoint.output_size = target.size()
        else:
            with target.create(parts) as output:
                _join(parts, outputs, target.format, output.file)
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
    wanted = [shard.rejects for shard in checkpoint.shards if shard.rejects is not None]
    if not wanted:
        target.drop_rejects()  # of an earlier job
        return
    with target.create_rejects(parts) as rejects:
        _join(parts, wanted, Format(".jsonl"), rejects.file)
        rejects.publish()


def _join(parts: Parts, wanted: Sequence[Part], output: Format, file: BinaryIO) -> None:
    for part in wanted:
        parts.check(part)
    join(output, [partial(parts.open, part.name) for part in wanted], file)


def _success(checkpoint: Checkpoint) -> bytes:
    fingerprint = json.dumps(checkpoint.fingerprint, sort_keys=True).encode()
    counts = {"rows": checkpoint.rows, "scored": checkpoint.scored, "rejected": checkpoint.rejected}
    return json.dumps({**counts, "job": hashlib.sha256(fingerprint).hexdigest()}).encode() + b"\n"
