import pytest
from flask.testing import FlaskClient

from sentiment.classifier import Classifier
from service.app import create_app
from service.settings import ServiceSettings


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
