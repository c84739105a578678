"""From the parts of an output to the output: in its place when it is whole, however often it takes."""

import hashlib
import json
import shutil
from functools import partial

from sentiment.errors import DataError
from sentiment.scoring.checkpoint import Checkpoint
from sentiment.scoring.errors import CheckpointError
from sentiment.scoring.files import join
from sentiment.scoring.formats import Format
from sentiment.scoring.partial_file import PartialFile, sync_folder
from sentiment.scoring.parts import PartsFolder
from sentiment.scoring.target import Target

SUCCESS = "_SUCCESS"  # of a folder of parts: it is whole, and of which job; readers of such folders skip the name
_JSON_LINES = Format(".jsonl")


def publish(checkpoint: Checkpoint, parts: PartsFolder, target: Target, input_rows: int) -> None:
    """Puts output and rejects in their places, and drops the parts. Killed at any moment it is to be called again.

    Raises DataError where a row of the input is in neither.
    """
    if checkpoint.output_size is None:
        counts = f"{input_rows} rows read, {checkpoint.scored} scored, {checkpoint.rejected} rejected"
        if input_rows != checkpoint.rows or input_rows != checkpoint.scored + checkpoint.rejected:
            raise DataError(f"{target}: {counts}: some were lost, so no output was written")
        # Either may be in its place alone for a moment: the parts are there until both are.
        _publish_rejects(checkpoint, parts, target)
        if target.is_folder:
            checkpoint.output_size = _publish_folder(checkpoint, parts, target)
        else:
            with PartialFile(target.path, parts.path) as output:
                _join(checkpoint, parts, target, output)
                checkpoint.output_size = output.file.tell()
                output.publish()
        checkpoint.save(parts)
    elif (found := _output_size(target)) != checkpoint.output_size:
        reason = f"the finished output had {checkpoint.output_size} bytes, and there is {found or 'none'}"
        raise CheckpointError(f"{target}: {reason}; --restart scores it anew")
    parts.remove()


def check_folder_is_free(checkpoint: Checkpoint, target: Target) -> None:
    """Raises DataError where a folder of parts would stand among other files."""
    if target.is_folder and target.path.exists() and checkpoint.output_size is None:
        success = target.path / SUCCESS
        ours = checkpoint.shards and success.exists() and success.read_bytes() == _success(checkpoint)
        if not ours and any(target.path.iterdir()):
            raise DataError(f"{target}: holds files already; remove them, or name another folder")


def _publish_rejects(checkpoint: Checkpoint, parts: PartsFolder, target: Target) -> None:
    names = [shard.rejects for shard in checkpoint.shards if shard.rejects is not None]
    if not names:
        target.rejects.unlink(missing_ok=True)  # of an earlier job
        return
    for part in names:
        parts.check(part)
    with PartialFile(target.rejects, parts.path) as rejects:
        join(_JSON_LINES, [partial(parts.open, part.name) for part in names], rejects.file)
        rejects.publish()


def _join(checkpoint: Checkpoint, parts: PartsFolder, target: Target, output: PartialFile) -> None:
    for shard in checkpoint.shards:
        parts.check(shard.output)
    join(target.format, [partial(parts.open, shard.output.name) for shard in checkpoint.shards], output.file)


def _publish_folder(checkpoint: Checkpoint, parts: PartsFolder, target: Target) -> int:
    """How many bytes the files have together. The folder takes its name when all are in it."""
    if not (target.path / SUCCESS).exists():
        scratch = target.path.with_name(f"{target.path.name}.partial")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        for index, shard in enumerate(checkpoint.shards):
            parts.check(shard.output)
            with PartialFile(scratch / target.part_name(index)) as output:
                join(target.format, [partial(parts.open, shard.output.name)], output.file)
                output.publish()
        with PartialFile(scratch / SUCCESS) as success:
            success.file.write(_success(checkpoint))
            success.publish()
        scratch.replace(target.path)
        sync_folder(target.path.parent)
    return _output_size(target)


def _success(checkpoint: Checkpoint) -> bytes:
    identity = json.dumps(checkpoint.identity, sort_keys=True).encode()
    counts = {"rows": checkpoint.rows, "scored": checkpoint.scored, "rejected": checkpoint.rejected}
    return json.dumps({**counts, "job": hashlib.sha256(identity).hexdigest()}).encode() + b"\n"


def _output_size(target: Target) -> int:
    if not target.path.exists():
        return 0
    files = target.path.iterdir() if target.is_folder else [target.path]
    return sum(path.stat().st_size for path in files)
