"""Check the answers on a real gunicorn when the model fails, hangs or dies."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from service.http import responses
from tests.service import faults
from tests.service.conftest import Server, StartServer, problem, serving, wait_for
from tests.service.raw_http import HEAD

THREADS = 40  # requests to the model that the server has in hand; one more is refused
CLIENTS = 8


@pytest.fixture(scope="module")
def shared_server(tiny_bundle: Path) -> Iterator[Server]:
    environment = {
        "SENTIMENT_MODEL": str(tiny_bundle),
        "THREADS": str(THREADS),
        "SENTIMENT_DRAIN_SECONDS": "0",
        "SENTIMENT_MAX_BATCH_SECONDS": "600",  # the gate may be closed for a while
        "SENTIMENT_REQUEST_TIMEOUT_SECONDS": "600",
    }
    with serving(environment, faults.APP) as server:
        yield server


@pytest.fixture
def server(shared_server: Server) -> Server:
    """One server for all tests that leave it as it was, its gate closed."""
    shared_server.get("/test/close")
    return shared_server


def ask(server: Server, text: str, **headers: str) -> requests.Response:
    return server.post("/v1/predict", json={"text": text}, headers=headers)


def wait_until_computing(server: Server) -> None:
    wait_for(lambda: server.get("/test/state").json()["waiting"])


def figures(server: Server) -> dict[str, float]:
    """Return what /metrics shows, by the sample as it is written there."""
    families = text_string_to_metric_families(server.get("/metrics").text)
    return {
        sample.name + "".join(f",{name}={value}" for name, value in sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def test_one_poisoned_line_among_63(server: Server) -> None:
    texts = ["good"] * 40 + [faults.FAILS] + ["bad"] * 23
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    response = server.post("/v1/predict", data=lines, headers={"Content-Type": "application/x-ndjson"})
    answers = [json.loads(line) for line in response.iter_lines()]
    assert [("predictions" in answer) for answer in answers] == [True] * 40 + [False] + [True] * 23
    found = answers[40]["type"], answers[40]["detail"]
    assert found == ("urn:sentiment:problem:text-failed", "The model fails at this text.")


def test_one_poisoned_text_among_31(server: Server) -> None:
    texts = ["good"] * 20 + [faults.FAILS] + ["bad"] * 10
    with ThreadPoolExecutor(len(texts) + 1) as threads:
        gate = threads.submit(ask, server, faults.WAITS)
        wait_until_computing(server)
        asked = [threads.submit(ask, server, text) for text in texts]
        server.get("/test/open")
        answers = [future.result() for future in asked]
    assert gate.result().status_code == 200
    assert [answer.status_code for answer in answers] == [200] * 20 + [500] + [200] * 10
    found = answers[20].json()
    assert found["type"] == "urn:sentiment:problem:text-failed"
    assert found["detail"] == "The model fails at text 0 of the request, counted from 0."


def test_a_text_whose_deadline_passed_in_the_queue_is_never_computed(server: Server) -> None:
    computed = server.get("/test/state").json()["computed"]
    with ThreadPoolExecutor(1) as threads:
        gate = threads.submit(ask, server, faults.WAITS)
        wait_until_computing(server)
        late = ask(server, "good", **{"X-Request-Timeout-Seconds": "0.1"})
        assert (late.status_code, late.json()["type"]) == (504, "urn:sentiment:problem:deadline-passed")
        assert late.json()["detail"] == "There was no answer within 0.1 seconds."
        server.get("/test/open")
        assert gate.result().status_code == 200
    assert ask(server, "bad").status_code == 200
    assert server.get("/test/state").json()["computed"] == computed + 2


def test_while_a_long_list_is_encoded_others_are_answered(server: Server) -> None:
    wanted = {"texts": [*["good film"] * 999, faults.UNREAD]}
    with ThreadPoolExecutor(1) as threads:
        long = threads.submit(server.post, "/v1/predict", json=wanted)
        wait_until_computing(server)
        assert server.get("/health/live").status_code == 200
        assert ask(server, "good").json()["predictions"][0]["label"] in ("negative", "neutral", "positive")
        server.get("/test/open")
        assert len(long.result().json()["predictions"]) == 1000


def test_a_client_gone_while_its_text_is_computed(server: Server) -> None:
    body, logged = f'{{"text": "{faults.WAITS}"}}', len(server.log)
    with server.connect() as connection:
        connection.sendall(HEAD + f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
        wait_until_computing(server)
    with ThreadPoolExecutor(1) as threads:
        behind = threads.submit(ask, server, "good")
        server.get("/test/open")
        assert behind.result().json()["predictions"] == ask(server, "good").json()["predictions"]
    assert '"level":"error"' not in server.log[logged:]


def test_an_overloaded_worker_refuses_at_once_and_answers_health(server: Server) -> None:
    shed, refused_requests = "sentiment_shed_total,reason=overloaded", ",method=POST,route=/v1/predict,status=503"
    before = figures(server)
    with ThreadPoolExecutor(THREADS) as threads:
        asked = [threads.submit(ask, server, faults.WAITS) for _ in range(THREADS)]
        wait_for(lambda: figures(server)["sentiment_requests_in_flight"] == THREADS + 1)  # and the scrape itself
        refused = ask(server, "good", **{"X-Request-ID": "r1"})
        for path in ("/health/live", "/health/ready"):
            assert server.get(path).status_code == 200
        after = figures(server)
        server.get("/test/open")
        assert {future.result().status_code for future in asked} == {200}
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    kind = (503, "overloaded", "More is asked than can be answered")
    assert refused.json() == problem(kind, f"{THREADS} requests are being answered; the limit is {THREADS}.")
    assert responses.SECURITY.items() <= refused.headers.items()
    for name in (shed, f"sentiment_requests_total{refused_requests}"):
        assert after[name] == before.get(name, 0) + 1
    (line,) = [line for line in server.log.splitlines() if '"request_id":"r1"' in line]
    assert json.loads(line)["status"] == 503
    assert ask(server, "good").status_code == 200


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        pytest.param(faults.KILLS, "the batcher died of SystemExit", marks=pytest.mark.slow, id="killed"),
        pytest.param(faults.WAITS, "a batch has been computing for more than 1 seconds", id="hanging"),
    ],
)
def test_a_worker_whose_batcher_is_gone_is_replaced(start_server: StartServer, word: str, reason: str) -> None:
    server = start_server(faults.APP, SENTIMENT_MAX_BATCH_SECONDS="1").wait_until_ready()
    (worker,) = server.worker_pids
    found = ask(server, word).json()
    assert (found["status"], found["type"]) == (503, "urn:sentiment:problem:not-ready")
    assert found["detail"] == f"This worker is being replaced: {reason}."
    wait_for(lambda: server.worker_pids not in ([worker], []))
    assert ask(server, "good").status_code == 200
    assert f"worker {worker} is replaced: {reason}" in server.log
