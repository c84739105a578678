"""Score rows from a pipe as they arrive."""

import io
import json
import os
import select
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from sentiment.classifier import AnyModel
from sentiment.errors import DataError
from sentiment.scoring.formats.by_suffix import INPUT_SUFFIXES
from sentiment.scoring.formats.inputs import Chunk, Inputs, JobOffset
from sentiment.scoring.formats.rows import FileOffset, JsonRowBatch, Row, Selection, TextRowBatch
from sentiment.scoring.formats.text.lines import Lines
from sentiment.scoring.formats.text.readers import json_rows, line_rows, reject_clashes
from sentiment.scoring.formats.text.writers import JsonWriter
from sentiment.scoring.predict.engines import LocalEngine
from sentiment.scoring.predict.output_columns import OutputColumns
from sentiment.scoring.predict.pipeline import predict_chunks
from sentiment.scoring.resume.rejects import RejectsWriter
from sentiment.scoring.settings import ScoringSettings
from sentiment.storage.files import expand

PIPE = "-"
BLOCK_BYTES = 1 << 17  # answered together where so much has come: a tenth of a second's work
_READ_BYTES = 1 << 16


def score_to_pipe(
    classifier: AnyModel,
    inputs: list[str],
    descriptor: int,
    output: BinaryIO,
    rejects: BinaryIO,
    settings: ScoringSettings,
) -> tuple[int, int]:
    """Score a pipe and return the numbers of scored and rejected rows, each a JSON object in its stream.

    The inputs are files or, where there is `-` alone, what comes from `descriptor`: JSON objects, one a line, if the
    first line is one, else plain lines. Answers are flushed whenever no more rows wait.
    """
    answers = OutputColumns(classifier, settings)
    selection = settings.selection(answers.types)
    if inputs == [PIPE]:
        chunks: Iterator[Chunk] = _chunks(descriptor, selection)
    elif PIPE in inputs:
        raise DataError(f"{PIPE}: standard input is read alone, not beside files")
    else:
        files = Inputs(expand(inputs, INPUT_SUFFIXES), selection)
        chunks = files.chunks(files.start, settings.shard_rows)
    writer, rejects_writer = JsonWriter(output), RejectsWriter(rejects)
    for found in predict_chunks(chunks, LocalEngine(classifier), sentences=settings.sentences):
        predictions, refused = answers.judge(found.predictions)
        values = {index: answers.values(prediction) for index, prediction in predictions.items()}
        unwritable = writer.write(found.chunk.row_batch, values)
        output.flush()
        rejects_writer.write(found.chunk.row_batch, found.reasons | refused | unwritable, found.chunk.path)
        rejects.flush()
    return writer.rows, rejects_writer.rows


def refuse_pipe(inputs: Iterable[str | Path]) -> None:
    """Raise DataError if standard input is to go to a file: it can't be read again."""
    if PIPE in map(str, inputs):
        raise DataError(f"{PIPE}: what comes through a pipe can't be gone on from; write to {PIPE}, and redirect that")


def _chunks(descriptor: int, selection: Selection) -> Iterator[Chunk]:
    offset, row, is_json = 0, 1, None
    for block in _blocks(descriptor):
        if is_json is None and block.strip():
            is_json = _is_json(block)
        if not is_json:
            selection.check(PIPE, [selection.text_column])
        lines = Lines(io.BytesIO(block))
        clashing = selection.added if selection.kept is None else ()
        read = reject_clashes(json_rows(lines), clashing) if is_json else line_rows(lines, selection.text_column)
        rows: list[Row] = [replace(each, offset=offset + each.offset) for each in read]
        columns = [selection.text_column]
        kind = JsonRowBatch if is_json else TextRowBatch
        row_batch = kind(row, rows, columns, selection.text_column, selection.kept)
        offset, row = offset + len(block), row + len(rows)
        yield Chunk(row_batch, None, JobOffset(row - 1, 0, FileOffset(row, offset)), 0.0)


def _blocks(descriptor: int) -> Iterator[bytes]:
    """Yield whole lines: all that have arrived, at least one. The last may lack its line end."""
    held = b""
    while data := os.read(descriptor, _READ_BYTES):
        held += data
        while data and len(held) < BLOCK_BYTES and select.select([descriptor], [], [], 0)[0]:
            data = os.read(descriptor, _READ_BYTES)
            held += data
        end = held.rfind(b"\n") + 1
        if end:
            yield held[:end]
            held = held[end:]
    if held:
        yield held


def _is_json(block: bytes) -> bool:
    try:
        return isinstance(json.loads(block.strip().split(b"\n", 1)[0]), dict)
    except ValueError:
        return False
