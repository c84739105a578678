"""One shard of a job: its rows scored into a part, and the others put aside into another."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sentiment.classifier import Classifier
from sentiment.errors import DataError
from sentiment.scoring.answers import AnswerColumns
from sentiment.scoring.checkpoint import Shard, Tally
from sentiment.scoring.encoding import encode_window
from sentiment.scoring.files import Source, writer_for
from sentiment.scoring.partial_file import PartialFile
from sentiment.scoring.parts import PartsFolder
from sentiment.scoring.rejects import RejectsWriter
from sentiment.scoring.rows import Position

OnWindow = Callable[[int, int, Tally, Position], None]  # rows and rejects of the shard, the tally, and how far it is


@dataclass(frozen=True)
class ShardScorer:
    """Scores any shard of an input by itself: the same rows give the same bytes, whatever was done before."""

    classifier: Classifier
    answers: AnswerColumns
    source: Source
    parts: PartsFolder
    target: Path
    shard_rows: int

    def score(self, index: int, start: Position, tally: Tally, on_window: OnWindow) -> Shard:
        """The shard that starts there, its parts lasting on the disk; its answers are counted into `tally`."""
        output_path, rejects_path = (self.parts.path / f"{index:06d}.{kind}" for kind in ("rows", "rejects"))
        rows, end = 0, start
        with PartialFile(output_path) as output, PartialFile(rejects_path) as rejects:
            rejects_writer = RejectsWriter(rejects.file)
            writer = writer_for(self.target, output.file, self.source.head, self.answers.types, first=index == 0)
            with closing(writer):
                for window, end in self.source.windows(start, self.shard_rows):
                    texts, reasons = encode_window(self.classifier, window)
                    predictions = dict(zip(texts, self.classifier.classify(list(texts.values())), strict=True))
                    values = {place: self.answers.values(said) for place, said in predictions.items()}
                    misfits = writer.write(window, values)
                    rejects_writer.write(window, reasons | misfits)
                    rows += len(window.texts)
                    tally.add([said for place, said in predictions.items() if place not in misfits])
                    on_window(rows, rejects_writer.rows, tally, end)
            if rows != writer.rows + rejects_writer.rows or rows != end.row - start.row:
                counts = f"{rows} rows read, {writer.rows} scored, {rejects_writer.rows} rejected"
                raise DataError(f"{self.target}: {counts}: some were lost, so no output was written")
            output.publish()
            if rejects_writer.rows:
                rejects.publish()
        return Shard(
            rows=rows,
            scored=writer.rows,
            rejected=rejects_writer.rows,
            end=end,
            output=self.parts.describe(output_path.name),
            rejects=self.parts.describe(rejects_path.name) if rejects_writer.rows else None,
        )
