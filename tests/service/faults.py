"""The app with a model that fails on words, for tests alone: gunicorn runs it as `APP`, or as `IMPATIENT`."""

from collections.abc import Sequence

from flask import Flask, Response
from gevent import monkey

from sentiment import bundle as bundles
from sentiment.classifier import Classifier, EncodedText, Prediction
from service import worker
from service.app import create_app
from service.settings import ServiceSettings

APP = "tests.service.faults:application()"
IMPATIENT = "tests.service.faults:impatient()"
WAITS = "boring"  # until the gate is opened
UNREAD = "unread"  # not encoded until the gate is opened
FAILS = "awful"
KILLS = "okay"  # the thread that computes
_sleep = monkey.get_original("time", "sleep")


class FaultyClassifier(Classifier):
    """A classifier that keeps count, and does on each of these words what its name says."""

    def __init__(self, folder: str) -> None:
        super().__init__(bundles.load(folder))  # type: ignore[arg-type]
        self.computed = 0
        self.waiting = False
        self.is_open = False
        self._word_ids = dict(zip((WAITS, FAILS, KILLS), self.vocabulary.encode([WAITS, FAILS, KILLS]), strict=True))

    def encode(self, texts: Sequence[str]) -> list[EncodedText]:
        """Call the classifier's method, unless a word triggers a fault."""
        if any(UNREAD in text for text in texts):
            self._wait_for_gate()
        return super().encode(texts)

    def classify(self, encoded: Sequence[EncodedText]) -> list[Prediction]:
        """Call the classifier's method, unless a word triggers a fault."""
        self.computed += len(encoded)
        if self._holds(WAITS, encoded):
            self._wait_for_gate()
        if self._holds(FAILS, encoded):
            raise RuntimeError
        if self._holds(KILLS, encoded):
            raise SystemExit
        return super().classify(encoded)

    def _wait_for_gate(self) -> None:
        """Hold this thread up, as a long computation would: gevent's own waiting is for greenlets."""
        self.waiting = True
        while not self.is_open:
            _sleep(0.01)
        self.waiting = False

    def _holds(self, word: str, encoded: Sequence[EncodedText]) -> bool:
        return any(self._word_ids[word] in text.token_ids for text in encoded)


def application() -> Flask:
    """The app, with a route to look at the model and one to open its gate."""
    settings = ServiceSettings.read()
    classifier = FaultyClassifier(str(settings.model))
    app = create_app(settings, classifier)

    @app.get("/test/state")
    def state() -> dict[str, int]:
        return {"computed": classifier.computed, "waiting": classifier.waiting}

    @app.get("/test/open")
    def open_gate() -> Response:
        classifier.is_open = True
        return Response()

    @app.get("/test/close")
    def close_gate() -> Response:
        classifier.is_open = False
        return Response()

    return app


def impatient() -> Flask:
    """The app itself, in a worker that waits one second for what it otherwise waits many for."""
    worker.REQUEST_SECONDS = worker.STREAM_GRACE_SECONDS = 1.0
    return create_app()
