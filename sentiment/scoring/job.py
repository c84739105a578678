"""A file to a file in constant memory: a window is tokenized while the one before it goes through the network."""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from sentiment.classifier import Classifier, Prediction
from sentiment.errors import DataError
from sentiment.scoring.answers import AnswerColumns
from sentiment.scoring.encoding import encode_window, one_ahead
from sentiment.scoring.files import check_output, open_input, writer_for
from sentiment.scoring.partial_file import PartialFile
from sentiment.scoring.rejects import RejectsWriter, rejects_path


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is: rows and tokens so far, and the fraction of the input that is read."""

    rows: int
    rejected: int
    tokens: int
    fraction: float


@dataclass(frozen=True, slots=True)
class ScoringSummary:
    """What became of every row: `rows` are `scored` and `rejected` together."""

    rows: int
    scored: int
    rejected: int
    labels: dict[str, int]  # rows of each
    tokens: int
    unknown_tokens: int
    truncated: int
    seconds: float
    output_path: Path
    rejects_path: Path | None  # None where nothing was rejected


def score(
    classifier: Classifier,
    input_path: str | Path,
    output_path: str | Path,
    text_column: str,
    on_progress: Callable[[Progress], None] | None = None,
) -> ScoringSummary:
    """What became of every row of the input: scored into the output, or put aside beside it with its reason.

    The suffixes say the formats. The output has its name only when it is whole. Raises DataError for files that
    can't be read, added to or written; an output there before is then untouched.
    """
    source, target = Path(input_path), Path(output_path)
    check_output(target, source)
    try:
        return _score(classifier, source, target, text_column, on_progress)
    except OSError as error:
        raise DataError(f"{error.filename or target}: {error.strerror or error}; no output was written") from error


def _score(
    classifier: Classifier,
    source: Path,
    target: Path,
    text_column: str,
    on_progress: Callable[[Progress], None] | None,
) -> ScoringSummary:
    columns = AnswerColumns(classifier)
    tally = _Tally(Counter(dict.fromkeys(classifier.labels, 0)))
    with (
        open_input(source, text_column, columns.types) as opened,
        PartialFile(target) as output,
        PartialFile(rejects_path(target)) as rejects,
        closing(one_ahead(encode_window(classifier, window) for window in opened.windows)) as windows,
    ):
        first = next(windows)
        rejects_writer = RejectsWriter(rejects.file)
        with closing(writer_for(target, output.file, first.window, columns.types)) as writer:
            for window, texts, reasons in chain([first], windows):
                predictions = dict(zip(texts, classifier.classify(list(texts.values())), strict=True))
                misfits = writer.write(window, {place: columns.values(said) for place, said in predictions.items()})
                rejects_writer.write(window, reasons | misfits)
                tally.add(len(window.texts), [said for place, said in predictions.items() if place not in misfits])
                if on_progress is not None:
                    on_progress(Progress(tally.rows, rejects_writer.rows, tally.tokens, opened.fraction_read()))
        if tally.rows != writer.rows + rejects_writer.rows:
            counts = f"{tally.rows} rows read, {writer.rows} scored, {rejects_writer.rows} rejected"
            raise DataError(f"{target}: {counts}: some were lost, so no output was written")
        if rejects_writer.rows:
            rejects.publish()
        else:
            rejects.path.unlink(missing_ok=True)  # of an earlier job
        output.publish()
    return ScoringSummary(
        rows=tally.rows,
        scored=writer.rows,
        rejected=rejects_writer.rows,
        labels=dict(tally.labels),
        tokens=tally.tokens,
        unknown_tokens=tally.unknown_tokens,
        truncated=tally.truncated,
        seconds=time.monotonic() - tally.started,
        output_path=target,
        rejects_path=rejects.path if rejects_writer.rows else None,
    )


@dataclass
class _Tally:
    labels: Counter[str]
    rows: int = 0
    tokens: int = 0
    unknown_tokens: int = 0
    truncated: int = 0
    started: float = field(default_factory=time.monotonic)

    def add(self, rows: int, predictions: list[Prediction]) -> None:
        self.rows += rows
        self.labels.update(prediction.label for prediction in predictions)
        self.tokens += sum(prediction.tokens for prediction in predictions)
        self.unknown_tokens += sum(prediction.unknown_tokens for prediction in predictions)
        self.truncated += sum(prediction.truncated for prediction in predictions)
