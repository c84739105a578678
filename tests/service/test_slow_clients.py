"""Check on a real gunicorn that slow clients delay neither other clients nor health checks.

No time is measured. A client that is in the way would stay there for longer than any request here waits, or lose its
own answer; both are looked at.
"""

import contextlib
import re
import selectors
import socket
import threading
from collections.abc import Iterator

import pytest

from tests.service import faults
from tests.service.conftest import WAIT_SECONDS, Server, StartServer
from tests.service.raw_http import BODY, HEAD, NDJSON_HEAD, REQUEST, receive, receive_all

CLIENTS = 8


def assert_healthy(server: Server) -> None:
    for path in ("live", "ready"):
        assert server.get(f"/health/{path}").status_code == 200


@pytest.fixture
def drippers(server: Server) -> Iterator[threading.Event]:
    """200 clients that send a request byte by byte; the event is set when each has sent ten. None may be refused."""
    stop, dripping = threading.Event(), threading.Event()
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as hung_up:
        connections = [stack.enter_context(server.connect()) for _ in range(200)]
        for connection in connections:
            hung_up.register(connection, selectors.EVENT_READ)

        def drip() -> None:
            for count, byte in enumerate(REQUEST[:-1], start=1):
                for connection in connections:
                    connection.send(bytes([byte]))
                if count == 10:
                    dripping.set()
                if stop.wait(0.1):
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        yield dripping
        stop.set()
        thread.join()
        assert hung_up.select(0) == []


def test_200_clients_that_drip_a_byte_at_a_time(server: Server, drippers: threading.Event) -> None:
    assert drippers.wait(WAIT_SECONDS)
    for _ in range(5):
        assert_healthy(server)
    answer = server.post("/v1/predict", json={"text": "good"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"HTTP/1.1 200 OK\r\n"),
        (HEAD + b"Content-Length: 10000000\r\n\r\n{", b"HTTP/1.1 413 "),
    ],
    ids=["answered", "refused in its body"],
)
def test_clients_that_never_hang_up(server: Server, sent: bytes, answer: bytes) -> None:
    """A worker that waited for the end of one after the other would take longer than health is waited for."""
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(server.connect()) for _ in range(50)]
        for connection in connections:
            connection.sendall(sent)
        for connection in connections:
            received = receive(connection, b"\r\n\r\n")
            assert received.startswith(answer)
            assert b"\r\nConnection: close\r\n" in received
        assert_healthy(server)
        for connection in connections:
            receive_all(connection)


def test_a_client_that_reads_late_keeps_nobody_waiting(server: Server) -> None:
    line = b'{"text":"a"}\n'
    count = 262_144 // len(line)  # the largest body that is kept whole; its answers are more than the kernel holds
    head = NDJSON_HEAD + b"Connection: close\r\n"
    with socket.socket() as late:
        late.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        late.settimeout(WAIT_SECONDS)
        late.connect(("127.0.0.1", server.port))
        late.sendall(head + b"Content-Length: %d\r\n\r\n" % (len(line) * count) + line * count)
        counted = [-1.0, 0.0]
        while counted[-1] > counted[-2]:  # until no more of its lines are answered: its answers wait for it
            for _ in range(20):
                answer = server.post("/v1/predict", json={"text": "good"})
                assert answer.status_code == 200
            shown = server.get("/metrics").text
            texts = float(re.findall(r'sentiment_texts_total\{model="default"\} (\S+)', shown)[0])
            counted.append(texts - 20 * (len(counted) - 1))
        received = receive_all(late)
    assert received.count(b'"predictions":[{"label":') == count


def test_clients_that_do_not_read_a_page_do_not_silence_health(server: Server) -> None:
    whole = server.get("/openapi.json").content
    with contextlib.ExitStack() as stack:
        late = [stack.enter_context(socket.socket()) for _ in range(CLIENTS)]
        for each in late:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
            each.settimeout(WAIT_SECONDS)
            each.connect(("127.0.0.1", server.port))
            each.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
        for each in late:  # its answer has begun
            each.recv(1, socket.MSG_PEEK)
        assert_healthy(server)
        for each in late:  # none of them was given up so that health could be answered
            assert receive(each, whole[-100:]).endswith(b"\r\n\r\n" + whole)
            each.sendall(REQUEST)  # and the connection can be used again
            assert b"predictions" in receive(each, b"predictions")


def test_streams_do_not_silence_health_however_their_path_is_spelled(server: Server) -> None:
    head, lines = NDJSON_HEAD.replace(b"/predict", b"/predic%74"), BODY + b"\n"
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(server.connect()) for _ in range(CLIENTS)]
        for stream in streams:
            stream.sendall(head + b"Content-Length: 9000000\r\n\r\n" + lines * 6000)
        for stream in streams:  # it is being answered
            assert receive(stream, b"predictions").startswith(b"HTTP/1.1 200 OK\r\n")
        assert_healthy(server)
        for stream in streams:  # and still was when health was
            stream.sendall(lines * 6000)
            receive(stream, b"predictions")


def test_requests_that_take_too_long_to_arrive(start_server: StartServer) -> None:
    server = start_server(faults.IMPATIENT, SENTIMENT_DRAIN_SECONDS="0").wait_until_ready()
    with server.connect() as slow, server.connect() as slow_stream:
        slow.sendall(REQUEST[:-1])
        slow_stream.sendall(NDJSON_HEAD + b"Content-Length: 10000000\r\n\r\n" + BODY)
        received = receive_all(slow)
        assert received.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert b'"type":"urn:sentiment:problem:request-timeout"' in received
        received = receive_all(slow_stream)
        assert received.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b'"type":"urn:sentiment:problem:incomplete-body"' in received
