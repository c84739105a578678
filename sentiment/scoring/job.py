"""Score files into a file in constant memory, each row exactly once: each shard is on disk before the next starts."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from sentiment.classifier import AnyModel
from sentiment.errors import DataError
from sentiment.scoring.drift import Drift, drift, read_baselines
from sentiment.scoring.errors import NO_ROOM, RejectLimitError
from sentiment.scoring.formats.by_suffix import INPUT_SUFFIXES
from sentiment.scoring.formats.files import check_columns
from sentiment.scoring.formats.inputs import Inputs, JobOffset
from sentiment.scoring.predict.engines import Engine, LocalEngine
from sentiment.scoring.predict.output_columns import OutputColumns
from sentiment.scoring.predict.pipeline import predict_chunks
from sentiment.scoring.resume.checkpoint import Checkpoint, check_fingerprint, read_checkpoint
from sentiment.scoring.resume.fingerprint import input_fingerprint, job_fingerprint, read_local_files
from sentiment.scoring.resume.parts import Parts
from sentiment.scoring.resume.publish import check_folder_is_free, publish
from sentiment.scoring.resume.rejects import RejectsWriter
from sentiment.scoring.resume.shards import ShardScorer
from sentiment.scoring.resume.target import Target, target_of
from sentiment.scoring.settings import ScoringSettings
from sentiment.scoring.statistics import Tally
from sentiment.storage.files import expand, includes
from sentiment.storage.remote import RemoteError

GOES_ON = "the same command resumes"


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a job: rows and tokens so far, and the fraction of the input that is read."""

    rows: int
    rejected: int
    tokens: int
    unknown_tokens: int
    fraction: float
    resumed: int  # of the rows, done by an earlier process


@dataclass(frozen=True, slots=True)
class ScoringSummary:
    """The result of a job: `rows` are `scored` and `rejected` together."""

    rows: int
    scored: int
    rejected: int
    resumed: int  # of the rows, done by an earlier process
    labels: dict[str, int]  # rows of each
    tokens: int
    unknown_tokens: int
    truncated: int
    confidences: list[int]  # rows whose highest probability lies in each twentieth
    lengths: list[int]  # rows of 1 token, 2 to 3, 4 to 7, and so on
    drift: list[Drift] | None  # from each of the model's dev sets, the nearest first; None where it knows none
    seconds: float  # of this process
    output_path: Path | str  # a str where it is a URL
    rejects_path: Path | str | None  # None where nothing was rejected


def score(
    classifier: AnyModel,
    inputs: str | Path | Sequence[str | Path],
    output: str | Path,
    settings: ScoringSettings | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    *,
    engine: Engine | None = None,
    max_rejects: int | None = None,
    restart: bool = False,
) -> ScoringSummary:
    """Score every row of the inputs into the output, or reject it with a reason, and return the summary.

    Inputs are files, folders and globs; the suffixes say the formats, and an output that ends with a slash is a folder
    of parts. What is done lies in `OUTPUT.parts`: after a crash the same call resumes there, and the output is the
    same to the byte. It has its name only when it is whole. The `engine` answers; by default the classifier, here.
    Raises DataError for files that can't be read, added to or written, CheckpointError if another input, model or
    setting is found there (`restart` drops it), and RejectLimitError.
    """
    started = time.monotonic()
    settings = settings or ScoringSettings()
    engine = engine or LocalEngine(classifier)
    target = target_of(str(output))
    try:
        names = [inputs] if isinstance(inputs, str | Path) else inputs
        paths = expand(names, INPUT_SUFFIXES)
        target.check(paths)
        _check_inputs_stay(names, target)
        answers = OutputColumns(classifier, settings)
        baselines = read_baselines(classifier.metrics)
        rows = Inputs(paths, settings.selection(answers.types))
        check_columns(target.format, str(target), rows.head)
        with target.parts() as parts:
            found = None if restart else read_checkpoint(parts)
            checkpoint = found or Checkpoint({})
            try:
                files = read_local_files(paths, checkpoint.files)
                fingerprint = job_fingerprint(classifier, engine, paths, files, target, settings)
                checkpoint = _begin(parts, found, fingerprint)
                checkpoint.files = files
                check_folder_is_free(checkpoint, target)
                resumed = checkpoint.rows
                scorer = ShardScorer(answers, rows, parts, target, settings)
                _score_shards(scorer, engine, checkpoint, on_progress, max_rejects)
                _check_unchanged(target, paths, checkpoint)
                publish(checkpoint, parts, target, _resume_offset(checkpoint, rows).rows)
            finally:
                if not checkpoint.shards:  # nothing to resume
                    parts.remove()
    except OSError as error:
        reason = f"{error.filename or target}: {error.strerror or error}"
        first = "make room, and " if error.errno in NO_ROOM else ""
        raise DataError(f"{reason}; no row is lost: {first}{GOES_ON}") from error
    except RemoteError as error:
        raise DataError(f"{error}; no row is lost: {GOES_ON}") from error
    return ScoringSummary(
        rows=checkpoint.rows,
        scored=checkpoint.scored,
        rejected=checkpoint.rejected,
        resumed=resumed,
        labels={label: checkpoint.tally.labels.get(label, 0) for label in answers.labels},
        tokens=checkpoint.tally.tokens,
        unknown_tokens=checkpoint.tally.unknown_tokens,
        truncated=checkpoint.tally.truncated,
        confidences=checkpoint.tally.confidences,
        lengths=checkpoint.tally.lengths,
        drift=drift(checkpoint.tally, baselines) if baselines else None,
        seconds=time.monotonic() - started,
        output_path=target.path,
        rejects_path=target.rejects if checkpoint.rejected else None,
    )


def _check_inputs_stay(names: Sequence[str | Path], target: Target) -> None:
    """Raise DataError if a resumed job would read its own output."""
    output = f"{target.path}/{target.part_name(0)}" if target.is_folder else str(target.path)
    for written in (output, str(target.rejects)):
        for name in map(str, names):
            if includes(name, written, INPUT_SUFFIXES):
                raise DataError(f"{written}: {name} would take it in as an input, too; write to another folder")


def _begin(parts: Parts, found: Checkpoint | None, fingerprint: dict[str, object]) -> Checkpoint:
    """Return the checkpoint to resume from, or a new one."""
    if found is not None and found.fingerprint != fingerprint and found.output_size is None:
        check_fingerprint(parts, found.fingerprint, fingerprint)
    if found is not None and found.fingerprint == fingerprint:
        return found
    parts.clear()  # of a job that was killed before its first shard was done, or after its output was in place
    return Checkpoint(fingerprint)


def _score_shards(
    scorer: ShardScorer,
    engine: Engine,
    checkpoint: Checkpoint,
    on_progress: Callable[[Progress], None] | None,
    max_rejects: int | None,
) -> None:
    inputs, resumed = scorer.inputs, checkpoint.rows

    def on_batch(rows: int, rejects: RejectsWriter | None, tally: Tally, fraction: float) -> None:
        rows, rejected = checkpoint.rows + rows, checkpoint.rejected + (rejects.rows if rejects else 0)
        if on_progress is not None:
            on_progress(Progress(rows, rejected, tally.tokens, tally.unknown_tokens, fraction, resumed))
        if max_rejects is not None and rejected > max_rejects:
            last = rejects.last if rejects else None
            raise RejectLimitError(max_rejects, rejected, f"{scorer.target}: after {rows} rows", last)

    start = _resume_offset(checkpoint, inputs)
    on_batch(0, None, checkpoint.tally, checkpoint.shards[-1].fraction if checkpoint.shards else 0.0)
    with closing(inputs.chunks(start, scorer.settings.shard_rows)) as chunks:
        found = predict_chunks(chunks, engine, sentences=scorer.settings.sentences)
        first = next(found, None)
        while first is not None or not checkpoint.shards:  # an empty input has an output, too
            rest = found if first is None else chain([first], found)
            shard = scorer.write(len(checkpoint.shards), start, rest, checkpoint.tally, on_batch)
            checkpoint.shards.append(shard)
            checkpoint.save(scorer.parts)
            start = shard.end
            first = next(found, None)


def _resume_offset(checkpoint: Checkpoint, inputs: Inputs) -> JobOffset:
    return checkpoint.shards[-1].end if checkpoint.shards else inputs.start


def _check_unchanged(target: Target, paths: Sequence[str], checkpoint: Checkpoint) -> None:
    """Raise DataError if the input is no longer what it was when the job began."""
    now = input_fingerprint(paths, read_local_files(paths, checkpoint.files))
    names = [name for name, value in now.items() if checkpoint.fingerprint[name] != value]
    if names:
        raise DataError(f"{target}: the input was changed while it was read ({', '.join(names)}); no output is written")
