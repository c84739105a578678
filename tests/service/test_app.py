import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from sentiment.classifier import Classifier
from service.app import create_app
from service.settings import ServiceSettings
from tests.service.conftest import ROOT

NEVER_IMPORTED = ("torch", "spacy", "numpy", "polars", "typer", "sentiment.classifier")


def test_without_a_classifier_the_settings_model_is_loaded(tiny_bundle: Path, tiny_classifier: Classifier) -> None:
    client = create_app(ServiceSettings(model=tiny_bundle)).test_client()
    assert client.get("/health/ready").get_json()["model"] == {"name": "tiny", "version": tiny_classifier.version}


def test_without_settings_the_environment_is_read(monkeypatch: pytest.MonkeyPatch, tiny_classifier: Classifier) -> None:
    monkeypatch.setenv("SENTIMENT_MAX_TEXTS_PER_REQUEST", "1")
    response = create_app(classifier=tiny_classifier).test_client().post("/v1/predict", json={"texts": ["a", "b"]})
    assert response.get_json()["detail"] == "/texts holds 2 texts; 1 to 1 are allowed."


@pytest.mark.parametrize("host", ["localhost", "elsewhere.example:81", "[::1]:80", ""])
def test_every_host_is_answered(client: FlaskClient, host: str) -> None:
    assert client.get("/health/live", headers={"Host": host}).status_code == 200
    assert client.get("//health/live", headers={"Host": host}).status_code == 404


@pytest.mark.parametrize("path", ["/health/live", "/nothing", "/v1/predict"])
def test_every_response_has_a_request_id_of_its_own(client: FlaskClient, path: str) -> None:
    ids = {client.get(path).headers["X-Request-ID"] for _ in range(2)}
    assert len(ids) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", request_id) for request_id in ids)


@pytest.mark.parametrize("request_id", ["r", "3f2a-b.c_D", "a" * 128])
def test_a_request_id_is_taken(client: FlaskClient, request_id: str) -> None:
    response = client.get("/nothing", headers={"X-Request-ID": request_id})
    assert response.headers["X-Request-ID"] == request_id
    assert response.get_json()["instance"] == request_id


@pytest.mark.parametrize("request_id", ["", "a" * 129, "a b", "a,b", "ü", "<script>", "a/b", "http:x"])
def test_a_request_id_of_another_form_is_replaced(client: FlaskClient, request_id: str) -> None:
    response = client.get("/nothing", headers={"X-Request-ID": request_id})
    assert re.fullmatch("[0-9a-f]{32}", response.headers["X-Request-ID"])


def test_importing_the_service_loads_nothing_heavy() -> None:
    code = f"import sys, service.wsgi; print([name for name in {NEVER_IMPORTED} if name in sys.modules])"
    seen = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert seen.stdout == "[]\n"
