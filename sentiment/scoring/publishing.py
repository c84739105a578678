"""From the parts of an output to the output: in its place when it is whole, however often it takes."""

from pathlib import Path

from sentiment.errors import DataError
from sentiment.scoring.checkpoint import Checkpoint
from sentiment.scoring.errors import CheckpointError
from sentiment.scoring.files import join
from sentiment.scoring.partial_file import PartialFile
from sentiment.scoring.parts import PartsFolder
from sentiment.scoring.rejects import rejects_path


def publish(checkpoint: Checkpoint, parts: PartsFolder, target: Path, input_rows: int) -> None:
    """Puts output and rejects in their places, and drops the parts. Killed at any moment it is to be called again.

    Raises DataError where a row of the input is in neither.
    """
    if checkpoint.output_size is None:
        counts = f"{input_rows} rows read, {checkpoint.scored} scored, {checkpoint.rejected} rejected"
        if input_rows != checkpoint.rows or input_rows != checkpoint.scored + checkpoint.rejected:
            raise DataError(f"{target}: {counts}: some were lost, so no output was written")
        outputs = [parts.check(shard.output) for shard in checkpoint.shards]
        rejects = [parts.check(shard.rejects) for shard in checkpoint.shards if shard.rejects is not None]
        with (
            PartialFile(target, parts.path) as output_file,
            PartialFile(rejects_path(target), parts.path) as rejects_file,
        ):
            join(target, outputs, output_file.file)
            join(rejects_file.path, rejects, rejects_file.file)
            size = output_file.file.tell()
            # Either may be in its place alone for a moment: the parts are there until both are.
            if rejects:
                rejects_file.publish()
            else:
                rejects_file.path.unlink(missing_ok=True)  # of an earlier job
            output_file.publish()
        checkpoint.output_size = size
        checkpoint.save(parts)
    elif not target.exists() or target.stat().st_size != checkpoint.output_size:
        found = f"{target.stat().st_size} bytes" if target.exists() else "none"
        reason = f"the finished output had {checkpoint.output_size} bytes, and there is {found}"
        raise CheckpointError(f"{target}: {reason}; --restart scores it anew")
    parts.remove()
