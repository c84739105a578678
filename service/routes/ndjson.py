"""One text a line in, one answer a line out, in order: as much in memory as one block, however long the stream.

A line is answered as if it alone had been posted as JSON: by a PredictResponse of one prediction, or by its problem.
A client has to read while it writes: one that doesn't is waited for, and waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, cast

import orjson

from sentiment.errors import TextError
from service.errors import TextFailed
from service.http import body, problems
from service.http.problems import BODY_TOO_LARGE, INCOMPLETE_BODY, TEXT_FAILED, Problem
from service.inference import postprocessing
from service.inference.model import Model
from service.schemas.prediction import LineRequest
from service.settings import ServiceSettings
from service.telemetry import metrics

MEDIA_TYPE = "application/x-ndjson"
BLOCK_BYTES = 1 << 16
ROWS = 64  # lines asked together: a stream gets its batches, and others get theirs between

Line = bytes | Problem
Row = LineRequest | dict[str, Any] | Problem  # a line of a request, and what becomes of it


def read_lines(stream: BinaryIO, declared_bytes: int | None, max_line_bytes: int) -> Iterator[list[Line]]:
    """Yield the lines of each block, without their ends; for one too long, or a stream cut off, its problem."""
    received, rest, too_long = 0, b"", False
    problem = Problem(BODY_TOO_LARGE, f"The line has more than {max_line_bytes} bytes, the limit.")
    while True:
        try:
            block = stream.read(BLOCK_BYTES)
        except Exception:  # a bad chunk, a client gone
            yield [problems.broken_body()]
            return
        if not block:
            break
        received += len(block)
        *ended, rest = (rest + block).split(b"\n")
        lines: list[Line] = [line if len(line) <= max_line_bytes else problem for line in ended]
        if too_long and lines:  # what is left of a line whose start was dropped
            lines[0], too_long = problem, False
        if too_long or len(rest) > max_line_bytes:
            rest, too_long = b"", True
        if lines:
            yield lines
    if declared_bytes is not None and received < declared_bytes:
        yield [Problem(INCOMPLETE_BODY, f"The body ended after {received} of {declared_bytes} bytes.")]
    elif too_long:
        yield [problem]
    elif rest:
        yield [rest]


def answer(blocks: Iterable[list[Line]], model: Model, settings: ServiceSettings) -> Iterator[bytes]:
    """Yield the answers to the lines, each ended by a line feed, as many together as were asked together."""
    for lines in blocks:
        for start in range(0, len(lines), ROWS):
            rows = [_parse(line, settings) for line in lines[start : start + ROWS]]
            yield b"".join(orjson.dumps(row) + b"\n" for row in _answer_rows(rows, model))


def _answer_rows(rows: list[Row], model: Model) -> Iterator[dict[str, Any]]:
    """Yield the answer to each row."""
    for sentences in (False, True):
        _ask(rows, model, sentences=sentences)
    for row in rows:
        yield problems.details(row) if isinstance(row, Problem) else cast("dict[str, Any]", row)


def _ask(rows: list[Row], model: Model, *, sentences: bool) -> None:
    """Replace each row that wants sentences, or each that doesn't, by its answer.

    All are asked together. A text that is refused or fails is left out, and the others are asked again.
    """
    finish = postprocessing.finish_views if sentences else postprocessing.finish
    while asked := [
        (place, row) for place, row in enumerate(rows) if isinstance(row, LineRequest) and row.sentences is sentences
    ]:
        try:
            answer = model.predict([row.text for _, row in asked], sentences=sentences)
        except TextError as error:
            rows[asked[error.index][0]] = problems.invalid_field("/text", error.reason)
        except TextFailed as error:
            rows[asked[error.index][0]] = Problem(TEXT_FAILED, "The model fails at this text.")
        except Exception as error:  # the status line is long gone: every row that was asked says what happened
            problem = problems.from_exception(error)
            metrics.shed(problem.type.status, problem.type.name, len(asked))
            for place, _ in asked:
                rows[place] = problem
        else:
            answered = []
            for (place, row), found in zip(asked, answer.predictions, strict=True):
                try:
                    threshold = postprocessing.threshold(row, answer, "/abstain")
                    finished = finish([found], _pointer, strict=row.strict, threshold=threshold)
                    rows[place] = {"model": answer.model.model_dump(), "predictions": finished}
                    answered.append(found)
                except Problem as problem:
                    rows[place] = problem
            model.record_metrics(answered)


def _parse(line: Line, settings: ServiceSettings) -> Row:
    if isinstance(line, Problem):
        return line
    try:
        row = body.parse_as(LineRequest, line)
        postprocessing.check([row.text], _pointer, settings)
        return row
    except Problem as problem:
        return problem


def _pointer(_: int) -> str:
    return "/text"
