"""One text a line in, one answer a line out, in order: as much in memory as one block, however long the stream.

A line is answered as if it alone had been posted as JSON: by a PredictResponse of one prediction, or by its problem.
A client has to read while it writes: one that doesn't is waited for, and waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

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
Answered = dict[str, Any] | Problem


class Stream(Protocol):
    """Where the bytes come from: at most so many, fewer only at the end."""

    def read(self, size: int, /) -> bytes: ...


def read_lines(stream: Stream, declared_bytes: int | None, max_line_bytes: int) -> Iterator[list[Line]]:
    """Yield the lines of each block, without their ends; for one too long, or a stream cut off, its problem."""
    received, rest, too_long = 0, b"", False
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
        lines: list[Line] = list(ended)
        if too_long and lines:  # what is left of a line whose start was dropped
            lines[0], too_long = _too_long(max_line_bytes), False
        lines = [_too_long(max_line_bytes) if _exceeds(line, max_line_bytes) else line for line in lines]
        if too_long or len(rest) > max_line_bytes:
            rest, too_long = b"", True
        if lines:
            yield lines
    if declared_bytes is not None and received < declared_bytes:
        yield [Problem(INCOMPLETE_BODY, f"The body ended after {received} of {declared_bytes} bytes.")]
    elif too_long:
        yield [_too_long(max_line_bytes)]
    elif rest:
        yield [rest]


def answer(blocks: Iterable[list[Line]], model: Model, settings: ServiceSettings) -> Iterator[bytes]:
    """Yield the answers to the lines, each ended by a line feed, as many together as were asked together."""
    for lines in blocks:
        for start in range(0, len(lines), ROWS):
            rows = [_parse(line, settings) for line in lines[start : start + ROWS]]
            yield b"".join(orjson.dumps(row) + b"\n" for row in _answer_rows(rows, model))


def _answer_rows(rows: list[LineRequest | Problem], model: Model) -> Iterator[dict[str, Any]]:
    """Return the answer to each row, those that want their sentences asked together, and those that don't."""
    answers: dict[int, Answered] = {}
    for sentences in (False, True):
        asked = {
            place: row for place, row in enumerate(rows) if isinstance(row, LineRequest) and row.sentences is sentences
        }
        answers |= _ask(asked, model, sentences=sentences)
    for place, row in enumerate(rows):
        answer = row if isinstance(row, Problem) else answers[place]
        yield problems.details(answer) if isinstance(answer, Problem) else answer


def _ask(asked: dict[int, LineRequest], model: Model, *, sentences: bool) -> dict[int, Answered]:
    """Return the answers to these rows. A text that is refused or fails is left out, and the others asked again."""
    answers: dict[int, Answered] = {}
    finish = postprocessing.finish_views if sentences else postprocessing.finish
    while asked:
        try:
            answer = model.predict([row.text for row in asked.values()], sentences=sentences)
        except TextError as error:
            place = list(asked)[error.index]
            answers[place] = problems.invalid_field("/text", error.reason)
            del asked[place]
        except TextFailed as error:
            place = list(asked)[error.index]
            answers[place] = Problem(TEXT_FAILED, "The model fails at this text.")
            del asked[place]
        except Exception as error:  # the status line is long gone: every row that was asked says what happened
            problem = problems.from_exception(error)
            metrics.shed(problem.type.status, problem.type.name, len(asked))
            return answers | dict.fromkeys(asked, problem)
        else:
            version = answer.model.model_dump()
            answered = []
            for (place, row), found in zip(asked.items(), answer.predictions, strict=True):
                try:
                    threshold = postprocessing.threshold(row, answer, "/abstain")
                    finished = finish([found], _pointer, strict=row.strict, threshold=threshold)
                    answers[place] = {"model": version, "predictions": finished}
                    answered.append(found)
                except Problem as problem:
                    answers[place] = problem
            model.record_metrics(answered)
            break
    return answers


def _parse(line: Line, settings: ServiceSettings) -> LineRequest | Problem:
    if isinstance(line, Problem):
        return line
    try:
        row = body.parse_as(LineRequest, line)
        postprocessing.check([row.text], _pointer, settings)
    except Problem as problem:
        return problem
    return row


def _exceeds(line: Line, max_line_bytes: int) -> bool:
    return isinstance(line, bytes) and len(line) > max_line_bytes


def _too_long(max_line_bytes: int) -> Problem:
    return Problem(BODY_TOO_LARGE, f"The line has more than {max_line_bytes} bytes, the limit.")


def _pointer(_: int) -> str:
    return "/text"
