import re
import subprocess
import sys

import pytest
from flask.testing import FlaskClient

from tests.service.conftest import ROOT

NEVER_IMPORTED = ("torch", "spacy", "numpy", "polars", "typer", "sentiment.classifier")


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
