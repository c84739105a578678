import os
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
from flask.testing import FlaskClient
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from service import metrics_files
from tests.service.conftest import WAIT_SECONDS, Server, StartServer

Sample = tuple[str, tuple[tuple[str, str], ...]]


def scrape_after(server: Server, requests_ended: int) -> dict[Sample, float]:
    """The figures as soon as the ends of so many predictions, which come after their answers, are among them."""
    for _ in range(100):
        found = scrape(server)
        if of(found, "sentiment_request_seconds_count", route="/v1/predict") >= requests_ended:
            return found
    raise AssertionError(found)


def scrape(server: Server) -> dict[Sample, float]:
    response = requests.get(f"{server.url}/metrics", timeout=WAIT_SECONDS)
    assert response.headers["Content-Type"].startswith("text/plain")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def ask(server: Server, content: object, path: str = "/v1/predict") -> None:
    requests.post(f"{server.url}{path}", json=content, timeout=WAIT_SECONDS)


def of(found: dict[Sample, float], name: str, **labels: str) -> float:
    return found.get((name, tuple(sorted(labels.items()))), 0.0)


def test_the_figures_are_of_all_workers_and_survive_one(start_server: StartServer) -> None:
    server = start_server(WORKERS="2").wait_until_ready()
    for _ in range(30):  # each on a connection of its own: both workers get some
        ask(server, {"texts": ["good", "zyzzyva bad"]})
    ask(server, {"text": ""})
    ask(server, {}, "/nowhere")
    found = scrape_after(server, 31)
    route = {"method": "POST", "route": "/v1/predict"}
    assert of(found, "sentiment_requests_total", **route, status="200") == 30
    assert of(found, "sentiment_requests_total", **route, status="422") == 1
    assert of(found, "sentiment_requests_total", method="POST", route="none", status="404") == 1
    assert of(found, "sentiment_request_seconds_bucket", route="/v1/predict", le="+Inf") == 31
    assert {dict(labels)["le"] for name, labels in found if name == "sentiment_request_seconds_bucket"} == {
        "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "+Inf"
    }  # fmt: skip
    assert of(found, "sentiment_texts_total", model="default") == 60
    assert of(found, "sentiment_tokens_total", model="default") == 90
    assert of(found, "sentiment_tokens_unknown_total", model="default") == 30
    assert of(found, "sentiment_texts_truncated_total", model="default") == 0
    assert sum(value for (name, _), value in found.items() if name == "sentiment_labels_total") == 60
    assert 20 < of(found, "sentiment_confidence_total", model="default") < 60
    assert of(found, "sentiment_batch_rows_sum") == 60
    assert of(found, "sentiment_batch_tokens_sum") == 90
    assert of(found, "sentiment_queue_wait_seconds_count") > 0
    assert 1 <= of(found, "sentiment_requests_in_flight") <= 2  # the scrape itself, perhaps one before
    (version,) = [dict(labels)["version"] for name, labels in found if name == "sentiment_model"]
    assert of(found, "sentiment_model", model="default", version=version) == 1

    os.kill(server.worker_pids[0], signal.SIGKILL)
    ask(server, {"text": "good"})
    after = scrape(server)
    assert of(after, "sentiment_texts_total", model="default") >= 60
    assert of(after, "sentiment_requests_in_flight") >= 1


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


def test_what_was_shed_is_counted_by_reason(start_server: StartServer) -> None:
    server = start_server(SENTIMENT_RATE_LIMIT="1 per hour").wait_until_ready()
    for _ in range(3):
        ask(server, {"text": "good"})
    assert of(scrape(server), "sentiment_shed_total", reason="rate-limited") == 2


def test_a_worker_goes_on_with_the_files_of_one_that_is_no_more(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(metrics_files.FOLDER, str(tmp_path))
    (tmp_path / "counter_0.db").write_bytes(b"old")
    metrics_files.prepare()
    assert list(tmp_path.iterdir()) == []
    workers: dict[int, SimpleNamespace] = {}
    for pid in range(3):
        workers[pid] = SimpleNamespace()
        metrics_files.claim({other: workers[other] for other in workers if other != pid}, workers[pid])
    assert [worker.metrics_place for worker in workers.values()] == [0, 1, 2]
    (tmp_path / "gauge_livesum_1.db").write_bytes(b"")
    metrics_files.leave(workers.pop(1))
    assert list(tmp_path.iterdir()) == []
    new = SimpleNamespace()
    metrics_files.claim(workers, new)
    assert new.metrics_place == 1
