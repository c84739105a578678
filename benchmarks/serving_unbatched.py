"""This service without its batcher, for `gunicorn -c service/gunicorn.conf.py`."""

from collections.abc import Sequence
from unittest.mock import patch

from flask import Flask

from sentiment.classifier import AnyPrediction, EncodedText
from service import app
from service.batcher import Classify


class Unbatched:
    """In the batcher's place: each request computes its own texts, in its own thread."""

    def __init__(self, *_: object) -> None:
        self.waiting_texts = 0

    def check_room(self, texts: int) -> None:
        """Nothing: nobody waits."""

    def classify(self, classifier: Classify, texts: Sequence[EncodedText], deadline: float) -> list[AnyPrediction]:
        """A prediction a text."""
        return list(classifier.classify(texts))

    def trouble(self, _: float) -> None:
        """None: there is nothing that could fail."""


def application() -> Flask:
    """The app of the environment."""
    with patch.object(app, "Batcher", Unbatched):
        return app.create_app()
