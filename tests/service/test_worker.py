"""What clients do wrong, on a real gunicorn: none of them keeps another waiting."""

import contextlib
import json
import os
import re
import selectors
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

import pytest
import requests
from gunicorn.config import Config  # type: ignore[import-untyped]

from service import headers
from service.connection import STREAM_GRACE_SECONDS, WRITE_SECONDS
from service.dispatch import OTHER_THREADS
from service.worker import BufferingWorker
from tests.service import faults
from tests.service.conftest import WAIT_SECONDS, Server, StartServer

BODY = b'{"text": "good"}'
HEAD = b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
REQUEST = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


def receive(connection: socket.socket, until: bytes) -> bytes:
    received = b""
    while until not in received:
        data = connection.recv(1 << 16)
        assert data, received
        received += data
    return received


def receive_all(connection: socket.socket) -> bytes:
    with connection.makefile("rb") as file:
        return file.read()


@contextlib.contextmanager
def answered(server: Server) -> Iterator[socket.socket]:
    """A connection on which one request was answered already."""
    with server.connect() as connection:
        connection.sendall(REQUEST)
        receive(connection, b"predictions")
        yield connection


def stop(process: int) -> None:
    """Until it is sent SIGCONT."""
    os.kill(process, signal.SIGSTOP)
    while "State:\tT" not in Path(f"/proc/{process}/status").read_text():
        pass


def health_seconds(server: Server) -> float:
    started = monotonic()
    assert requests.get(f"{server.url}/health/ready", timeout=WAIT_SECONDS).status_code == 200
    return monotonic() - started


@pytest.fixture
def drippers(server: Server) -> Iterator[threading.Event]:
    """200 clients that send a byte of their request a second; the event is set when all have sent ten."""
    stop, dripping = threading.Event(), threading.Event()
    with selectors.DefaultSelector() as hung_up:
        connections = [server.connect() for _ in range(200)]
        for connection in connections:
            hung_up.register(connection, selectors.EVENT_READ)

        def drip() -> None:
            for count, byte in enumerate(REQUEST):
                for connection in connections:
                    connection.send(bytes([byte]))
                if count == 2:
                    dripping.set()
                if stop.wait(1):
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        yield dripping
        stop.set()
        thread.join()
        assert hung_up.select(0) == []
    for connection in connections:
        connection.close()


def test_200_clients_that_drip_a_byte_a_second(server: Server, drippers: threading.Event) -> None:
    assert drippers.wait(WAIT_SECONDS)
    assert max(health_seconds(server) for _ in range(5)) < 1
    started = monotonic()
    answer = requests.post(f"{server.url}/v1/predict", data=BODY, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
    assert monotonic() - started < 1


def test_clients_that_never_hang_up(server: Server) -> None:
    connections = [server.connect() for _ in range(20)]
    for connection in connections:
        connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert receive_all(connection).startswith(b"HTTP/1.1 200 OK\r\n")
    assert health_seconds(server) < 1
    for connection in connections:
        connection.close()


def test_clients_that_stop_in_a_body_that_is_refused(server: Server) -> None:
    connections = [server.connect() for _ in range(50)]
    for connection in connections:
        connection.sendall(HEAD + b"Content-Length: 10000000\r\n\r\n{")
        received = receive_all(connection)
        assert received.startswith(b"HTTP/1.1 413 ")
        assert b"\r\nConnection: close\r\n" in received
    assert health_seconds(server) < 1
    for connection in connections:
        connection.close()


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


@pytest.mark.parametrize(
    ("sent", "status", "kind"),
    [
        (b"zyzzyva zyzzyva\r\n\r\n", 400, "malformed-request"),
        (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", 400, "malformed-request"),
        (b"GET / HTTP/1.1\r\nzyzzyva\r\n\r\n", 400, "malformed-request"),
        (b"GET /" + b"x" * 8200 + b" HTTP/1.1\r\n\r\n", 414, "uri-too-long"),
        (b"x" * 40_000, 414, "uri-too-long"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 9000 + b"\r\n\r\n", 431, "headers-too-large"),
        (b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * 200 + b"\r\n", 431, "headers-too-large"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000, 431, "headers-too-large"),
    ],
)
def test_what_is_no_http_is_refused_in_the_one_form(server: Server, sent: bytes, status: int, kind: str) -> None:
    with server.connect() as connection:
        connection.sendall(sent)
        received = receive_all(connection)
    assert received.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nContent-Type: application/problem+json\r\n" in received
    assert f'"type":"urn:sentiment:problem:{kind}"'.encode() in received
    assert b"zyzzyva" not in received


def test_a_body_without_a_length_is_never_logged(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(HEAD + b'\r\n{"text": "zyzzyvasecret"}\r\n\r\n')
        received = receive_all(connection)
    assert re.findall(rb"HTTP/1.1 (\d+)", received) == [b"400", b"400"]
    assert "zyzzyvasecret" not in server.log


def test_past_its_threads_a_worker_refuses_at_once(start_server: StartServer) -> None:
    server = start_server(faults.APP, THREADS="2", SENTIMENT_DRAIN_SECONDS="0").wait_until_ready()

    def ask(seconds: float, request_id: str) -> requests.Response:
        given = {"X-Request-Timeout-Seconds": str(seconds), "X-Request-ID": request_id}
        body = {"text": faults.WAITS}
        return requests.post(f"{server.url}/v1/predict", json=body, headers=given, timeout=WAIT_SECONDS)

    def ask_until_taken() -> None:
        while ask(WAIT_SECONDS, "r0").status_code != 200:
            pass

    with ThreadPoolExecutor(2) as threads:
        asked = [threads.submit(ask_until_taken) for _ in range(2)]
        while (refused := ask(0.1, "r1")).status_code != 503:  # it took the place of one of the others
            assert refused.status_code == 504
        assert refused.headers["Retry-After"] == "1"
        assert refused.json() == {
            "type": "urn:sentiment:problem:overloaded",
            "title": "More is asked than can be answered",
            "status": 503,
            "detail": "2 requests are being answered; the limit is 2.",
            "instance": "r1",
            "errors": [],
        }
        assert headers.SECURITY.items() <= refused.headers.items()
        shown = requests.get(f"{server.url}/metrics", timeout=WAIT_SECONDS).text
        assert 'sentiment_requests_total{method="other",route="none",status="503"} ' in shown
        assert 'sentiment_shed_total{reason="overloaded"} ' in shown
        assert '"request_id":"r1","status":503,"problem":"overloaded","event":"request refused"' in server.log
        assert requests.get(f"{server.url}/test/open", timeout=WAIT_SECONDS).status_code == 200
        for future in asked:
            future.result()


def test_requests_that_take_too_long_to_arrive(start_server: StartServer) -> None:
    server = start_server(faults.IMPATIENT_APP, SENTIMENT_DRAIN_SECONDS="0").wait_until_ready()
    with server.connect() as slow, server.connect() as slow_stream:
        slow.sendall(REQUEST[:-1])
        ndjson = HEAD.replace(b"application/json", b"application/x-ndjson")
        slow_stream.sendall(ndjson + b"Content-Length: 10000000\r\n\r\n" + BODY)
        received = receive_all(slow)
        assert received.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert b'"type":"urn:sentiment:problem:request-timeout"' in received
        received = receive_all(slow_stream)
        assert received.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b'"type":"urn:sentiment:problem:incomplete-body"' in received


def test_a_client_that_reads_late_keeps_nobody_waiting(server: Server) -> None:
    line = b'{"text":"a"}\n'
    count = 262_144 // len(line)  # the largest body that is kept whole; its answers are more than the kernel holds
    head = HEAD.replace(b"application/json", b"application/x-ndjson") + b"Connection: close\r\n"
    with socket.socket() as late:
        late.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        late.settimeout(WAIT_SECONDS)
        late.connect(("127.0.0.1", server.port))
        late.sendall(head + b"Content-Length: %d\r\n\r\n" % (len(line) * count) + line * count)
        counted = [-1.0, 0.0]
        while counted[-1] > counted[-2]:  # until no more of its lines are answered: its answers wait for it
            for _ in range(20):
                answer = requests.post(f"{server.url}/v1/predict", json={"text": "good"}, timeout=WAIT_SECONDS)
                assert answer.status_code == 200
            shown = requests.get(f"{server.url}/metrics", timeout=WAIT_SECONDS).text
            texts = float(re.findall(r'sentiment_texts_total\{model="default"\} (\S+)', shown)[0])
            counted.append(texts - 20 * (len(counted) - 1))
        received = receive_all(late)
    assert received.count(b'"predictions":[{"label":') == count


def test_clients_that_do_not_read_a_page_do_not_silence_health(server: Server) -> None:
    whole = requests.get(f"{server.url}/openapi.json", timeout=WAIT_SECONDS).content
    with contextlib.ExitStack() as stack:
        late = [stack.enter_context(socket.socket()) for _ in range(2 * OTHER_THREADS)]
        for each in late:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
            each.settimeout(WAIT_SECONDS)
            each.connect(("127.0.0.1", server.port))
            each.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
        for each in late:  # its answer has begun
            each.recv(1, socket.MSG_PEEK)
        assert requests.get(f"{server.url}/health/live", timeout=WRITE_SECONDS / 2).status_code == 200
        for each in late:
            assert receive(each, whole[-100:]).endswith(b"\r\n\r\n" + whole)
            each.sendall(REQUEST)  # and the connection goes on
            assert b"predictions" in receive(each, b"predictions")


def test_a_path_spelled_otherwise_holds_no_thread_of_healths(server: Server) -> None:
    head = HEAD.replace(b"/predict", b"/predic%74").replace(b"application/json", b"application/x-ndjson")
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(server.connect()) for _ in range(2 * OTHER_THREADS)]
        for stream in streams:
            stream.sendall(head + b"Content-Length: 9000000\r\n\r\n" + b'{"text": "good"}\n' * 6000)
        for stream in streams:  # it is being answered
            assert receive(stream, b"predictions").startswith(b"HTTP/1.1 200 OK\r\n")
        assert requests.get(f"{server.url}/health/live", timeout=STREAM_GRACE_SECONDS / 2).status_code == 200


def test_a_stream_larger_than_is_kept(server: Server) -> None:
    lines, count = BODY + b"\n", 20_000  # 340,000 bytes, where 262,144 are kept
    headers = {"Content-Type": "application/x-ndjson"}
    answer = requests.post(f"{server.url}/v1/predict", data=lines * count, headers=headers, timeout=WAIT_SECONDS)
    assert answer.status_code == 200
    answers = [json.loads(line) for line in set(answer.content.splitlines())]
    probabilities = [each["predictions"][0].pop("probabilities") for each in answers]
    assert all(each == answers[0] for each in answers)
    for each in probabilities:  # of batches of any width: but for rounding
        assert each == pytest.approx(probabilities[0], abs=1e-6)
    assert answer.content.count(b"\n") == count


def test_one_dropped_to_make_room_takes_no_other_along(start_server: StartServer) -> None:
    server = start_server(GUNICORN_CMD_ARGS="--worker-connections 1", SENTIMENT_DRAIN_SECONDS="0").wait_until_ready()
    [worker] = server.worker_pids
    with answered(server) as idle:
        stop(worker)  # so that it finds both at once, in this order
        with server.connect() as new:
            idle.sendall(REQUEST)
            new.sendall(REQUEST)
            os.kill(worker, signal.SIGCONT)
            assert receive(new, b"predictions").startswith(b"HTTP/1.1 200 OK\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert idle.recv(1) == b""
    assert requests.get(f"{server.url}/health/ready", timeout=WAIT_SECONDS).status_code == 200
    assert server.worker_pids == [worker], server.log


def test_one_that_is_refused_and_has_gone_is_kept_no_longer(start_server: StartServer) -> None:
    server = start_server(THREADS="1", SENTIMENT_DRAIN_SECONDS="0").wait_until_ready()
    [worker] = server.worker_pids
    with answered(server) as staying, answered(server) as leaving:
        stop(worker)  # so that it finds both at once, in this order
        staying.sendall(REQUEST)
        leaving.sendall(REQUEST)
        leaving.shutdown(socket.SHUT_WR)
        os.kill(worker, signal.SIGCONT)
        assert receive(staying, b"predictions").startswith(b"HTTP/1.1 200 OK\r\n")
        leaving.setblocking(False)
        assert leaving.recv(1 << 16).startswith(b"HTTP/1.1 503 ")
        assert leaving.recv(1) == b""  # closed already: it would block


def test_when_told_to_stop_readiness_goes_first(start_server: StartServer) -> None:
    server = start_server(SENTIMENT_DRAIN_SECONDS="20").wait_until_ready()
    server.process.send_signal(signal.SIGTERM)
    statuses = {200}
    while 503 not in statuses:
        ready = requests.get(f"{server.url}/health/ready", timeout=WAIT_SECONDS)
        statuses.add(ready.status_code)
    assert ready.json()["detail"] == "No more requests should come here: the worker is stopping."
    assert requests.post(f"{server.url}/v1/predict", json={"text": "good"}, timeout=WAIT_SECONDS).status_code == 200


def test_tls_is_refused_at_start() -> None:
    config = Config()
    config.set("certfile", "cert.pem")
    with pytest.raises(RuntimeError, match="^TLS is not served here"):
        BufferingWorker.check_config(config, None)
