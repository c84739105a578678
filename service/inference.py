"""The one way from the service to a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from service import deadline as deadlines
from service.batcher import Batcher
from service.schemas import ModelVersion

if TYPE_CHECKING:
    from sentiment.classifier import Classifier, Prediction


@dataclass(frozen=True, slots=True)
class Answer:
    """Predictions in the order of the texts, all from one version of one model."""

    model: ModelVersion
    predictions: list[Prediction]


class Inference:
    """Answers texts, from any thread, in common batches. Its classifier can be replaced while it does."""

    def __init__(self, classifier: Classifier, batcher: Batcher) -> None:
        self.classifier = classifier
        self._batcher = batcher

    @property
    def model(self) -> ModelVersion:
        """Which model answers what is asked from now on."""
        return _version(self.classifier.name, self.classifier.version)

    def predict(self, texts: Sequence[str], deadline: float | None = None) -> Answer:
        """A prediction a text. Raises TextError, naming the index, for one that can't be read.

        `deadline` is of time.monotonic(); else the request's own. Raises what Batcher.classify raises, too.
        """
        classifier = self.classifier  # read once: who is asked encodes and answers, whatever replaces it meanwhile
        self._batcher.check_room(len(texts))
        encoded = classifier.encode(texts)
        predictions = self._batcher.classify(classifier, encoded, deadline or deadlines.current())
        return Answer(_version(classifier.name, classifier.version), predictions)


@lru_cache(maxsize=64)  # made once a model, not once an answer
def _version(name: str, version: str) -> ModelVersion:
    return ModelVersion(name=name, version=version)
