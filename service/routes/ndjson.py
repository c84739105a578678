"""Answer a stream of JSON lines, one response line for each request line in order, in the memory of one block.

A line is answered as if it were posted alone as JSON: by a PredictResponse of one prediction, or by its problem.
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
ROWS = 64  # lines predicted together: other requests get batches in between

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
    """Yield the response lines of each group of lines that is predicted together."""
    for lines in blocks:
        for start in range(0, len(lines), ROWS):
            rows = [_parse(line, settings) for line in lines[start : start + ROWS]]
            yield b"".join(orjson.dumps(row) + b"\n" for row in _answer_rows(rows, model))


def _answer_rows(rows: list[Row], model: Model) -> Iterator[dict[str, Any]]:
    """Yield the response to each row."""
    for sentences in (False, True):
        _predict_rows(rows, model, sentences=sentences)
    for row in rows:
        yield problems.details(row) if isinstance(row, Problem) else cast("dict[str, Any]", row)


def _predict_rows(rows: list[Row], model: Model, *, sentences: bool) -> None:
    """Replace each row that requests sentences, or each that doesn't, with its response.

    All are predicted together. After a text that is refused or fails, the others are predicted again.
    """
    apply = postprocessing.apply_options_to_views if sentences else postprocessing.apply_options
    while requested := [
        (index, row) for index, row in enumerate(rows) if isinstance(row, LineRequest) and row.sentences is sentences
    ]:
        try:
            answer = model.predict([row.text for _, row in requested], sentences=sentences)
        except TextError as error:
            rows[requested[error.index][0]] = problems.invalid_field("/text", error.reason)
        except TextFailed as error:
            rows[requested[error.index][0]] = Problem(TEXT_FAILED, "The model fails at this text.")
        except Exception as error:  # the status line is long gone: every row that was asked says what happened
            problem = problems.from_exception(error)
            metrics.shed(problem.type.status, problem.type.name, len(requested))
            for index, _ in requested:
                rows[index] = problem
        else:
            answered = []
            for (index, row), found in zip(requested, answer.predictions, strict=True):
                try:
                    threshold = postprocessing.threshold(row, answer, "/abstain")
                    finished = apply([found], _pointer, strict=row.strict, threshold=threshold)
                    rows[index] = {"model": answer.model, "predictions": finished}
                    answered.append(found)
                except Problem as problem:
                    rows[index] = problem
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
