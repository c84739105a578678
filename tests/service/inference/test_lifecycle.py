from collections.abc import Sequence
from time import monotonic

import pytest
from flask.testing import FlaskClient

from sentiment.classifier import Classifier, EncodedText, Prediction
from service.app import create_app
from service.inference.batcher import Batcher
from service.inference.lifecycle import Lifecycle
from service.settings import ServiceSettings
from tests.service.conftest import WAIT_SECONDS


class Killer:
    """Ends the thread that computes."""

    def classify(self, encoded: Sequence[EncodedText]) -> list[Prediction]:
        raise SystemExit


@pytest.fixture
def lifecycle() -> Lifecycle:
    return Lifecycle(Batcher(max_batch_tokens=64, max_waiting_texts=64), max_batch_seconds=10)


def test_ready_until_it_drains(lifecycle: Lifecycle) -> None:
    assert lifecycle.not_ready() is None
    lifecycle.drain()
    assert lifecycle.not_ready() == "the worker is stopping"


def test_not_ready_when_the_batcher_failed() -> None:
    batcher = Batcher(max_batch_tokens=64, max_waiting_texts=64)
    with pytest.raises(Exception, match="^the batcher died of SystemExit$"):
        batcher.classify(Killer(), [EncodedText([1], truncated=False)], monotonic() + WAIT_SECONDS)
    assert Lifecycle(batcher, max_batch_seconds=10).not_ready() == "the batcher died of SystemExit"


@pytest.fixture
def draining(tiny_classifier: Classifier) -> FlaskClient:
    app = create_app(ServiceSettings(), tiny_classifier)
    app.extensions["lifecycle"].drain()
    return app.test_client()


@pytest.mark.parametrize("path", ["/health/ready", "/v2/health/ready"])
def test_health_says_that_it_is_not_ready_and_why(draining: FlaskClient, path: str) -> None:
    response = draining.get(path)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert response.get_json()["detail"] == "No more requests should come here: the worker is stopping."


def test_live_and_answering_all_the_same(draining: FlaskClient) -> None:
    assert draining.get("/health/live").status_code == 200
    assert draining.post("/v1/predict", json={"text": "good"}).status_code == 200
