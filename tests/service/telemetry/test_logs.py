"""Check the log lines of this process; test_shutdown.py checks gunicorn's."""

import json
import logging
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from sentiment.classifier import Classifier
from service.access import api_keys
from service.app import create_app
from service.settings import ServiceSettings
from service.telemetry import logs

SECRET = "zyzzyvasecret"


def test_a_request_is_logged_with_its_id_and_key(
    capsys: pytest.CaptureFixture[str], tiny_classifier: Classifier, tmp_path: Path
) -> None:
    key, line = api_keys.make("team-a", ["predict"])
    (tmp_path / "keys").write_text(line)
    client = create_app(ServiceSettings(api_keys_file=tmp_path / "keys"), tiny_classifier).test_client()
    headers = {"Authorization": f"Bearer {key}", "X-Request-ID": "r1"}
    for path, body in (("/v1/predict", {"text": SECRET}), (f"/{SECRET}?{SECRET}", {}), ("/v1/predict", {SECRET: 1})):
        client.post(path, json=body, headers=headers).close()
    client.post("/v1/predict", json={"text": SECRET}).close()
    logged = capsys.readouterr().err
    lines = [json.loads(entry) for entry in logged.splitlines()]
    assert all(entry["event"] and entry["time"] and entry["level"] for entry in lines)
    requests_of_r1 = {entry["status"]: entry for entry in lines if entry.get("request_id") == "r1"}
    assert {status: entry["route"] for status, entry in requests_of_r1.items()} == {
        200: "/v1/predict", 404: None, 422: "/v1/predict"
    }  # fmt: skip
    first = requests_of_r1[200]
    assert (first["event"], first["method"], first["key_id"], first["address"]) == (
        "request", "POST", "team-a", "127.0.0.1"
    )  # fmt: skip
    assert first["seconds"] > 0
    (refused,) = [entry for entry in lines if entry.get("status") == 401]
    assert refused["key_id"] is None
    assert SECRET not in logged
    assert key not in logged


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
