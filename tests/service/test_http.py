"""HTTP itself as a caller meets it over a socket: heads, bodies and connections, each refusal exact to the byte."""

import json
import re
import socket

import pytest

from service.http.responses import SECURITY
from tests.service.conftest import Server, problem, wait_for
from tests.service.raw_http import BODY, HEAD, REQUEST, receive, receive_all

PATH_BYTES = 4094 - len("GET  HTTP/1.1")  # gunicorn's limit of a first line, without what surrounds the path
VALUE_BYTES = 8190 - len("X: \r\n")  # and of a header's line

POST = b"POST /v1/predict HTTP/1.1\r\nHost: x\r\n"
MALFORMED = (400, "malformed-request", "This is not HTTP as it is read here")
TOO_LONG = problem(
    (414, "uri-too-long", "The path is too long"), "The request's first line is longer than is read here."
)
TOO_LARGE = problem(
    (431, "headers-too-large", "The headers are too large"),
    "The request has more or longer headers than are read here.",
)
UNDERSCORE = problem(
    MALFORMED, "The header X_REQUEST_ID is refused: one with _ in its name can't be told from one with -."
)
NO_HOST = problem(MALFORMED, "A request of HTTP/1.1 needs the header Host.")


def refused(error: str) -> dict[str, object]:
    """Return the problem of a head in which gunicorn's parser finds this error."""
    return problem(MALFORMED, f"The request is refused: {error}.")


def ask(server: Server, sent: bytes) -> tuple[str, dict[str, str], bytes]:
    """Return the status line, the headers and the body of the answer, after which the connection is closed."""
    with server.connect() as connection:
        connection.sendall(sent)
        head, _, body = receive_all(connection).partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    return status, dict(line.split(": ", 1) for line in lines), body


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"zyzzyva zyzzyva\r\n\r\n", refused("InvalidRequestLine")),
        (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", refused("InvalidHTTPVersion")),
        (b"GET / HTTP/1.1\r\nzyzzyva\r\n\r\n", refused("InvalidHeader")),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX_Request_ID: r1\r\n\r\n", UNDERSCORE),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-R\xe4: 1\r\n\r\n", refused("InvalidHeaderName")),
        (b"GET /health/live HTTP/1.1\r\n\r\n", NO_HOST),
        (b"GET /health/live HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", refused("InvalidHeader")),
        (POST + b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\nzyzzyva..", refused("InvalidHeader")),
        (POST + b"Content-Length: 9\r\nContent-Length: 9\r\n\r\nzyzzyva..", refused("InvalidHeader")),
        (POST + b"Content-Length: 9, 9\r\n\r\nzyzzyva..", refused("InvalidHeader")),
        (POST + b"Transfer-Encoding: gzip\r\n\r\nzyzzyva..", refused("InvalidHeader")),
        (b"GET /" + b"x" * PATH_BYTES + b" HTTP/1.1\r\n\r\n", TOO_LONG),
        (b"x" * 40_000, TOO_LONG),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * (VALUE_BYTES + 1) + b"\r\n\r\n", TOO_LARGE),
        (b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * 101 + b"\r\n", TOO_LARGE),
        (b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * 140_000, TOO_LARGE),
    ],
    ids=[
        "no request line", "version", "no header", "underscore", "header name", "no host", "two hosts", "two framings",
        "two lengths", "list of lengths", "coding", "long path", "endless line", "long header", "many headers",
        "endless headers",
    ],
)  # fmt: skip
def test_a_malformed_head_is_refused_as_a_problem(server: Server, sent: bytes, expected: dict[str, object]) -> None:
    status, headers, body = ask(server, sent)
    request_id = headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{32}", request_id)
    assert status.startswith(f"HTTP/1.1 {expected['status']} ")
    assert json.loads(body) == expected | {"instance": request_id}
    assert headers == {
        "Content-Type": "application/problem+json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        "X-Request-ID": request_id,
        **SECURITY,
    }
    assert "zyzzyva" not in server.log
    wait_for(lambda: request_id in server.log)
    (line,) = [json.loads(line) for line in server.log.splitlines() if request_id in line]
    assert (line["event"], line["status"]) == ("request refused", expected["status"])
    shown = server.get("/metrics").text
    assert f'sentiment_requests_total{{method="other",route="none",status="{expected["status"]}"}}' in shown


def test_http_1_0_needs_no_host(server: Server) -> None:
    assert ask(server, b"GET /health/live HTTP/1.0\r\n\r\n")[0].endswith(" 200 OK")


def test_the_id_of_a_malformed_request_is_kept(server: Server) -> None:
    _, headers, body = ask(server, POST + b"X-Request-ID: r1\r\nTransfer-Encoding: gzip\r\n\r\n")
    assert (headers["X-Request-ID"], json.loads(body)["instance"]) == ("r1", "r1")


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


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-Forwarded-Protocol": "ssl", "X-Forwarded-Ssl": "off"}, 200),  # gunicorn would refuse the contradiction
        ({"SCRIPT_NAME": "/elsewhere"}, 400),
        ({"PATH_INFO": "/elsewhere"}, 400),
    ],
)
def test_headers_of_proxies_are_not_trusted(server: Server, headers: dict[str, str], status: int) -> None:
    assert server.get("/health/live", headers=headers).status_code == status


def test_a_request_byte_by_byte_is_answered(server: Server) -> None:
    with server.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in REQUEST:
            connection.sendall(bytes([byte]))
        assert receive(connection, b"predictions").startswith(b"HTTP/1.1 200 OK\r\n")


def test_requests_sent_ahead_are_answered_in_order(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(REQUEST + b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n" + REQUEST.replace(b"good", b"bad!"))
        connection.shutdown(socket.SHUT_WR)
        received = receive_all(connection)
    assert re.findall(rb"HTTP/1.1 (\d+)", received) == [b"200", b"404", b"200"]


@pytest.mark.parametrize("sent_with_head", [b"", BODY[:3]])
def test_leave_to_send_a_body_is_given_once(server: Server, sent_with_head: bytes) -> None:
    with server.connect() as connection:
        head = HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(BODY)
        connection.sendall(head + sent_with_head)
        assert receive(connection, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY[len(sent_with_head) :])
        assert receive(connection, b"predictions").startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_request_that_is_cut_off_is_dropped(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(HEAD[:40])
        connection.shutdown(socket.SHUT_WR)
        assert receive_all(connection) == b""


def test_a_body_without_a_length_is_never_logged(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(HEAD + b'\r\n{"text": "zyzzyvasecret"}\r\n\r\n')
        received = receive_all(connection)
    assert re.findall(rb"HTTP/1.1 (\d+)", received) == [b"400", b"400"]
    assert "zyzzyvasecret" not in server.log


def test_a_stream_larger_than_is_kept(server: Server) -> None:
    lines, count = BODY + b"\n", 20_000  # 340,000 bytes, where 262,144 are kept
    headers = {"Content-Type": "application/x-ndjson"}
    answer = server.post("/v1/predict", data=lines * count, headers=headers)
    assert answer.status_code == 200
    answers = [json.loads(line) for line in set(answer.content.splitlines())]
    probabilities = [each["predictions"][0].pop("probabilities") for each in answers]
    assert all(each == answers[0] for each in answers)
    for each in probabilities:  # of batches of any width: but for rounding
        assert each == pytest.approx(probabilities[0], abs=1e-6)
    assert answer.content.count(b"\n") == count
