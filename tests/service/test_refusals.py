"""What the worker itself answers, on a real gunicorn and exact to the byte."""

import json
import re

import pytest
from prometheus_client import REGISTRY

from service import refusals
from service.headers import SECURITY
from service.problems import MALFORMED_REQUEST, OVERLOADED, REQUEST_TIMEOUT, RETRY, Kind, Problem
from tests.service.conftest import Server

PATH_BYTES = 4094 - len("GET  HTTP/1.1")  # gunicorn's limit of a first line, without what stands around the path
VALUE_BYTES = 8190 - len("X: \r\n")  # and of a header's line


def ask(server: Server, sent: bytes) -> tuple[str, dict[str, str], bytes]:
    """The status line, the headers and the body of the answer, after which the connection is closed."""
    with server.connect() as connection:
        connection.sendall(sent)
        with connection.makefile("rb") as received:
            head, _, body = received.read().partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    return status, dict(line.split(": ", 1) for line in lines), body


def parts(response: bytes) -> tuple[dict[str, str], dict[str, object]]:
    head, _, body = response.partition(b"\r\n\r\n")
    return dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:]), json.loads(body)


TOO_LONG = {
    "type": "urn:sentiment:problem:uri-too-long",
    "title": "The path is too long",
    "status": 414,
    "detail": "The request's first line is longer than is read here.",
}
TOO_LARGE = {
    "type": "urn:sentiment:problem:headers-too-large",
    "title": "The headers are too large",
    "status": 431,
    "detail": "The request has more or longer headers than are read here.",
}
HEAD_TOO_LARGE = TOO_LARGE | {"detail": "The head of the request has more than 32768 bytes, the limit."}


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        (b"GET /" + b"x" * PATH_BYTES + b" HTTP/1.1\r\n\r\n", TOO_LONG),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * (VALUE_BYTES + 1) + b"\r\n\r\n", TOO_LARGE),
        (b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * 101 + b"\r\n", TOO_LARGE),
        (b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * 8192, HEAD_TOO_LARGE),
    ],
)
def test_a_head_above_a_limit(server: Server, sent: bytes, problem: dict[str, object]) -> None:
    status, headers, body = ask(server, sent)
    request_id = headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{32}", request_id)
    assert status.startswith(f"HTTP/1.1 {problem['status']} ")
    assert json.loads(body) == problem | {"instance": request_id, "errors": []}
    assert headers == {
        "Content-Type": "application/problem+json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        "X-Request-ID": request_id,
        **SECURITY,
    }


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /" + b"x" * (PATH_BYTES - 1) + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: " + b"x" * VALUE_BYTES + b"\r\n\r\n",
        b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + b"X: 1\r\n" * 98 + b"\r\n",
    ],
    ids=["path", "value", "count"],
)
def test_a_head_at_a_limit_reaches_the_app(server: Server, sent: bytes) -> None:
    status, _, body = ask(server, sent)
    assert status.startswith("HTTP/1.1 404 ")
    assert json.loads(body)["type"] == "urn:sentiment:problem:not-found"


@pytest.mark.parametrize("kind", [MALFORMED_REQUEST, REQUEST_TIMEOUT, OVERLOADED])
def test_a_refusal_is_headed_counted_and_logged(kind: Kind, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    refusals._log.cache_clear()  # it holds the stderr of another test
    requests = ("sentiment_requests_total", {"method": "other", "route": "none", "status": str(kind.status)})
    shed = ("sentiment_shed_total", {"reason": kind.name})
    before = [REGISTRY.get_sample_value(*figure) or 0.0 for figure in (requests, shed)]
    head = b"POST /zyzzyva HTTP/1.1\r\nX-Request-ID: r1\r\n\r\nzyzzyva"
    headers, problem = parts(refusals.response(Problem(kind, "It is so.", headers=RETRY), head, keep_alive=True))
    refusals._log.cache_clear()
    assert (
        SECURITY | {"X-Request-ID": "r1", "Retry-After": "1", "Connection": "keep-alive"}
    ).items() <= headers.items()
    assert problem == {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "detail": "It is so.",
        "instance": "r1",
        "errors": [],
    }
    counted = [REGISTRY.get_sample_value(*figure) or 0.0 for figure in (requests, shed)]
    assert counted == [before[0] + 1, before[1] + (kind is OVERLOADED)]
    entry = json.loads(capfdbinary.readouterr().err)
    assert entry.pop("time")
    assert entry == {
        "event": "request refused",
        "level": "info",
        "request_id": "r1",
        "status": kind.status,
        "problem": kind.name,
    }


@pytest.mark.parametrize(("path", "has_error"), [("/v2/models/m/infer", True), ("/v1/predict", False), ("/v20", False)])
def test_the_inference_protocols_paths_have_its_error(path: str, has_error: bool) -> None:
    _, problem = parts(refusals.response(Problem(OVERLOADED, "Full."), f"POST {path} HTTP/1.1\r\n".encode(), False))
    assert problem.get("error") == ("Full." if has_error else None)
