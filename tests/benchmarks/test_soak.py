import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import soak
from benchmarks.responses import LoadError, UnexpectedResponse
from benchmarks.servers import Server
from benchmarks.soak import Client
from sentiment.classifier import Prediction
from tests.benchmarks.conftest import PREDICTION, StubServer

EXPECTED = [("a great film", Prediction(**PREDICTION))]
REQUESTS = 60  # of mixed traffic, after which the client is to stop


def is_list(body: bytes) -> bool:
    return body.startswith(b'{"texts": ["')


def is_lines(body: bytes) -> bool:
    return body.startswith(b'{"text": "a')


def right_answers(body: bytes) -> tuple[int, Any]:
    if is_list(body):
        return 200, {"predictions": [PREDICTION] * len(json.loads(body)["texts"])}
    if is_lines(body):
        return 200, "".join(json.dumps({"predictions": [PREDICTION]}) + "\n" for _ in body.splitlines())
    return 422, {"title": "The request does not have the right form"}


def ask(stub: StubServer, answers: Callable[[bytes], tuple[int, Any]]) -> Client:
    """Return a client that has asked, of a server that answers so."""
    stop = threading.Event()

    def respond(number: int, body: bytes) -> tuple[int, Any]:
        if number >= REQUESTS:
            stop.set()
        return answers(body)

    stub.respond = respond
    client = Client(stub.url, EXPECTED, stop, seed=0)
    client.run()
    assert stop.is_set()
    return client


def test_right_answers_are_counted(stub_server: StubServer) -> None:
    client = ask(stub_server, right_answers)
    assert client.error is None
    assert client.counted["requests"] == REQUESTS
    assert client.counted["texts"] > REQUESTS / 2
    assert client.counted["refused as expected"] > 0


@pytest.mark.parametrize(
    ("concerns", "status", "body"),
    [
        (is_list, 500, {"title": "The service failed"}),
        (is_list, 200, {"predictions": [PREDICTION | {"tokens": 4}]}),
        (is_list, 200, {"predictions": [PREDICTION | {"probabilities": {"negative": 1.0}}]}),
        (is_lines, 503, {"title": "More is asked than can be answered"}),
        (is_lines, 200, {"predictions": [PREDICTION | {"label": "negative", "tokens": 9}]}),
        (is_lines, 200, ""),
        (is_lines, 200, "no JSON\n"),
        (is_lines, 200, {"predictions": [None]}),
        (lambda body: not is_list(body) and not is_lines(body), 500, {"title": "The service failed"}),
        (lambda body: not is_list(body) and not is_lines(body), 200, {"predictions": []}),
    ],
)
def test_a_wrong_response_ends_it_and_is_kept(
    stub_server: StubServer, concerns: Callable[[bytes], bool], status: int, body: Any
) -> None:
    client = ask(stub_server, lambda asked: (status, body) if concerns(asked) else right_answers(asked))
    assert isinstance(client.error, UnexpectedResponse)
    assert client.error.status == status
    assert client.error.body == (body if isinstance(body, str) else json.dumps(body))
    assert stub_server.asked < REQUESTS


def test_a_server_that_is_gone_is_no_success(stub_server: StubServer) -> None:
    stub_server.close()
    stop = threading.Event()
    client = Client(stub_server.url, EXPECTED, stop, seed=0)
    client.run()
    assert isinstance(client.error, LoadError)
    assert str(client.error).startswith("this service: ")
    assert stop.is_set()


def test_a_wrong_response_ends_the_run_with_one_line(
    stub_server: StubServer, tiny_bundle: Path, few_texts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soak, "ours", lambda: [Server("stub", ("sleep", "60"), "/v1/predict", "/health/ready")])
    monkeypatch.setattr(soak, "free_port", lambda: stub_server.port)
    stub_server.respond = lambda *_: (200, {"title": "Under maintenance"})
    with pytest.raises(SystemExit, match="^this service answered 200: .*Under maintenance"):
        soak.main(["--model", str(tiny_bundle)])


@pytest.mark.slow  # a server starts
def test_a_short_run(
    tiny_bundle: Path, few_texts: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(soak, "SAMPLE_SECONDS", 0.1)
    with pytest.raises(SystemExit, match="^0$"):
        soak.main(["--model", str(tiny_bundle), "--minutes", "0.02", "--max-drift", "9"])
    figures = json.loads(capsys.readouterr().out)
    assert figures["texts"] > 0
    assert figures["resident MB"][0] > 10
