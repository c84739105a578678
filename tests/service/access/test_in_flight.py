"""How many requests are answered at once. A worker that is full of single requests: test_faults.py."""

import pytest
import requests
from flask.testing import FlaskClient

from sentiment.classifier import Classifier
from service.app import create_app
from service.settings import ServiceSettings
from tests.service.conftest import WAIT_SECONDS, StartServer, wait_for
from tests.service.raw_http import BODY, NDJSON_HEAD, receive


def test_streams_have_a_bound_of_their_own_and_hold_it_to_their_end(start_server: StartServer) -> None:
    server = start_server(THREADS="1", SENTIMENT_DRAIN_SECONDS="0").wait_until_ready()

    def post(body: bytes, media_type: str) -> requests.Response:
        headers = {"Content-Type": media_type}
        return requests.post(f"{server.url}/v1/predict", data=body, headers=headers, timeout=WAIT_SECONDS)

    with server.connect() as stream:
        stream.sendall(NDJSON_HEAD + b"Content-Length: 9000000\r\n\r\n" + (BODY + b"\n") * 6000)
        receive(stream, b"predictions")
        refused = post(BODY, "application/x-ndjson")
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert refused.json()["detail"] == "1 requests are being answered; the limit is 1."
        assert post(BODY, "application/json").status_code == 200
    wait_for(lambda: post(BODY, "application/x-ndjson").status_code == 200)


def test_a_request_that_is_refused_holds_nothing(tiny_classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREADS", "1")
    client: FlaskClient = create_app(ServiceSettings(), tiny_classifier).test_client()
    for _ in range(2):
        assert client.post("/v1/predict", json={}).status_code == 422
        assert client.post("/v1/explain", json={"texts": []}).status_code == 422
    assert client.post("/v1/predict", json={"text": "good"}).status_code == 200
