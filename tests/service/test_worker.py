"""The hand-written worker's own parts. What a caller sees of it is in test_http.py, test_slow_clients.py and others."""

import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from gunicorn.config import Config  # type: ignore[import-untyped]

from service.worker import BufferingWorker
from tests.service.conftest import WAIT_SECONDS, Server, StartServer, wait_for
from tests.service.raw_http import REQUEST, receive


@contextlib.contextmanager
def answered(server: Server) -> Iterator[socket.socket]:
    """A connection on which one request was answered already."""
    with server.connect() as connection:
        connection.sendall(REQUEST)
        receive(connection, b"predictions")
        yield connection


def stop(process: int) -> None:
    """Stop the process until it is sent SIGCONT."""
    os.kill(process, signal.SIGSTOP)
    wait_for(lambda: "State:\tT" in Path(f"/proc/{process}/status").read_text())


@pytest.mark.slow
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


@pytest.mark.slow
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


def test_tls_is_refused_at_start() -> None:
    config = Config()
    config.set("certfile", "cert.pem")
    with pytest.raises(RuntimeError, match="^TLS is not served here"):
        BufferingWorker.check_config(config, None)
