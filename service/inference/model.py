"""Predict with one named model."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sentiment.config import Task
from sentiment.errors import TextError
from service.errors import DeadlinePassed, NoLabels, TextFailed
from service.inference import deadline as deadlines
from service.inference.batcher import Batcher
from service.inference.native import NativeThread
from service.schemas.models import ModelCard, ModelVersion
from service.telemetry import metrics

if TYPE_CHECKING:
    from sentiment.classifier import AnyModel, AnyPrediction, Prediction
    from sentiment.explain import SentenceView, SplitText

SLICE_CHARACTERS = 8192  # the tokenizer is theirs meanwhile: for a hundredth of a second, or a tenth if all is new
PARTS_PER_CALL = 512  # texts and sentences: a thousand reviews have more than the queue has room for

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Answer:
    """Predictions, or views by sentences, in the order of the texts, all from one version of one model."""

    model: ModelVersion
    task: Task  # of that version; so are the metrics
    metrics: Mapping[str, Any]
    predictions: Sequence[Any]


class Model:
    """Predicts texts from any thread in shared batches. Its classifier can be replaced meanwhile."""

    def __init__(self, name: str, classifier: AnyModel, batcher: Batcher) -> None:
        self.name = name
        self.classifier = classifier
        self._batcher = batcher
        self._encoder = NativeThread("encoder")
        metrics.set_model_version(name, classifier.version, None)

    @property
    def card(self) -> ModelCard:
        """Return the card of the version that serves now."""
        classifier = self.classifier
        return ModelCard(
            name=self.name,
            model=version_of(classifier),
            task=classifier.task,
            labels=[] if classifier.task == "regression" else list(classifier.labels),
            language=classifier.text_config.language,
            max_tokens=classifier.text_config.max_tokens,
            card=classifier.card,
        )

    def replace(self, classifier: AnyModel) -> None:
        """Use this classifier for new requests; running ones keep the old one."""
        before, self.classifier = self.classifier.version, classifier
        metrics.set_model_version(self.name, classifier.version, before)

    def record_metrics(self, predictions: Sequence[Any]) -> None:
        """Count predictions, or sentence views, for /metrics. Call it when nothing can refuse the request any more."""
        metrics.count_predictions(self.name, [getattr(each, "prediction", each) for each in predictions])

    def predict(self, texts: Sequence[str], *, sentences: bool = False, deadline: float | None = None) -> Answer:
        """Return a prediction for each text or, with `sentences`, a view by them.

        `deadline` is of time.monotonic(); else the request's own. Raises TextError, naming the index, for a text that
        can't be read, NoLabels for the sentences of a model of numbers, and what Batcher.classify raises.
        """
        classifier = self.classifier  # read once: who is asked encodes and predicts, whatever replaces it meanwhile
        deadline = deadline or deadlines.current()
        read = self._predict_sentences if sentences else self._predict_texts
        return Answer(version_of(classifier), classifier.task, classifier.metrics, read(classifier, texts, deadline))

    def _predict_texts(self, classifier: AnyModel, texts: Sequence[str], deadline: float) -> list[AnyPrediction]:
        with self._batcher.reserve(len(texts)):
            if sum(map(len, texts)) <= SLICE_CHARACTERS and not classifier.tokenizer.is_busy:
                encoded = classifier.encode(texts)
            else:
                encoded = self._read_in_slices(classifier.encode, texts, deadline)
        return self._batcher.classify(classifier, encoded, deadline)

    def _predict_sentences(self, classifier: AnyModel, texts: Sequence[str], deadline: float) -> list[SentenceView]:
        if classifier.task == "regression":
            raise NoLabels
        with self._batcher.reserve(len(texts)):
            split_texts: list[SplitText] = self._read_in_slices(classifier.split_sentences, texts, deadline)
        owners = [index for index, split in enumerate(split_texts) for _ in split.parts]
        parts = [part for split in split_texts for part in split.parts]
        predictions: list[Prediction] = []
        for start in range(0, len(parts), PARTS_PER_CALL):
            try:
                asked = parts[start : start + PARTS_PER_CALL]
                answered = self._batcher.classify(classifier, asked, deadline)
                predictions += cast("list[Prediction]", answered)  # of a model of labels
            except TextFailed as error:
                raise TextFailed(owners[start + error.index]) from None
        answers = iter(predictions)
        return [split.view(list(islice(answers, len(split.parts)))) for split in split_texts]

    def _read_in_slices(
        self, read: Callable[[Sequence[str]], list[Read]], texts: Sequence[str], deadline: float
    ) -> list[Read]:
        """Read the texts in slices, so that other requests can use the tokenizer in between.

        Raises TextError, naming the index, and DeadlinePassed.
        """
        found: list[Read] = []
        while len(found) < len(texts):
            if time.monotonic() >= deadline:
                raise DeadlinePassed
            start = end = len(found)
            characters = 0
            while end < len(texts) and (end == start or characters + len(texts[end]) <= SLICE_CHARACTERS):
                characters += len(texts[end])
                end += 1
            try:
                found += self._encoder.run(partial(read, texts[start:end]))
            except TextError as error:
                raise TextError(start + error.index, error.reason) from None
        return found


def version_of(classifier: AnyModel) -> ModelVersion:
    """Return name and version of a classifier."""
    return {"name": classifier.name, "version": classifier.version}
