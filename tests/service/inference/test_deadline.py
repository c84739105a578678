from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from sentiment.classifier import Classifier
from service.app import create_app
from service.inference import deadline
from service.settings import ServiceSettings

NOW = 100.0


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.inference.deadline.time", SimpleNamespace(monotonic=lambda: NOW))


def seconds_left(app: Flask, **headers: str) -> float:
    with app.test_request_context("/", headers={name.replace("_", "-"): value for name, value in headers.items()}):
        app.preprocess_request()
        return deadline.current() - NOW


@pytest.mark.parametrize(("given", "seconds"), [("5", 5), ("0.5", 0.5), ("1e1", 10), ("31", 30), ("1e300", 30)])
def test_the_less_of_header_and_setting(app: Flask, given: str, seconds: float) -> None:
    assert seconds_left(app, X_Request_Timeout_Seconds=given) == seconds


def test_without_a_header_the_setting(app: Flask, tiny_classifier: Classifier) -> None:
    assert seconds_left(app) == 30
    patient = create_app(ServiceSettings(request_timeout_seconds=60), tiny_classifier)
    assert seconds_left(patient) == 60


def test_outside_of_a_request_there_is_one_too() -> None:
    assert deadline.current() - NOW == deadline.DEFAULT_SECONDS


@pytest.mark.parametrize("given", ["", "soon", "0", "-1", "nan", "inf", "1,2"])
def test_a_header_that_is_no_time_is_refused(client: FlaskClient, given: str) -> None:
    response = client.post("/v1/predict", json={"text": "a"}, headers={"X-Request-Timeout-Seconds": given})
    assert response.status_code == 400
    assert response.get_json()["type"] == "urn:sentiment:problem:invalid-header"
    assert response.get_json()["detail"] == "X-Request-Timeout-Seconds must be a number of seconds above 0."
