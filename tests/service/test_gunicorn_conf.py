"""gunicorn as it is configured: what it loads where, how it starts, stops and refuses to start."""

import json
import os
import runpy
import signal
import threading
from pathlib import Path

import pytest
import requests

from service.settings import available_cores
from tests.service.conftest import ROOT, WAIT_SECONDS, Server, StartServer


def read_conf(monkeypatch: pytest.MonkeyPatch, **environment: str) -> dict[str, object]:
    for name in ("OMP_NUM_THREADS", "ONEDNN_PRIMITIVE_CACHE_CAPACITY", "GOMP_SPINCOUNT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(ROOT / "service" / "gunicorn.conf.py"))


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    conf = read_conf(monkeypatch, HOST="0.0.0.0", PORT="9000", WORKERS="3", THREADS="5")
    assert (conf["bind"], conf["workers"], conf["threads"]) == ("0.0.0.0:9000", 3, 5)
    assert conf["worker_class"] == "service.worker.BufferingWorker"


def test_the_workers_models_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    read_conf(monkeypatch, WORKERS="1")
    assert os.environ["OMP_NUM_THREADS"] == str(available_cores())


def test_what_is_kept_of_each_shape_of_a_batch_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    read_conf(monkeypatch)
    assert os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == "128"
    read_conf(monkeypatch, ONEDNN_PRIMITIVE_CACHE_CAPACITY="9")
    assert os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == "9"


def test_threads_chosen_by_hand_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    read_conf(monkeypatch, OMP_NUM_THREADS="7")
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_an_idle_thread_lets_its_core_go(monkeypatch: pytest.MonkeyPatch) -> None:
    read_conf(monkeypatch)
    assert os.environ["GOMP_SPINCOUNT"] == "1000"


def test_nobody_is_believed_who_they_speak_for(server: Server) -> None:
    for headers, status in (
        ({"X-Forwarded-Protocol": "ssl", "X-Forwarded-Ssl": "off"}, 200),  # gunicorn refuses who contradicts themselves
        ({"SCRIPT_NAME": "/elsewhere"}, 400),
        ({"PATH_INFO": "/elsewhere"}, 400),
    ):
        answer = requests.get(f"{server.url}/health/live", headers=headers, timeout=WAIT_SECONDS)
        assert answer.status_code == status, headers


def test_the_model_is_loaded_in_the_workers_only(server: Server) -> None:
    (worker,) = server.worker_pids
    assert "libtorch" not in Path(f"/proc/{server.process.pid}/maps").read_text()
    assert "libtorch" in Path(f"/proc/{worker}/maps").read_text()


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"PORT": "http"}, "sentiment: PORT: Input should be a valid integer, unable to parse string as an integer, "),
        ({"SENTIMENT_MAX_BODY_BYTES": "0"}, "sentiment: SENTIMENT_MAX_BODY_BYTES: Input should be greater than or "),
        ({"SENTIMENT_MODEL": "/nowhere"}, "model bundle refused: /nowhere: there is no such folder\n"),
        (
            {"SENTIMENT_RATE_LIMIT": "1 per hour", "SENTIMENT_REDIS_URL": "localhost:6379"},
            "SENTIMENT_REDIS_URL: must be a URL like 'redis://localhost:6379', with its scheme\n",
        ),
        ({"SENTIMENT_MODELS": "models"}, "sentiment: SENTIMENT_MODEL and SENTIMENT_MODELS are both set: unset "),
    ],
)
def test_what_is_wrong_at_start_is_said_in_one_line(
    start_server: StartServer, environment: dict[str, str], line: str
) -> None:
    server = start_server(**environment)
    assert server.wait_for_exit() != 0
    assert line in server.log
    assert "Traceback" not in server.log


def test_headers_that_could_be_taken_for_others_are_refused(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\nX_Request_ID: r1\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 400"


@pytest.mark.parametrize(
    ("head", "error"),
    [
        ("Content-Length: 13\r\nTransfer-Encoding: chunked\r\n", "InvalidHeader"),
        ("Content-Length: 13\r\nContent-Length: 13\r\n", "InvalidHeader"),
        ("Content-Length: 13, 13\r\n", "InvalidHeader"),
        ("Transfer-Encoding: gzip\r\n", "InvalidHeader"),
    ],
    ids=["CL+TE", "duplicate CL", "list of CL", "TE without chunked"],
)
def test_a_body_of_two_lengths_is_refused(server: Server, head: str, error: str) -> None:
    with server.connect() as connection:
        start = f"POST /v1/predict HTTP/1.1\r\nHost: x\r\nX-Request-ID: r1\r\n{head}\r\n"
        connection.sendall(start.encode() + b'{"text": "a"}')
        with connection.makefile("rb") as received:
            answer, _, problem = received.read().partition(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"\r\nConnection: close\r\n" in answer
    assert json.loads(problem) == {
        "type": "urn:sentiment:problem:malformed-request",
        "title": "This is not HTTP as it is read here",
        "status": 400,
        "detail": f"The request is refused: {error}.",
        "instance": "r1",
        "errors": [],
    }


def test_sigterm_answers_what_was_accepted(start_server: StartServer) -> None:
    server = start_server().wait_until_ready()
    body = json.dumps({"text": "A great film."}).encode()
    head = (
        "POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with server.connect() as connection:
        connection.sendall(head.encode())
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"  # in a worker's hand from here on
        server.process.send_signal(signal.SIGTERM)
        connection.sendall(body)
        received = connection.makefile("rb").read()
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b'"label":' in received
    assert server.wait_for_exit() == 0


def test_threads_of_a_worker_give_each_caller_its_own_answer(server: Server) -> None:
    texts = ["good", "bad", "not good", "a great film", "awful and boring", "okay :)"]
    alone = {text: ask(server, text) for text in texts}
    wrong: list[str] = []

    def caller(text: str) -> None:
        wrong.extend(text for _ in range(20) if ask(server, text) != pytest.approx(alone[text], abs=1e-5))

    callers = [threading.Thread(target=caller, args=(text,)) for text in texts * 2]
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join(WAIT_SECONDS)
    assert wrong == []
    assert not any(thread.is_alive() for thread in callers)


def test_no_text_is_ever_logged(server: Server) -> None:
    secret = "zyzzyvasecret"
    for body in (
        f'{{"text": "{secret}"}}',
        f'{{"text": "{secret}',
        f'{{"{secret} {secret}": 1}}',
        f'{{"text": ["{secret}"]}}',
    ):
        response = requests.post(
            f"{server.url}/v1/predict", data=body, headers={"Content-Type": "application/json"}, timeout=WAIT_SECONDS
        )
        assert secret not in response.text
    assert secret not in server.log


def ask(server: Server, text: str) -> dict[str, float]:
    response = requests.post(f"{server.url}/v1/predict", json={"text": text}, timeout=WAIT_SECONDS)
    probabilities: dict[str, float] = response.json()["predictions"][0]["probabilities"]
    return probabilities
