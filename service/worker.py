"""Extend gunicorn's gevent worker with request timeouts, and a shutdown that answers accepted requests.

A connection is a greenlet: a slow client costs nothing but its place. TLS and HTTP/2 are for the proxy in front.
"""

import contextlib
import io
import logging
import os
import signal
import socket
import sys
import time
from functools import lru_cache
from typing import Any

import gevent
from gevent.socket import wait_read
from gunicorn import util  # type: ignore[import-untyped]
from gunicorn.errors import AppImportError  # type: ignore[import-untyped]
from gunicorn.http import wsgi  # type: ignore[import-untyped]
from gunicorn.http.body import LengthReader  # type: ignore[import-untyped]
from gunicorn.http.errors import NoMoreData, ParseException  # type: ignore[import-untyped]
from gunicorn.http.parser import RequestParser  # type: ignore[import-untyped]
from gunicorn.workers.ggevent import GeventWorker  # type: ignore[import-untyped]

from service.http import early_errors, problems
from service.http.problems import REQUEST_TIMEOUT, Problem
from service.inference.reload import request_reload
from service.settings import ServiceSettings

REQUEST_SECONDS = 20.0  # from a request's first byte to its last
STREAM_GRACE_SECONDS = 10.0
STREAM_BYTES_PER_SECOND = 1024  # a body too long to be kept must come at least this fast, after the grace
WRITE_SECONDS = 30.0  # for a client to take a piece of its answer
LINGER_BYTES = 1 << 18  # of what a client still sends after its last answer; one that sends more is cut off
PAUSE_SECONDS = 1.0  # in which a client that was just refused isn't read: as long as Retry-After asks it to wait
LAST_REQUEST_SECONDS = 2.0  # at the end, for the first byte on an open connection: new ones come for half of it

_log = logging.getLogger(__name__)
_date = lru_cache(maxsize=1)(util.http_date)  # to make it anew for each response would take 3 % of the time


class Response(wsgi.Response):  # type: ignore[misc]  # gunicorn has no types
    """A response that sends its head together with the first part of its body."""

    _head = b""

    def send_headers(self) -> None:
        """Build the head, which is sent with the first part of the body."""
        if not self.headers_sent:  # type: ignore[has-type]
            major, minor = self.req.version
            lines = [
                f"HTTP/{major}.{minor} {self.status}\r\nServer: {self.version}\r\nDate: {_date(int(time.time()))}\r\n",
                f"Connection: {'close' if self.should_close() else 'keep-alive'}\r\n",
                "Transfer-Encoding: chunked\r\n" if self.chunked else "",
                *(f"{name}: {value}\r\n" for name, value in self.headers),
            ]
            self._head = ("".join(lines) + "\r\n").encode("latin-1")
            self.headers_sent = True

    def close(self) -> None:
        """Send the end of the response."""
        self.send_headers()
        self._send(b"0\r\n\r\n" if self.chunked else b"")

    def _emit_body(self, data: bytes) -> None:
        self._send(b"%X\r\n%b\r\n" % (len(data), data) if self.chunked else data)

    def _send(self, data: bytes) -> None:
        if self._head or data:
            data, self._head = self._head + data, b""
            sent = self.sock.send(data)  # mostly all: `sendall` alone would ask the system for its buffer's size
            if sent < len(data):
                self.sock.sendall(data[sent:])


class Stream:
    """The rest of a body that is too long to be buffered. Raises TimeoutError for a client that is too slow."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        self._deadline = time.monotonic() + STREAM_GRACE_SECONDS

    def recv(self, size: int) -> bytes:
        """Return at most `size` bytes, none at the end."""
        with gevent.Timeout(max(0.0, self._deadline - time.monotonic()), TimeoutError):
            data = self._client.recv(size)
        self._deadline += len(data) / STREAM_BYTES_PER_SECOND
        return data


class Worker(GeventWorker):  # type: ignore[misc]
    """See the module."""

    @classmethod
    def check_config(cls, cfg: Any, _log: Any) -> None:
        """Stop gunicorn if a setting needs what this worker doesn't support."""
        if cfg.is_ssl:
            raise RuntimeError("TLS is not served here: put a proxy in front, or choose --worker-class gevent")

    def init_process(self) -> None:
        """Patch the standard library, then load the app and run."""
        signal.signal(signal.SIGTERM, super().handle_exit)  # until gunicorn sets it the master's own would swallow one
        super().init_process()

    def init_signals(self) -> None:
        """Install gunicorn's signal handlers, but let SIGHUP reload the models of all workers."""
        super().init_signals()
        signal.signal(signal.SIGHUP, lambda *_: request_reload())

    def load_wsgi(self) -> None:
        """Load the app. A failure ends gunicorn at its start; later it ends this worker alone."""
        try:
            super().load_wsgi()
        except AppImportError as error:
            if self.age <= self.cfg.workers:
                raise
            _log.critical("this worker can't start: %s", error)
            time.sleep(1.0)  # or the master would start them as fast as they end
            sys.exit(1)

    def run(self) -> None:
        """Serve until stopped, then answer accepted requests."""
        # Settings don't change in a worker, and gunicorn looks twenty of them up for each request.
        self.cfg.__dict__.update({name: setting.get() for name, setting in self.cfg.settings.items()})
        self._settings = ServiceSettings.read()
        self._lifecycle = self.wsgi.extensions["lifecycle"]
        self._open = 0  # connections
        self._idle: dict[socket.socket, bool] = {}  # whether it was used before; the longest here first
        self._lifecycle.watch()
        self.wsgi.extensions["reloader"].watch()
        _log.info("worker %d serves", os.getpid())
        super().run()
        # Not by the interpreter's own end: it takes seconds to take torch and a model apart, and a thread that still
        # computes can hang it.
        logging.shutdown()
        os._exit(int(self._lifecycle.failed))

    def notify(self) -> None:
        """Notify the master that this worker is alive; stop if the master is gone."""
        self.tmp.notify()
        if self.ppid != os.getppid():
            self.alive = False

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Start the shutdown."""
        gevent.spawn(self._stop)

    def _stop(self) -> None:
        """Report not ready; then have `run` close the listening sockets, and close idle connections."""
        if self.booted:
            self._lifecycle.drain()
            gevent.sleep(0 if self._lifecycle.failed else self._settings.drain_seconds)
        self.alive = False
        while True:  # each that asks meanwhile is answered and closed: to end it sooner could cut an arriving request
            gevent.sleep(LAST_REQUEST_SECONDS)
            for client in self._idle:
                _end_reading(client)

    def handle(self, listener: Any, client: socket.socket, addr: Any) -> None:
        """Answer the requests of one connection one by one."""
        client.settimeout(WRITE_SECONDS)
        address = client.getsockname()
        parser = RequestParser(self.cfg, client, addr)
        parser.mesg_class = early_errors.Request
        self._open += 1
        try:
            while True:
                request = None
                if not parser.unreader.buf.tell():  # of the next one nothing came with the last one
                    self._wait_for_request(client, was_used=parser.req_count > 0)
                late = Problem(REQUEST_TIMEOUT, f"The request was not there after {REQUEST_SECONDS:g} seconds.")
                with gevent.Timeout(REQUEST_SECONDS, late):
                    request = next(parser)
                    self._read_body(request, parser, client)
                self.handle_request(address, request, client, addr)
        except (StopIteration, OSError):  # the client or HTTP ends the connection, or it was idle for too long
            pass
        except Exception as error:
            self.handle_error(request, client, addr, error)
        finally:
            self._open -= 1
            util.close_graceful(client, max_drain=LINGER_BYTES)

    def handle_request(self, listener_name: Any, req: Any, sock: socket.socket, addr: Any) -> None:
        """Answer one request. Raises StopIteration if the connection ends with it."""
        response, environ = wsgi.create(req, sock, addr, listener_name, self.cfg, Response)
        if not self.alive:
            response.force_close()
        pieces = self.wsgi(environ, response.start_response)
        try:
            for piece in pieces:
                response.write(piece)
            response.close()
        except Exception as error:
            if isinstance(error, OSError) or not response.headers_sent:
                raise
            _log.error("an answer broke off: %s", type(error).__name__)
            raise StopIteration from None
        finally:
            pieces.close()
        if response.should_close():
            raise StopIteration
        if response.status_code == problems.OVERLOADED.status:
            # One that asks again at once, and again, would have the processor refuse.
            gevent.sleep(PAUSE_SECONDS)

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Answer a request that the parser refuses with its problem."""
        with contextlib.suppress(OSError):  # a client that takes nothing gets nothing
            client.sendall(early_errors.response(early_errors.from_exception(exc), getattr(exc, "req", req)))

    def _wait_for_request(self, client: socket.socket, *, was_used: bool) -> None:
        """Wait for the first byte. At the connection limit, close the connection that is idle longest."""
        self._idle[client] = was_used
        try:
            if self._open >= self.worker_connections:
                for oldest in [other for other, used in self._idle.items() if used][:1]:
                    _end_reading(oldest)
            wait_read(client.fileno(), self.cfg.keepalive)
        finally:
            del self._idle[client]

    def _read_body(self, request: Any, parser: RequestParser, client: socket.socket) -> None:
        """Read the whole body, unless it is too long to be buffered: then the app reads it as a stream."""
        reader, limit = request.body.reader, self._settings.max_body_bytes
        received = b""
        if not isinstance(reader, LengthReader) or reader.length <= limit:
            if request._expected_100_continue:
                client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                request._expected_100_continue = False  # or gunicorn would send another
            try:
                received = request.body.read(limit + 1)
            except (NoMoreData, ParseException):
                raise problems.broken_body() from None
            if len(received) <= limit:
                request.body = io.BytesIO(received)
                return
        request.body.buf.write(received)  # back, before the rest
        request.force_close()
        parser.unreader.sock = Stream(client)


def _end_reading(client: socket.socket) -> None:
    """Stop waiting for a request; one that has arrived meanwhile is still read."""
    with contextlib.suppress(OSError):  # broken by the client
        # The system's own: gevent's has the reader fail, and with it a request that has come.
        client._sock.shutdown(socket.SHUT_RD)  # type: ignore[attr-defined]
