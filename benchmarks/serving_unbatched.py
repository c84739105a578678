"""This service without its batches, for `gunicorn -c service/gunicorn.conf.py`."""

from collections.abc import Sequence
from functools import partial
from unittest.mock import patch

from flask import Flask

from sentiment.classifier import AnyPrediction, EncodedText
from service import app, wsgi
from service.inference.batcher import Batcher, Classify


class Unbatched(Batcher):
    """A batcher with which each request computes its own texts; all else is the same, the bound on texts too."""

    def classify(self, classifier: Classify, texts: Sequence[EncodedText], deadline: float) -> list[AnyPrediction]:
        """Return a prediction for each text, computed at once. Raises Overloaded."""
        with self.reserve(len(texts)):
            return list(self._native.run(partial(classifier.classify, texts)))


def application() -> Flask:
    """Return the app of the environment, set up as the service's own."""
    with patch.object(app, "Batcher", Unbatched):
        return wsgi.application()
