"""Score one shard of a job into a part, its rejected rows into another."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

from sentiment.errors import DataError
from sentiment.scoring.formats.files import writer_for
from sentiment.scoring.formats.inputs import Inputs, JobOffset
from sentiment.scoring.formats.rows import Writer
from sentiment.scoring.predict.output_columns import OutputColumns
from sentiment.scoring.predict.pipeline import PredictedChunk
from sentiment.scoring.resume.checkpoint import Shard
from sentiment.scoring.resume.parts import Parts
from sentiment.scoring.resume.rejects import RejectsWriter
from sentiment.scoring.resume.target import Target
from sentiment.scoring.settings import ScoringSettings
from sentiment.scoring.statistics import Tally

OnBatch = Callable[[int, RejectsWriter, Tally, float], None]  # the shard's rows and rejects, the tally, the share read


@dataclass(frozen=True)
class ShardScorer:
    """Writes any shard of an input by itself: the same rows give the same bytes, whatever was done before."""

    answers: OutputColumns
    inputs: Inputs
    parts: Parts
    target: Target
    settings: ScoringSettings

    def write(
        self, index: int, start: JobOffset, chunks: Iterator[PredictedChunk], tally: Tally, on_batch: OnBatch
    ) -> Shard:
        """Write the shard from `start` on to disk, count its answers into `tally`, and return its record."""
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
                while rows < self.settings.shard_rows and (found := next(chunks, None)) is not None:
                    self._write_batch(found, writer, rejects_writer, tally)
                    rows, end = rows + len(found.chunk.row_batch.texts), found.chunk.end
                    fraction = found.chunk.fraction
                    on_batch(rows, rejects_writer, tally, fraction)
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

    def _write_batch(self, found: PredictedChunk, writer: Writer, rejects_writer: RejectsWriter, tally: Tally) -> None:
        row_batch = found.chunk.row_batch
        kept, refused = self.answers.judge(found.predictions)
        unwritable = writer.write(
            row_batch, {index: self.answers.values(prediction) for index, prediction in kept.items()}
        )
        rejects_writer.write(row_batch, found.reasons | refused | unwritable, found.chunk.path)
        tally.add([prediction for index, prediction in kept.items() if index not in unwritable])
