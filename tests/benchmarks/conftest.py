"""Few texts for the programs, and a server that answers as a test wants it to."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from benchmarks import workloads

PREDICTION = {
    "label": "positive",
    "probabilities": {"negative": 0.1, "neutral": 0.2, "positive": 0.7},
    "tokens": 3,
    "unknown_tokens": 0,
    "truncated": False,
}


class QuietServer(ThreadingHTTPServer):
    """One whose clients may leave while they are answered."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        pass


class StubServer:
    """A server on loopback, one prediction a text unless `respond` is replaced."""

    def __init__(self) -> None:
        self.asked = 0
        self.respond: Callable[[int, bytes], tuple[int, Any]] = self.predictions
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # one packet a response

            def do_GET(self) -> None:
                self._send(200, "ready")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                stub.asked += 1
                self._send(*stub.respond(stub.asked, body))

            def _send(self, status: int, found: Any) -> None:
                content = (found if isinstance(found, str) else json.dumps(found)).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.send_header("X-Request-ID", self.headers.get("X-Request-ID", ""))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = QuietServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def predictions(self, _: int, body: bytes) -> tuple[int, Any]:
        """Return 200 with a prediction of each text of the request's body."""
        return 200, {"predictions": [PREDICTION] * len(json.loads(body)["texts"])}

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def stub_server() -> Iterator[StubServer]:
    server = StubServer()
    yield server
    server.close()


@pytest.fixture
def few_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A handful of generated texts instead of thousands."""
    monkeypatch.setattr(workloads, "SENTENCES", 12)
    monkeypatch.setattr(workloads, "REVIEWS", 4)
