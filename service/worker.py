"""gunicorn's gevent worker with time limits for requests, and an end that answers what was accepted.

A connection is a greenlet: one whose client is slow costs nothing but its place. TLS and HTTP/2 are for the proxy in
front.
"""

import contextlib
import io
import logging
import os
import signal
import socket
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from itertools import islice
from typing import Any

import gevent
from gevent.event import Event
from gevent.pool import Pool
from gevent.server import StreamServer
from gunicorn import http  # type: ignore[import-untyped]
from gunicorn.http import wsgi  # type: ignore[import-untyped]
from gunicorn.http.body import LengthReader  # type: ignore[import-untyped]
from gunicorn.http.errors import NoMoreData, ParseException  # type: ignore[import-untyped]
from gunicorn.http.parser import RequestParser  # type: ignore[import-untyped]
from gunicorn.workers.ggevent import GeventWorker  # type: ignore[import-untyped]

from service import master
from service.http import early_errors, problems
from service.http.problems import REQUEST_TIMEOUT, Problem
from service.inference.lifecycle import Lifecycle
from service.inference.reload import Reloader
from service.settings import ServiceSettings

REQUEST_SECONDS = 20.0  # from a request's first byte to its last
STREAM_GRACE_SECONDS = 10.0
STREAM_BYTES_PER_SECOND = 1024  # a body too long to be kept must come at least this fast, after the grace
WRITE_SECONDS = 30.0  # for a client to take a piece of its answer
LINGER_SECONDS = 2.0  # for the client to hang up first: it may still be reading its answer
LINGER_BYTES = 1 << 18  # of what a client still sends after its last answer; one that sends more is cut off
PAUSE_SECONDS = 1.0  # in which a client that was just refused isn't read: as long as Retry-After asks it to wait
BEAT_SECONDS = 1.0  # between two signs of life to gunicorn's master
LOOK_EVERY_SECONDS = 0.1  # at the end, whether all is answered
NEW_SECONDS = 1.0  # at the end, for the first byte on a connection that was accepted just before
MAX_HEAD_BYTES = 1 << 15
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_log = logging.getLogger(__name__)


class Request(http.Request):  # type: ignore[misc]  # gunicorn has no types
    """A request whose head is bounded as a whole. A parser's error has it as `req`, as far as it was read."""

    def __init__(self, *arguments: Any) -> None:
        try:
            super().__init__(*arguments)
        except ParseException as error:
            error.req = self
            raise

    def parse(self, unreader: Any) -> Any:
        """Read the head."""
        self.max_buffer_headers = MAX_HEAD_BYTES
        unread = super().parse(unreader)
        if self.version >= (1, 1) and "HOST" not in dict(self.headers):
            raise early_errors.MissingHost
        return unread


class Parser(RequestParser):  # type: ignore[misc]
    """gunicorn's parser."""

    mesg_class = Request


class Response(wsgi.Response):  # type: ignore[misc]
    """A response whose head goes out with the first piece of its body, in one packet."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._head = b""

    def send_headers(self) -> None:
        """Make the head, which waits for what follows."""
        if not self.headers_sent:  # type: ignore[has-type]
            lines = [*self.default_headers(), *(f"{name}: {value}\r\n" for name, value in self.headers), "\r\n"]
            self._head = "".join(lines).encode("latin-1")
            self.headers_sent = True

    def close(self) -> None:
        """Send what ends the response."""
        self.send_headers()
        self._send(b"0\r\n\r\n" if self.chunked else b"")

    def _emit_body(self, data: bytes) -> None:
        self._send(b"%X\r\n%b\r\n" % (len(data), data) if self.chunked else data)

    def _send(self, data: bytes) -> None:
        if self._head or data:
            self.sock.sendall(self._head + data)
            self._head = b""


class Source:
    """What a client sends, each part of it within its time. Raises TimeoutError past that."""

    def __init__(self, client: socket.socket, waiting: "Waiting", idle_seconds: float) -> None:
        self.is_arriving = False  # a request, of which a first byte is here
        self._client = client
        self._waiting = waiting
        self._idle_seconds = idle_seconds
        self._deadline = 0.0
        self._is_stream = False

    def expect_request(self, received_bytes: int, *, was_used: bool) -> None:
        """Begin to wait for the next request, of which so much has come with the last one."""
        self.is_arriving = received_bytes > 0
        self._was_used = was_used
        self._deadline = time.monotonic() + (REQUEST_SECONDS if self.is_arriving else self._idle_seconds)

    def finish_request(self) -> None:
        """Note that the request is whole."""
        self.is_arriving = False
        self._client.settimeout(WRITE_SECONDS)

    def stream(self) -> None:
        """Note that the rest of the body is read as it comes."""
        self._is_stream = True
        self._deadline = time.monotonic() + STREAM_GRACE_SECONDS

    def recv(self, size: int) -> bytes:
        """Return at most so many bytes, none at the end."""
        self._client.settimeout(max(1e-3, self._deadline - time.monotonic()))
        if self._is_stream:
            try:
                data = self._client.recv(size)
            finally:
                self._client.settimeout(WRITE_SECONDS)
            self._deadline += len(data) / STREAM_BYTES_PER_SECOND
        elif self.is_arriving:
            data = self._client.recv(size)
        else:
            self._waiting.add(self._client, was_used=self._was_used)
            try:
                data = self._client.recv(size)
            finally:
                self._waiting.remove(self._client)
            self.is_arriving = len(data) > 0
            self._deadline = time.monotonic() + REQUEST_SECONDS
        return data


class Waiting:
    """The connections whose clients have sent nothing of a request yet, and whether one was answered before."""

    def __init__(self, connections: Pool) -> None:
        self._connections = connections
        self._was_used: dict[socket.socket, bool] = {}  # the longest here first
        self._keeps_used = True

    def add(self, client: socket.socket, *, was_used: bool) -> None:
        """Add the connection. Where there is no room for another one, that which was here the longest ends."""
        self._was_used[client] = was_used
        if was_used and not self._keeps_used:
            _end_reading(client)
        elif self._connections.full():
            self.end(was_used=True, most=1)

    def remove(self, client: socket.socket) -> None:
        """Take the connection out."""
        del self._was_used[client]

    def end(self, *, was_used: bool, most: int | None = None) -> None:
        """End those that were used, or those that were not. A request that has come meanwhile is read all the same."""
        found = (client for client, used in self._was_used.items() if used is was_used)
        for client in islice(found, most):
            _end_reading(client)

    def keep_no_longer(self) -> None:
        """End those that were used, now and as soon as they are answered."""
        self._keeps_used = False
        self.end(was_used=True)


def _end_reading(client: socket.socket) -> None:
    with contextlib.suppress(OSError):  # broken by the client
        # The system's own: gevent's has the reader fail, and with it a request that has come.
        client._sock.shutdown(socket.SHUT_RD)  # type: ignore[attr-defined]


class Worker(GeventWorker):  # type: ignore[misc]
    """See the module."""

    @classmethod
    def check_config(cls, cfg: Any, _log: Any) -> None:
        """Stop gunicorn where it is asked for what this worker doesn't do."""
        if cfg.is_ssl:
            raise RuntimeError("TLS is not served here: put a proxy in front, or choose --worker-class gevent")

    def init_signals(self) -> None:
        """As gunicorn's, but SIGHUP, which would end a worker, reloads the models of all."""
        super().init_signals()
        signal.signal(signal.SIGHUP, lambda *_: master.ask_for_reload())

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Begin the end, which `run` makes."""
        self._stopping.set()

    def notify(self) -> None:
        """Give a sign of life. Where gunicorn's master is no more, begin the end."""
        self.tmp.notify()
        if self.ppid != os.getppid():
            self._stopping.set()

    def run(self) -> None:
        """Serve until told to stop, then answer what was accepted."""
        # Settings don't change in a worker, and gunicorn looks twenty of them up for each request.
        self.cfg.__dict__.update({name: setting.get() for name, setting in self.cfg.settings.items()})
        settings = ServiceSettings.read()
        self._max_body_bytes = settings.max_body_bytes
        self._connections = Pool(self.worker_connections)
        self._waiting = Waiting(self._connections)
        reloader: Reloader = self.wsgi.extensions["reloader"]
        lifecycle: Lifecycle = self.wsgi.extensions["lifecycle"]
        servers = [self._serve(listener) for listener in self.sockets]
        lifecycle.watch()
        reloader.watch()
        master.set_served()
        _log.info("worker %d serves", os.getpid())
        while self.alive and not self._stopping.is_set():
            self.notify()
            self._stopping.wait(BEAT_SECONDS)
        lifecycle.drain()
        if not lifecycle.failed:
            self._beat(time.monotonic() + settings.drain_seconds, lambda: True)
        self._stop(servers)
        # Not by the interpreter's own end: it takes seconds to take torch and a model apart, and a thread that still
        # computes can hang it.
        logging.shutdown()
        os._exit(int(lifecycle.failed))

    def init_process(self) -> None:
        """Patch the standard library, then load the app and run."""
        self._stopping = Event()
        signal.signal(signal.SIGTERM, self.handle_exit)  # until gunicorn sets it the master's own would swallow one
        super().init_process()

    def _serve(self, listener: socket.socket) -> StreamServer:
        listener.setblocking(False)
        server = StreamServer(listener, handle=partial(self.handle, listener.getsockname()), spawn=self._connections)
        if self.cfg.workers > 1:
            server.max_accept = 1  # the other workers take theirs
        server.start()
        return server

    def _stop(self, servers: list[StreamServer]) -> None:
        end = time.monotonic() + self.cfg.graceful_timeout - LINGER_SECONDS
        for server in servers:
            server.stop_accepting()
            while not self._connections.full() and (accepted := server.do_read()):  # in the kernel's queue
                server.do_handle(*accepted)
            server.close()
        self.alive = False
        # Each that asks meanwhile is answered and closed: to end it sooner could cut a request that is arriving.
        self._beat(min(end, time.monotonic() + NEW_SECONDS), self._connections.__len__)
        self._waiting.keep_no_longer()
        self._waiting.end(was_used=False)
        self._beat(end, self._connections.__len__)

    def _beat(self, end: float, condition: Callable[[], object]) -> None:
        """Serve while the condition holds, and until then at most."""
        while condition() and (left := end - time.monotonic()) > 0:
            self.notify()
            gevent.sleep(min(left, LOOK_EVERY_SECONDS))

    def handle(self, address: Any, client: socket.socket, addr: Any) -> None:
        """Answer the requests of one connection to this address, one after the other."""
        source = Source(client, self._waiting, self.cfg.keepalive)
        parser = Parser(self.cfg, source, addr)
        request = None
        try:
            while True:
                source.expect_request(parser.unreader.buf.tell(), was_used=request is not None)
                request = next(parser)
                self._read_body(request, source, client)
                source.finish_request()
                self.handle_request(address, request, client, addr)
        except StopIteration:  # the client has ended, or HTTP says that the connection does
            self._linger(client)
        except OSError as error:  # else the client is gone, takes nothing, or never sent a whole head
            if isinstance(error, TimeoutError) and source.is_arriving:
                detail = f"The request was not there after {REQUEST_SECONDS:g} seconds."
                self.handle_error(request, client, addr, Problem(REQUEST_TIMEOUT, detail))
        except Exception as error:
            self.handle_error(getattr(error, "req", request), client, addr, error)
        finally:
            client.close()

    def handle_request(self, listener_name: Any, req: Any, sock: socket.socket, addr: Any) -> None:
        """Answer one request. Raises StopIteration where the connection ends with it."""
        response, environ = wsgi.create(req, sock, addr, listener_name, self.cfg, Response)
        environ["wsgi.multithread"] = True
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
        if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            # One that asks again at once, and again, would have the processor refuse.
            self._waiting.add(sock, was_used=True)
            gevent.sleep(PAUSE_SECONDS)
            self._waiting.remove(sock)

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Answer with the problem of what the parser refuses."""
        _log.warning("a request from %s is refused: %s", addr, type(exc).__name__)
        with contextlib.suppress(OSError):  # a client that takes nothing gets nothing
            client.settimeout(WRITE_SECONDS)
            client.sendall(early_errors.response(early_errors.from_exception(exc), req))
            self._linger(client)

    def _read_body(self, request: Any, source: Source, client: socket.socket) -> None:
        """Read the whole body, unless it is too long to be kept: then the app reads it as it comes."""
        reader = request.body.reader
        if isinstance(reader, LengthReader) and reader.length > self._max_body_bytes:
            received = b""
        else:
            if request._expected_100_continue:
                client.sendall(CONTINUE)
                request._expected_100_continue = False  # or gunicorn would send another
            try:
                received = request.body.read(self._max_body_bytes + 1)
            except (NoMoreData, ParseException):
                raise problems.broken_body() from None
            if len(received) <= self._max_body_bytes:
                request.body = io.BytesIO(received)
                return
        request.body.buf.write(received)  # back, before the rest
        request.force_close()
        source.stream()

    def _linger(self, client: socket.socket) -> None:
        """End this side of the connection, and drop what the client still sends until it ends its own."""
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_WR)
            end, left = time.monotonic() + LINGER_SECONDS, LINGER_BYTES
            while left > 0:
                client.settimeout(max(1e-3, end - time.monotonic()))
                data = client.recv(left)
                if not data:
                    break
                left -= len(data)
