"""One shard of a job: its rows scored into a part, and the others put aside into another."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

from sentiment.errors import DataError
from sentiment.scoring.formats.files import Writer, writer_for
from sentiment.scoring.formats.inputs import Inputs, Place
from sentiment.scoring.predict.output_columns import AnswerColumns
from sentiment.scoring.predict.pipeline import AnsweredStretch
from sentiment.scoring.resume.checkpoint import Shard
from sentiment.scoring.resume.parts import Parts
from sentiment.scoring.resume.rejects import RejectsWriter
from sentiment.scoring.resume.target import Target
from sentiment.scoring.settings import ScoringSettings
from sentiment.scoring.statistics import Tally

OnWindow = Callable[[int, RejectsWriter, Tally, float], None]  # the shard's rows and rejects, the tally, the share read


@dataclass(frozen=True)
class ShardScorer:
    """Writes any shard of an input by itself: the same rows give the same bytes, whatever was done before."""

    answers: AnswerColumns
    inputs: Inputs
    parts: Parts
    target: Target
    settings: ScoringSettings

    def write(
        self, index: int, start: Place, stretches: Iterator[AnsweredStretch], tally: Tally, on_window: OnWindow
    ) -> Shard:
        """Return the shard that starts there, its parts lasting on the disk; its answers are counted into `tally`."""
        output_name, rejects_name = (f"{index:06d}.{kind}" for kind in ("rows", "rejects"))
        rows, end, fraction = 0, start, 0.0
        with self.parts.create(output_name) as output, self.parts.create(rejects_name) as rejects:
            rejects_writer = RejectsWriter(rejects.file)
            writer = writer_for(
                self.target.format,
                output.file,
                self.inputs.head,
                self.answers.types,
                names=index == 0 or self.target.is_folder,
                escape_formulas=self.settings.escape_formulas,
            )
            with closing(writer):
                while rows < self.settings.shard_rows and (found := next(stretches, None)) is not None:
                    self._write_window(found, writer, rejects_writer, tally)
                    rows, end = rows + len(found.stretch.window.texts), found.stretch.end
                    fraction = found.stretch.fraction
                    on_window(rows, rejects_writer, tally, fraction)
            if rows != writer.rows + rejects_writer.rows or rows != end.rows - start.rows:
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
            fraction=fraction,
            output=self.parts.describe(output_name),
            rejects=self.parts.describe(rejects_name) if rejects_writer.rows else None,
        )

    def _write_window(
        self, found: AnsweredStretch, writer: Writer, rejects_writer: RejectsWriter, tally: Tally
    ) -> None:
        window = found.stretch.window
        kept, refused = self.answers.judge(found.predictions)
        misfits = writer.write(window, {place: self.answers.values(said) for place, said in kept.items()})
        rejects_writer.write(window, found.reasons | refused | misfits, found.stretch.path)
        tally.add([said for place, said in kept.items() if place not in misfits])
