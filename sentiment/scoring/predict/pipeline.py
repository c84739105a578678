"""Windows of rows to windows with answers, in order, some handed over before they are needed."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sentiment.classifier import AnyPrediction
from sentiment.scoring.formats.inputs import Stretch
from sentiment.scoring.formats.rows import no_text
from sentiment.scoring.predict.engines import Engine, Pending
from sentiment.scoring.predict.predict import Answer

TASK_CHARACTERS = 1 << 20  # handed over at once: enough for wide batches, little enough for cores to share a window


@dataclass(frozen=True)
class AnsweredStretch:
    """A stretch with a prediction, or the reason why there is none, for each place of its window."""

    stretch: Stretch
    predictions: dict[int, AnyPrediction]
    reasons: dict[int, str]


def answered(stretches: Iterator[Stretch], engine: Engine, *, sentences: bool = False) -> Iterator[AnsweredStretch]:
    """Yield the stretches in their order. A text that is in a window more than once is answered once."""
    waiting: deque[_Asked] = deque()
    for stretch in stretches:
        waiting.append(_Asked(stretch, engine, sentences))
        if len(waiting) > engine.ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


class _Asked:
    def __init__(self, stretch: Stretch, engine: Engine, sentences: bool) -> None:
        self._stretch = stretch
        self._reasons = dict(stretch.window.faults)
        self._places: dict[str, list[int]] = {}
        for place, text in enumerate(stretch.window.texts):
            if place in self._reasons:
                continue
            if isinstance(text, str):
                self._places.setdefault(text, []).append(place)
            else:
                self._reasons[place] = no_text(text)
        self._tasks: list[tuple[Sequence[str], Pending]] = [
            (texts, engine.submit(texts, sentences=sentences)) for texts in _tasks(self._places)
        ]

    def result(self) -> AnsweredStretch:
        answers: dict[int, Answer] = {}
        for texts, pending in self._tasks:
            for text, answer in zip(texts, pending.result(), strict=True):
                answers.update(dict.fromkeys(self._places[text], answer))
        predictions = {place: answer for place, answer in sorted(answers.items()) if not isinstance(answer, str)}
        refused = {place: answer for place, answer in answers.items() if isinstance(answer, str)}
        return AnsweredStretch(self._stretch, predictions, self._reasons | refused)


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
