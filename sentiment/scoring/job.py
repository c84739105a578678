"""A file to a file in constant memory, exactly once: shard by shard, each lasting on the disk before the next."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sentiment.classifier import Classifier
from sentiment.errors import ConfigError, DataError
from sentiment.scoring.answers import AnswerColumns
from sentiment.scoring.checkpoint import Checkpoint, Tally, check_identity, read_checkpoint
from sentiment.scoring.errors import RejectLimitError
from sentiment.scoring.files import Source, check_output, open_input
from sentiment.scoring.identity import input_identity, job_identity
from sentiment.scoring.parts import PartsFolder
from sentiment.scoring.publishing import publish
from sentiment.scoring.rejects import rejects_path
from sentiment.scoring.rows import Position, Selection
from sentiment.scoring.shards import ShardScorer

SHARD_ROWS = 1 << 16  # what a crash costs at most; smaller ones make a longer checkpoint, written more often


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is: rows and tokens so far, and the fraction of the input that is read."""

    rows: int
    rejected: int
    tokens: int
    fraction: float
    resumed: int  # of the rows, done by an earlier process


@dataclass(frozen=True, slots=True)
class ScoringSummary:
    """What became of every row: `rows` are `scored` and `rejected` together."""

    rows: int
    scored: int
    rejected: int
    resumed: int  # of the rows, done by an earlier process
    labels: dict[str, int]  # rows of each
    tokens: int
    unknown_tokens: int
    truncated: int
    seconds: float  # of this process
    output_path: Path
    rejects_path: Path | None  # None where nothing was rejected


def score(
    classifier: Classifier,
    input_path: str | Path,
    output_path: str | Path,
    text_column: str,
    on_progress: Callable[[Progress], None] | None = None,
    *,
    columns: Sequence[str] | None = None,
    top_only: bool = False,
    max_rejects: int | None = None,
    shard_rows: int = SHARD_ROWS,
    restart: bool = False,
) -> ScoringSummary:
    """What became of every row of the input: scored into the output, or put aside beside it with its reason.

    The suffixes say the formats; `columns` are those of the input to keep, all by default. What is done lies in
    `OUTPUT.parts`: after a crash the same call goes on from there, and the output is the same to the byte. It has its
    name only when it is whole. Raises DataError for files that can't be read, added to or written, CheckpointError
    where another input, model or setting is found there (`restart` drops it), and RejectLimitError.
    """
    started = time.monotonic()
    source_path, target = Path(input_path), Path(output_path)
    if shard_rows < 1:
        raise ConfigError(f"shard_rows: at least 1, not {shard_rows}")
    check_output(target, source_path)
    answers = AnswerColumns(classifier, top_only=top_only)
    kept = None if columns is None else list(dict.fromkeys(columns))
    try:
        with open_input(source_path, Selection(text_column, answers.types, kept)) as source:
            identity = job_identity(classifier, source_path, target, text_column, kept, top_only, shard_rows)
            with PartsFolder(target) as parts:
                checkpoint = _begin(parts, identity, restart)
                resumed = checkpoint.rows
                scorer = ShardScorer(classifier, answers, source, parts, target, shard_rows)
                try:
                    _score_shards(scorer, checkpoint, on_progress, max_rejects)
                    _check_unchanged(source_path, checkpoint)
                    publish(checkpoint, parts, target, _position(checkpoint, source).row - 1)
                finally:
                    if not checkpoint.shards:  # nothing to go on from
                        parts.remove()
    except OSError as error:
        reason = f"{error.filename or target}: {error.strerror or error}"
        raise DataError(f"{reason}; no row is lost: the same command goes on from what is done") from error
    return ScoringSummary(
        rows=checkpoint.rows,
        scored=checkpoint.scored,
        rejected=checkpoint.rejected,
        resumed=resumed,
        labels={label: checkpoint.tally.labels.get(label, 0) for label in classifier.labels},
        tokens=checkpoint.tally.tokens,
        unknown_tokens=checkpoint.tally.unknown_tokens,
        truncated=checkpoint.tally.truncated,
        seconds=time.monotonic() - started,
        output_path=target,
        rejects_path=rejects_path(target) if checkpoint.rejected else None,
    )


def _begin(parts: PartsFolder, identity: dict[str, object], restart: bool) -> Checkpoint:
    """The checkpoint to go on from, or a new one."""
    found = None if restart else read_checkpoint(parts)
    if found is not None and found.identity != identity and found.output_size is None:
        check_identity(parts, found.identity, identity)
    if found is not None and found.identity == identity:
        return found
    parts.clear()  # of a job that was killed before its first shard was done, or after its output was in place
    return Checkpoint(identity)


def _score_shards(
    scorer: ShardScorer,
    checkpoint: Checkpoint,
    on_progress: Callable[[Progress], None] | None,
    max_rejects: int | None,
) -> None:
    source, resumed = scorer.source, checkpoint.rows

    def on_window(rows: int, rejected: int, tally: Tally, position: Position) -> None:
        rows, rejected = checkpoint.rows + rows, checkpoint.rejected + rejected
        if on_progress is not None:
            on_progress(Progress(rows, rejected, tally.tokens, source.fraction(position), resumed))
        if max_rejects is not None and rejected > max_rejects:
            raise RejectLimitError(max_rejects, rejected, f"{scorer.target}: after {rows} rows")

    position = _position(checkpoint, source)
    on_window(0, 0, checkpoint.tally, position)
    while not checkpoint.shards or not source.is_end(position):
        tally = checkpoint.tally.copy()
        shard = scorer.score(len(checkpoint.shards), position, tally, on_window)
        if checkpoint.shards and not shard.rows:
            raise DataError(f"{scorer.target}: the input ended at row {position.row - 1}: it was changed meanwhile")
        checkpoint.shards.append(shard)
        checkpoint.tally = tally
        checkpoint.save(scorer.parts)
        position = shard.end


def _position(checkpoint: Checkpoint, source: Source) -> Position:
    return checkpoint.shards[-1].end if checkpoint.shards else source.start


def _check_unchanged(path: Path, checkpoint: Checkpoint) -> None:
    """Raises CheckpointError where the input is no longer what it was when the job began."""
    now = input_identity(path)
    names = [name for name, value in now.items() if checkpoint.identity[name] != value]
    if names:
        raise DataError(f"{path}: was changed while it was read ({', '.join(names)}); no output was written")
