import json
import logging
import signal
from pathlib import Path

import pytest
import requests
from flask.testing import FlaskClient

from service import auth, logs
from tests.service.conftest import WAIT_SECONDS, StartServer

SECRET = "zyzzyvasecret"


def test_every_line_is_json_and_a_request_has_its_id_and_key(start_server: StartServer, tmp_path: Path) -> None:
    key, line = auth.make("team-a", ["predict"])
    (tmp_path / "keys").write_text(line)
    server = start_server(SENTIMENT_API_KEYS_FILE=f"{tmp_path}/keys").wait_until_ready()
    for path, body in (("/v1/predict", {"text": SECRET}), (f"/{SECRET}?{SECRET}", {}), ("/v1/predict", {SECRET: 1})):
        requests.post(
            f"{server.url}{path}",
            json=body,
            headers={"Authorization": f"Bearer {key}", "X-Request-ID": "r1"},
            timeout=WAIT_SECONDS,
        )
    requests.post(f"{server.url}/v1/predict", json={"text": SECRET}, timeout=WAIT_SECONDS)
    server.process.send_signal(signal.SIGTERM)
    server.wait_for_exit()
    lines = [json.loads(entry) for entry in server.log.splitlines()]
    assert all(entry["event"] and entry["time"] and entry["level"] for entry in lines)
    # A line comes after its answer, so two may change places.
    requests_of_r1 = {entry["status"]: entry for entry in lines if entry.get("request_id") == "r1"}
    assert {status: entry["route"] for status, entry in requests_of_r1.items()} == {
        200: "/v1/predict", 404: None, 422: "/v1/predict"
    }  # fmt: skip
    first = requests_of_r1[200]
    assert (first["event"], first["method"], first["key_id"], first["address"]) == (
        "request", "POST", "team-a", "127.0.0.1"
    )  # fmt: skip
    assert 0 < first["seconds"] < 60
    (refused,) = [entry for entry in lines if entry.get("status") == 401]
    assert refused["key_id"] is None
    assert SECRET not in server.log
    assert key not in server.log


def test_an_exception_is_told_without_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.Logger("test")
    log.addHandler(logs.handler())
    try:
        raise KeyError(SECRET)
    except KeyError:
        log.exception("it failed")
    entry = json.loads(capsys.readouterr().err)
    assert (entry["event"], entry["level"], entry["error"], entry["logger"]) == (
        "it failed",
        "error",
        "KeyError",
        "test",
    )
    assert "in test_an_exception" in entry["trace"]
    assert SECRET not in json.dumps(entry)


def test_a_line_of_a_request_names_it(client: FlaskClient, capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.Logger("test")
    log.addHandler(logs.handler())
    with client.application.test_request_context(headers={"X-Request-ID": "r1"}):
        client.application.preprocess_request()
        log.warning("careful")
    assert json.loads(capsys.readouterr().err)["request_id"] == "r1"
