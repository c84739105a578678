"""Predict the rows of each chunk in order, some chunks submitted ahead."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sentiment.classifier import AnyPrediction
from sentiment.scoring.formats.inputs import Chunk
from sentiment.scoring.formats.rows import no_text_reason
from sentiment.scoring.predict.engines import Engine, Pending
from sentiment.scoring.predict.predict import Answer

TASK_CHARACTERS = 1 << 20  # handed over at once: enough for wide batches, little enough for cores to share a batch


@dataclass(frozen=True)
class PredictedChunk:
    """A chunk with a prediction, or the reason why there is none, for each row of its batch."""

    chunk: Chunk
    predictions: dict[int, AnyPrediction]
    reasons: dict[int, str]


def predict_chunks(chunks: Iterator[Chunk], engine: Engine, *, sentences: bool = False) -> Iterator[PredictedChunk]:
    """Yield the chunks in their order. A text that is in a batch more than once is answered once."""
    waiting: deque[_PendingChunk] = deque()
    for chunk in chunks:
        waiting.append(_PendingChunk(chunk, engine, sentences))
        if len(waiting) > engine.ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


class _PendingChunk:
    def __init__(self, chunk: Chunk, engine: Engine, sentences: bool) -> None:
        self._chunk = chunk
        self._reasons = dict(chunk.row_batch.faults)
        self._indices: dict[str, list[int]] = {}
        for index, text in enumerate(chunk.row_batch.texts):
            if index in self._reasons:
                continue
            if isinstance(text, str):
                self._indices.setdefault(text, []).append(index)
            else:
                self._reasons[index] = no_text_reason(text)
        self._tasks: list[tuple[Sequence[str], Pending]] = [
            (texts, engine.submit(texts, sentences=sentences)) for texts in _tasks(self._indices)
        ]

    def result(self) -> PredictedChunk:
        answers: dict[int, Answer] = {}
        for texts, pending in self._tasks:
            for text, answer in zip(texts, pending(), strict=True):
                answers.update(dict.fromkeys(self._indices[text], answer))
        predictions = {index: answer for index, answer in sorted(answers.items()) if not isinstance(answer, str)}
        refused = {index: answer for index, answer in answers.items() if isinstance(answer, str)}
        return PredictedChunk(self._chunk, predictions, self._reasons | refused)


def _tasks(texts: Sequence[str] | dict[str, list[int]]) -> Iterator[list[str]]:
    """Yield the texts, similar lengths together: the batches of a task waste little on padding."""
    task: list[str] = []
    characters = 0
    for text in sorted(texts, key=len, reverse=True):  # the long ones first: the last task to end is a short one
        if task and characters + len(text) > TASK_CHARACTERS:
            yield task
            task, characters = [], 0
        task.append(text)
        characters += len(text)
    if task:
        yield task
