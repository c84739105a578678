"""Rate limits, counted in this process, in a real Redis, and in spite of one that died; requests in hand.

A worker that is full of single requests: test_faults.py.
"""

import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis
import requests
from flask.testing import FlaskClient

from sentiment.classifier import Classifier
from sentiment.errors import ConfigError
from service.access import api_keys
from service.app import create_app
from service.settings import ServiceSettings
from tests.service.conftest import WAIT_SECONDS, StartServer, problem, wait_for
from tests.service.raw_http import BODY, NDJSON_HEAD, receive

StartRedis = Callable[[], "Redis"]


class Redis:
    """A redis-server of the test's own."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(port), "--save", "", "--dir", str(folder)], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if "Ready to accept connections" in line:
                break

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Redis]:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    store = Redis(tmp_path)
    yield store
    store.kill()


def limited(classifier: Classifier, **settings: object) -> FlaskClient:
    return create_app(ServiceSettings(rate_limit="3 per hour", **settings), classifier).test_client()  # type: ignore[arg-type]


def ask(client: FlaskClient, key: str | None = None) -> int:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return client.post("/v1/predict", json={"text": "good"}, headers=headers).status_code


def test_past_the_limit_a_problem_says_when_to_come_again(tiny_classifier: Classifier) -> None:
    client = limited(tiny_classifier)
    assert [ask(client) for _ in range(4)] == [200, 200, 200, 429]
    response = client.get("/v1/models", headers={"X-Request-ID": "r1"})
    assert response.content_type == "application/problem+json"
    kind = (429, "rate-limited", "Too many requests")
    assert response.get_json() == problem(kind, "The limit is 3 per 1 hour.")
    assert 3000 < int(response.headers["Retry-After"]) <= 3601


@pytest.mark.parametrize("path", ["/health/live", "/v2/health/ready", "/metrics", "/docs", "/nothing"])
def test_what_is_no_prediction_is_not_counted(tiny_classifier: Classifier, path: str) -> None:
    client = limited(tiny_classifier)
    assert not [True for _ in range(5) if client.get(path).status_code == 429]
    assert ask(client) == 200


def test_a_preflight_is_not_counted(tiny_classifier: Classifier) -> None:
    client = limited(tiny_classifier)
    assert {client.options("/v1/predict").status_code for _ in range(5)} == {200}
    assert [ask(client) for _ in range(4)] == [200, 200, 200, 429]
    assert client.options("/v1/predict").status_code == 200


def test_each_key_has_a_count_of_its_own(tiny_classifier: Classifier, tmp_path: Path) -> None:
    keys = dict(api_keys.make(key_id, ["predict"]) for key_id in ("a", "b"))
    (tmp_path / "keys").write_text("\n".join(keys.values()))
    client = limited(tiny_classifier, api_keys_file=tmp_path / "keys")
    first, second = keys
    assert [ask(client, first) for _ in range(4)] == [200, 200, 200, 429]
    assert ask(client, second) == 200
    assert ask(client) == 401


def test_workers_count_together_in_redis(tiny_classifier: Classifier, store: Redis) -> None:
    workers = [limited(tiny_classifier, redis_url=store.url) for _ in range(2)]
    assert [ask(workers[number % 2]) for number in range(4)] == [200, 200, 200, 429]
    assert redis.from_url(store.url).dbsize() == 1


def test_without_redis_it_says_that_each_worker_counts(
    tiny_classifier: Classifier, caplog: pytest.LogCaptureFixture
) -> None:
    workers = [limited(tiny_classifier) for _ in range(2)]
    assert [ask(workers[number % 2]) for number in range(4)] == [200, 200, 200, 200]
    assert "each worker counts for itself" in caplog.text


def test_a_redis_that_was_never_there(tiny_classifier: Classifier, caplog: pytest.LogCaptureFixture) -> None:
    client = limited(tiny_classifier, redis_url="redis://127.0.0.1:1")
    assert [ask(client) for _ in range(4)] == [200, 200, 200, 429]
    assert "falling back to in-memory storage" in caplog.text


def test_a_redis_that_never_answers(tiny_classifier: Classifier) -> None:
    """A server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = limited(tiny_classifier, redis_url=f"redis://127.0.0.1:{silent.getsockname()[1]}")
        assert [ask(client) for _ in range(4)] == [200, 200, 200, 429]


def test_redis_killed_between_requests_costs_no_answer(tiny_classifier: Classifier, store: Redis) -> None:
    client = create_app(ServiceSettings(rate_limit="30 per hour", redis_url=store.url), tiny_classifier).test_client()
    before = [ask(client) for _ in range(15)]
    store.kill()
    # From the kill on the worker counts anew.
    assert before + [ask(client) for _ in range(35)] == [200] * 45 + [429] * 5


@pytest.mark.slow
def test_redis_killed_under_the_load_of_many_clients(start_server: StartServer, store: Redis) -> None:
    server = start_server(SENTIMENT_RATE_LIMIT="10000 per hour", SENTIMENT_REDIS_URL=store.url).wait_until_ready()
    ready, killed = threading.Barrier(5), threading.Event()

    def client() -> list[tuple[int, bool]]:
        found = []
        with requests.Session() as session:
            while len(found) < 10 or not killed.is_set() or found[-10][1] is False:
                is_after = killed.is_set()
                response = session.post(f"{server.url}/v1/predict", json={"text": "good"}, timeout=WAIT_SECONDS)
                found.append((response.status_code, is_after))
                if len(found) == 1:
                    ready.wait(WAIT_SECONDS)
        return found

    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(client) for _ in range(4)]
        ready.wait(WAIT_SECONDS)
        store.kill()
        killed.set()
        answers = [answer for future in asked for answer in future.result()]
    assert {status for status, _ in answers} == {200}
    assert [is_after for _, is_after in answers].count(True) >= 40
    assert "falling back to in-memory storage" in server.log


@pytest.mark.parametrize("rate_limit", ["often", "0", "10 per fortnight"])
def test_a_limit_that_is_none(tiny_classifier: Classifier, rate_limit: str) -> None:
    with pytest.raises(ConfigError, match=f"SENTIMENT_RATE_LIMIT: must be like '100 per second', not '{rate_limit}'"):
        create_app(ServiceSettings(rate_limit=rate_limit), tiny_classifier)


@pytest.mark.parametrize(
    "redis_url", ["localhost:6379", "user:secret@localhost", "http://localhost", "redis://localhost:port"]
)
def test_a_redis_url_that_is_none(tiny_classifier: Classifier, redis_url: str) -> None:
    with pytest.raises(ConfigError) as error:
        limited(tiny_classifier, redis_url=redis_url)
    assert str(error.value) == "SENTIMENT_REDIS_URL: must be a URL like 'redis://localhost:6379', with its scheme"


def test_streams_have_a_bound_of_their_own_and_hold_it_to_their_end(start_server: StartServer) -> None:
    server = start_server(THREADS="1", SENTIMENT_DRAIN_SECONDS="0").wait_until_ready()

    def post(body: bytes, media_type: str) -> requests.Response:
        headers = {"Content-Type": media_type}
        return server.post("/v1/predict", data=body, headers=headers)

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
    client = create_app(ServiceSettings(), tiny_classifier).test_client()
    for _ in range(2):
        assert client.post("/v1/predict", json={}).status_code == 422
        assert client.post("/v1/explain", json={"texts": []}).status_code == 422
    assert client.post("/v1/predict", json={"text": "good"}).status_code == 200
