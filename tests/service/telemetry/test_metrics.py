"""Check the metrics of this process; test_several_workers.py checks the sum over workers."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client import REGISTRY

from sentiment.classifier import Classifier
from service.app import create_app
from service.settings import ServiceSettings
from service.telemetry import metrics


def test_a_stream_that_lasts_as_long_as_its_client_writes_is_not_timed(client: FlaskClient) -> None:
    def ended() -> tuple[float, float]:
        route = {"route": "/v1/predict"}
        of_all = REGISTRY.get_sample_value("sentiment_requests_total", route | {"method": "POST", "status": "200"})
        return of_all or 0.0, REGISTRY.get_sample_value("sentiment_request_seconds_count", route) or 0.0

    content, (requests_before, timed_before) = b'{"text": "good"}', ended()
    for media_type, timed in (("application/x-ndjson", 0), ("application/json", 1)):
        client.post("/v1/predict", data=content, content_type=media_type, buffered=True).close()
        assert ended()[1] == timed_before + timed
    assert ended()[0] == requests_before + 2


def test_what_was_shed_is_counted_by_reason(tiny_classifier: Classifier) -> None:
    def shed() -> float:
        return REGISTRY.get_sample_value("sentiment_shed_total", {"reason": "rate-limited"}) or 0.0

    client, before = create_app(ServiceSettings(rate_limit="1 per hour"), tiny_classifier).test_client(), shed()
    for _ in range(3):
        client.post("/v1/predict", json={"text": "good"}).close()
    assert shed() == before + 2


def test_figures_of_an_earlier_start_are_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(metrics.FOLDER, str(tmp_path))
    (tmp_path / "counter_0.db").write_bytes(b"old")
    metrics.share_files()
    assert list(tmp_path.iterdir()) == []
