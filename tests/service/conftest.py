"""The service over the tiny model: in this process, and behind a real gunicorn on loopback."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client import REGISTRY

from sentiment.classifier import Classifier
from service.access import api_keys
from service.app import create_app
from service.settings import ServiceSettings

ROOT = Path(__file__).parents[2]
WAIT_SECONDS = 60.0  # a bound for what should take a moment, on a machine that may be busy

LIMITS = {
    "SENTIMENT_MAX_BODY_BYTES": "262144",
    "SENTIMENT_MAX_TEXTS_PER_REQUEST": "8",
    "SENTIMENT_MAX_CHARACTERS_PER_TEXT": "150000",
}


Kind = tuple[int, str, str]  # of problems: their status, the end of their type, and their title


def problem(kind: Kind, detail: str, errors: list[dict[str, str]] | None = None) -> dict[str, object]:
    """Return the problem in full that answers the request `r1`."""
    status, name, title = kind
    return {
        "type": f"urn:sentiment:problem:{name}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": "r1",
        "errors": errors or [],
    }


def counted(name: str, **labels: str) -> float:
    """Return a figure of this process."""
    return REGISTRY.get_sample_value(f"sentiment_{name}", labels) or 0.0


def wait_for(condition: Callable[[], bool]) -> None:
    """Return once the condition holds, within the one generous bound."""
    end = monotonic() + WAIT_SECONDS
    while not condition():
        assert monotonic() < end
        threading.Event().wait(0.01)


class Server:
    """A gunicorn in a process group of its own, and what it logs."""

    def __init__(self, environment: dict[str, str], app: str | None = None) -> None:
        self.log = ""
        self._listening = threading.Event()
        self._metrics = tempfile.TemporaryDirectory()
        environment = {"PROMETHEUS_MULTIPROC_DIR": self._metrics.name} | environment
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("SENTIMENT_", "OMP_"))}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "service/gunicorn.conf.py", *([app] if app else [])],
            cwd=ROOT,
            env=clean | {"PORT": "0", "WORKERS": "1"} | environment,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()

    def wait_until_ready(self) -> "Server":
        """Return the server once it answers. The kernel holds connections until a worker accepts them."""
        assert self._listening.wait(WAIT_SECONDS), self.log
        assert self.get("/health/ready").status_code == 200, self.log
        return self

    def wait_for_exit(self) -> int:
        """The exit status, the log read to its end."""
        status = self.process.wait(WAIT_SECONDS)
        self._reader.join(WAIT_SECONDS)
        return status

    def stop(self) -> None:
        """Ends every process of it, whatever state they are in."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.wait_for_exit()
        self._metrics.cleanup()

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Return the answer, waited for within the one bound."""
        return requests.request(method, f"{self.url}{path}", timeout=WAIT_SECONDS, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        """Return the answer to a GET."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        """Return the answer to a POST."""
        return self.request("POST", path, **options)

    @property
    def url(self) -> str:
        """Return the address it listens on."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        """The port that the kernel chose."""
        found = re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", self.log)
        assert found, self.log
        return int(found.group(1))

    @property
    def worker_pids(self) -> list[int]:
        """The workers there are."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def connect(self) -> socket.socket:
        """A raw connection to it."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_SECONDS)

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                self.log += line
                if "Listening at" in line:
                    self._listening.set()


StartServer = Callable[..., Server]


@contextmanager
def serving(environment: dict[str, str], app: str | None = None) -> Iterator[Server]:
    """Start a server, wait until it is ready, and stop it at the end."""
    server = Server(environment, app)
    try:
        yield server.wait_until_ready()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def server(tiny_bundle: Path) -> Iterator[Server]:
    """A running service with small limits, shared: tests that stop or signal one start their own."""
    with serving({"SENTIMENT_MODEL": str(tiny_bundle), **LIMITS}) as server:
        yield server


@dataclass(frozen=True)
class ClosedServer:
    """A running service that asks for keys, and a key of every scope."""

    server: Server
    key: str


@pytest.fixture(scope="session")
def closed_server(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClosedServer]:
    """A running service with keys and default limits, shared like `server`."""
    key, line = api_keys.make("operator", ["predict", "metrics", "admin"])
    keys_file = tmp_path_factory.mktemp("keys") / "keys"
    keys_file.write_text(line)
    with serving({"SENTIMENT_MODEL": str(tiny_bundle), "SENTIMENT_API_KEYS_FILE": str(keys_file)}) as server:
        yield ClosedServer(server, key)


@pytest.fixture
def start_server(tiny_bundle: Path) -> Iterator[StartServer]:
    """Starts a server of the test's own with these environment variables."""
    started: list[Server] = []

    def start(app: str | None = None, **environment: str) -> Server:
        started.append(Server({"SENTIMENT_MODEL": str(tiny_bundle), **environment}, app))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def app(tiny_classifier: Classifier) -> Flask:
    """The app with default limits."""
    return create_app(ServiceSettings(), tiny_classifier)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client of the app in this process."""
    return app.test_client()
