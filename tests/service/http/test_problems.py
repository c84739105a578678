import logging

import pytest
from flask import Response, request
from flask.testing import FlaskClient
from werkzeug.exceptions import Gone

from sentiment.classifier import Classifier
from service.app import create_app
from service.http import problems
from service.schemas.base import FieldError, ProblemDetails
from service.settings import ServiceSettings
from tests.service.conftest import problem


@pytest.fixture
def failing(tiny_classifier: Classifier) -> FlaskClient:
    app = create_app(ServiceSettings(), tiny_classifier)

    @app.get("/fails")
    def fails() -> Response:
        raise KeyError(request.args["text"])

    @app.get("/gone")
    def gone() -> Response:
        raise Gone("It was here.")

    return app.test_client()


def test_an_unexpected_error_tells_nobody_its_words(failing: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        response = failing.get("/fails?text=secret", headers={"X-Request-ID": "r1"})
    assert response.status_code == 500
    kind = (500, "internal-error", "The service failed")
    assert response.get_json() == problem(kind, "The cause is in the service's log, under this request's id.")
    assert "request r1 failed: KeyError" in caplog.text
    assert "in fails" in caplog.text
    assert "secret" not in caplog.text + response.text


def test_any_other_http_error_has_the_same_form(failing: FlaskClient) -> None:
    response = failing.get("/gone", headers={"X-Request-ID": "r1"})
    assert response.status_code == 410
    assert response.content_type == "application/problem+json"
    assert response.get_json() == problem((410, "http", "Gone"), "It was here.")


def test_few_of_many_faults_are_listed() -> None:
    faults = [FieldError(pointer=f"/texts/{index}", detail="is bad") for index in range(100)]
    found = problems.invalid_request(faults)
    assert found.detail == "/texts/0 is bad (and 99 more)."
    assert found.faults == faults[:20]


def test_every_problem_has_the_published_shape(client: FlaskClient) -> None:
    for response in (client.get("/nothing"), client.put("/v1/predict"), client.post("/v1/predict", data=b"")):
        ProblemDetails.model_validate_json(response.data)
