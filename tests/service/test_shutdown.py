"""Check the shutdown of a real gunicorn: readiness ends first, and accepted requests are answered."""

import json
import signal
import socket
from concurrent.futures import ThreadPoolExecutor

from tests.service import faults
from tests.service.conftest import Server, StartServer, wait_for
from tests.service.raw_http import BODY, HEAD, receive, receive_all


def is_closed_to_others(server: Server) -> bool:
    """Return whether the listening socket is gone: by then the worker is stopping."""
    try:
        socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # in the kernel's queue at the very moment
        return False
    return False


def test_when_told_to_stop_readiness_goes_first(start_server: StartServer) -> None:
    server = start_server(SENTIMENT_DRAIN_SECONDS="20").wait_until_ready()
    server.process.send_signal(signal.SIGTERM)
    statuses = {200}
    while 503 not in statuses:
        ready = server.get("/health/ready")
        statuses.add(ready.status_code)
    assert ready.json()["detail"] == "No more requests should come here: the worker is stopping."
    assert server.post("/v1/predict", json={"text": "good"}).status_code == 200


def test_sigterm_answers_what_was_begun(start_server: StartServer) -> None:
    """One request is being computed, the body of another and the end of a third are still to come."""
    server = start_server(faults.APP, SENTIMENT_DRAIN_SECONDS="0").wait_until_ready()
    waits = {"text": faults.WAITS}
    with ThreadPoolExecutor(1) as threads, server.connect() as begun, server.connect() as opening:
        computing = threads.submit(server.post, "/v1/predict", json=waits)
        wait_for(lambda: server.get("/test/state").json()["waiting"])
        begun.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(BODY))
        assert receive(begun, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        opening.sendall(b"GET /test/open HTTP/1.1\r\nHost: x\r\n")
        server.process.send_signal(signal.SIGTERM)
        wait_for(lambda: is_closed_to_others(server))
        opening.sendall(b"\r\n")
        assert receive_all(opening).startswith(b"HTTP/1.1 200 OK\r\n")
        assert computing.result().status_code == 200
        opening.close()
        begun.sendall(BODY)  # all else is answered: the worker waits for this alone
        assert receive_all(begun).startswith(b"HTTP/1.1 200 OK\r\n")
    assert server.wait_for_exit() == 0
    lines = [json.loads(line) for line in server.log.splitlines()]  # of the whole run, gunicorn's own among them
    assert all(line["event"] and line["time"] and line["level"] for line in lines)
    assert [line["status"] for line in lines if line.get("route") == "/v1/predict"] == [200, 200]
