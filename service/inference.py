"""The one way from the service to a model."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from sentiment.config import Task
from sentiment.errors import TextError
from service import deadline as deadlines
from service.batcher import Batcher
from service.errors import DeadlinePassed, NoLabels, TextFailed
from service.native import NativeThread
from service.shapes.models import ModelVersion

if TYPE_CHECKING:
    from sentiment.classifier import AnyModel, AnyPrediction, Prediction
    from sentiment.explain import SentenceView, SplitText

CHARACTERS_AT_ONCE = 8192  # the tokenizer is theirs meanwhile: for a hundredth of a second, or a tenth if all is new
PARTS_ASKED_AT_ONCE = 512  # texts and sentences: a thousand reviews have more than the queue has room for

Found = TypeVar("Found")
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Answer(Generic[Found]):
    """Predictions, or views by sentences, in the order of the texts, all from one version of one model."""

    model: ModelVersion
    task: Task  # of that version; so are the metrics
    metrics: Mapping[str, Any]
    found: list[Found]


class Inference:
    """Answers texts, from any thread, in common batches. Its classifier can be replaced while it does."""

    def __init__(self, classifier: AnyModel, batcher: Batcher) -> None:
        self.classifier = classifier
        self._batcher = batcher
        self._encoder = NativeThread()

    @property
    def model(self) -> ModelVersion:
        """Which model answers what is asked from now on."""
        return version_of(self.classifier)

    def predict(self, texts: Sequence[str], deadline: float | None = None) -> Answer[AnyPrediction]:
        """A prediction a text. Raises TextError, naming the index, for one that can't be read.

        `deadline` is of time.monotonic(); else the request's own. Raises what Batcher.classify raises, too. What takes
        a while to encode is encoded by a thread: the loop that this is called on goes on with others.
        """
        classifier = self.classifier  # read once: who is asked encodes and answers, whatever replaces it meanwhile
        deadline = deadline or deadlines.current()
        with self._batcher.room(len(texts)):
            if sum(map(len, texts)) <= CHARACTERS_AT_ONCE and not classifier.tokenizer.is_busy:
                encoded = classifier.encode(texts)
            else:
                encoded = self._in_slices(classifier.encode, texts, deadline)
        predictions = self._batcher.classify(classifier, encoded, deadline)
        return Answer(version_of(classifier), classifier.task, classifier.metrics, predictions)

    def read_sentences(self, texts: Sequence[str]) -> Answer[SentenceView]:
        """What is said of each text and of each of its sentences. Raises what `predict` raises, and NoLabels."""
        classifier, deadline = self.classifier, deadlines.current()
        if classifier.task == "regression":
            raise NoLabels
        with self._batcher.room(len(texts)):
            split_texts: list[SplitText] = self._in_slices(classifier.split_sentences, texts, deadline)
        owners = [index for index, split in enumerate(split_texts) for _ in split.parts]
        parts = [part for split in split_texts for part in split.parts]
        predictions: list[Prediction] = []
        for start in range(0, len(parts), PARTS_ASKED_AT_ONCE):
            try:
                asked = parts[start : start + PARTS_ASKED_AT_ONCE]
                answered = self._batcher.classify(classifier, asked, deadline)
                predictions += cast("list[Prediction]", answered)  # of a model of labels
            except TextFailed as error:
                raise TextFailed(owners[start + error.index]) from None
        answers = iter(predictions)
        views = [split.view(list(islice(answers, len(split.parts)))) for split in split_texts]
        return Answer(version_of(classifier), classifier.task, classifier.metrics, views)

    def _in_slices(
        self, read: Callable[[Sequence[str]], list[Read]], texts: Sequence[str], deadline: float
    ) -> list[Read]:
        """What is read of each text, by a thread, a slice of them at a time: between two, others have the tokenizer.

        Raises TextError, naming the index, and DeadlinePassed.
        """
        found: list[Read] = []
        while len(found) < len(texts):
            if time.monotonic() >= deadline:
                raise DeadlinePassed
            start = end = len(found)
            characters = 0
            while end < len(texts) and (end == start or characters + len(texts[end]) <= CHARACTERS_AT_ONCE):
                characters += len(texts[end])
                end += 1
            try:
                found += self._encoder.run(partial(read, texts[start:end]))
            except TextError as error:
                raise TextError(start + error.index, error.reason) from None
        return found


def version_of(classifier: AnyModel) -> ModelVersion:
    """Which model this is."""
    return _version(classifier.name, classifier.version)


@lru_cache(maxsize=64)  # made once a model, not once an answer
def _version(name: str, version: str) -> ModelVersion:
    return ModelVersion(name=name, version=version)
