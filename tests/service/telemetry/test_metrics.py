"""Check the metrics of this process; test_several_workers.py checks the sum over workers."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from sentiment.classifier import Classifier
from service.app import create_app
from service.settings import ServiceSettings
from service.telemetry import metrics
from tests.service.conftest import counted


def test_a_stream_that_lasts_as_long_as_its_client_writes_is_not_timed(client: FlaskClient) -> None:
    def ended() -> tuple[float, float]:
        of_all = counted("requests_total", route="/v1/predict", method="POST", status="200")
        return of_all, counted("request_seconds_count", route="/v1/predict")

    content, (requests_before, timed_before) = b'{"text": "good"}', ended()
    for media_type, timed in (("application/x-ndjson", 0), ("application/json", 1)):
        client.post("/v1/predict", data=content, content_type=media_type, buffered=True).close()
        assert ended()[1] == timed_before + timed
    assert ended()[0] == requests_before + 2


def test_what_was_shed_is_counted_by_reason(tiny_classifier: Classifier) -> None:
    client = create_app(ServiceSettings(rate_limit="1 per hour"), tiny_classifier).test_client()
    before = counted("shed_total", reason="rate-limited")
    for _ in range(3):
        client.post("/v1/predict", json={"text": "good"}).close()
    assert counted("shed_total", reason="rate-limited") == before + 2


def test_figures_of_an_earlier_start_are_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(metrics.FOLDER, str(tmp_path))
    (tmp_path / "counter_0.db").write_bytes(b"old")
    metrics.share_files()
    assert list(tmp_path.iterdir()) == []
