"""Check the worker's own parts; test_http.py, test_slow_clients.py and others check what a caller sees."""

import os
import signal
from pathlib import Path

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped]

from service.worker import Worker
from tests.service.conftest import StartServer, wait_for
from tests.service.raw_http import REQUEST, receive, receive_all


def stop(process: int) -> None:
    """Stop the process until it is sent SIGCONT."""
    os.kill(process, signal.SIGSTOP)
    wait_for(lambda: "State:\tT" in Path(f"/proc/{process}/status").read_text())


@pytest.mark.slow
def test_one_that_is_idle_makes_room_for_another(start_server: StartServer) -> None:
    server = start_server(GUNICORN_CMD_ARGS="--worker-connections 1", SENTIMENT_DRAIN_SECONDS="0").wait_until_ready()
    [worker] = server.worker_pids
    with server.connect() as idle:
        stop(worker)  # so that it finds both at once, in this order
        idle.sendall(REQUEST)
        with server.connect() as new:
            new.sendall(REQUEST)
            os.kill(worker, signal.SIGCONT)
            assert receive(new, b"predictions").startswith(b"HTTP/1.1 200 OK\r\n")
        assert receive_all(idle).startswith(b"HTTP/1.1 200 OK\r\n")
    assert server.get("/health/ready").status_code == 200
    assert server.worker_pids == [worker], server.log


def test_tls_is_refused_at_start() -> None:
    config = Config()
    config.set("certfile", "cert.pem")
    with pytest.raises(RuntimeError, match="^TLS is not served here"):
        Worker.check_config(config, None)
