"""A gunicorn worker in which no client holds a thread: a request is read whole on the main loop, then answered.

gunicorn's own gthread reads in its threads, without a time limit, and closes connections on its main loop, waiting for
the client: one that drips its request, or doesn't hang up, stops others. Predictions are tasks of the loop here, all
else has threads of its own, so that health is told whatever the model does.
"""

import contextlib
import logging
import math
import os
import re
import selectors
import signal
import socket
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from enum import Enum, auto
from functools import partial
from typing import Any

from gunicorn import http  # type: ignore[import-untyped]
from gunicorn.http import wsgi  # type: ignore[import-untyped]
from gunicorn.workers.base import Worker  # type: ignore[import-untyped]

from service import master, refusals
from service.connection import Connection, Sink, Source
from service.framing import Arrival
from service.lifecycle import Lifecycle
from service.listener import SETTLE_SECONDS, begin_no_more
from service.pool import Pool
from service.problems import OVERLOADED, REQUEST_TIMEOUT, RETRY, Problem
from service.reload import Reloader
from service.settings import ServiceSettings
from service.tasks import Tasks

REQUEST_SECONDS = 20.0  # from a request's first byte to its last
LINGER_SECONDS = 2.0  # for the client to hang up first: it may still be reading its answer
LINGER_BYTES = 1 << 18
MAX_ARRIVING_BYTES = 1 << 26  # of all requests that are not yet whole
STREAM_THREADS = 32  # for bodies larger than is kept, and for clients that take their answer slowly
OTHER_THREADS = 4  # for what asks no model
MAX_OTHER_REQUESTS = 256
PAUSE_SECONDS = 0.5  # in which a client that was just refused isn't read: half of what Retry-After asks it to wait
MAX_ACCEPTED_A_TURN = 32  # the other workers take theirs
BEAT_SECONDS = 1.0  # between two signs of life to gunicorn's master

_log = logging.getLogger(__name__)
_ASKS_THE_MODEL = re.compile(rb"POST [^ ?]*/(predict|infer|explain|trace)[ ?]")
_TOO_SLOW = Problem(REQUEST_TIMEOUT, f"The request was not there after {REQUEST_SECONDS:g} seconds.")


class State(Enum):
    """What is expected of a connection's client."""

    IDLE = auto()  # the first byte of a request
    ARRIVING = auto()  # the rest of it
    CLOSING = auto()  # its end


class BufferingWorker(Worker):  # type: ignore[misc]  # gunicorn has no types
    """See the module. TLS and HTTP/2 are for the proxy in front."""

    @classmethod
    def check_config(cls, cfg: Any, _log: Any) -> None:
        """Stops gunicorn where it is asked for what this worker doesn't do."""
        if cfg.is_ssl:
            raise RuntimeError("TLS is not served here: put a proxy in front, or choose --worker-class gthread")

    def init_signals(self) -> None:
        """As gunicorn's, but SIGHUP, which would end a worker, reloads the models of all."""
        super().init_signals()
        signal.signal(signal.SIGHUP, lambda *_: master.ask_for_reload())

    def run(self) -> None:
        """Serves until it is told to stop, then answers what it has accepted."""
        settings = ServiceSettings.read()
        self._max_body_bytes = settings.max_body_bytes
        self._lifecycle = Lifecycle.of(self.wsgi)
        self._poller = selectors.DefaultSelector()
        self._watched: dict[State, dict[Connection, None]] = {state: {} for state in State}  # the longest there first
        self._seconds = {State.IDLE: self.cfg.keepalive, State.ARRIVING: REQUEST_SECONDS, State.CLOSING: LINGER_SECONDS}
        self._states: dict[Connection, State] = {}
        self._arriving_bytes = 0
        self._paused: dict[Connection, None] = {}  # the longest there first
        self._beat = 0.0
        self._answered: deque[tuple[Connection, Pool | Tasks]] = deque()
        self._streams = Pool("stream", STREAM_THREADS, max_jobs=self.cfg.threads)
        self._tasks = Tasks(self.cfg.threads, Pool("blocking", STREAM_THREADS, max_jobs=self.cfg.threads), self._wake)
        self._other = Pool("other", OTHER_THREADS, max_jobs=MAX_OTHER_REQUESTS)
        self._poller.register(self.PIPE[0], selectors.EVENT_READ, self._take_back)
        for listener in self.sockets:
            listener.setblocking(False)
            self._poller.register(listener, selectors.EVENT_READ, partial(self._accept_some, listener))
        self._lifecycle.watch()
        Reloader.of(self.wsgi).follow()
        master.set_served()
        _log.info("worker %d serves", os.getpid())
        while self.alive and self.ppid == os.getppid():
            self._turn()
        self._stop(0 if self._lifecycle.failed else settings.drain_seconds)

    def _stop(self, drain_seconds: float) -> None:
        """Readiness goes first, then the listeners, then each connection as it is answered."""
        self._lifecycle.drain()
        end = time.monotonic() + self.cfg.graceful_timeout - LINGER_SECONDS
        self._turn_while(lambda: True, time.monotonic() + drain_seconds)
        if master.is_stopping():
            for listener in self.sockets:
                begin_no_more(listener)
            self._turn_while(lambda: True, time.monotonic() + SETTLE_SECONDS)
        for listener in self.sockets:
            self._poller.unregister(listener)
            while self._accept(listener):  # those that the kernel has taken in already
                pass
            listener.close()
        self.alive = False
        self._resume(math.inf)
        for connection in list(self._watched[State.IDLE]):
            self._on_readable(connection)
        for connection in list(self._watched[State.IDLE]):
            self._drop(connection)
        self._turn_while(self._has_work, end)
        self._turn_while(lambda: bool(self._watched[State.CLOSING]), end + LINGER_SECONDS)
        # Not by the interpreter's own end: it takes seconds to take torch and a model apart, and a thread that still
        # computes can hang it.
        logging.shutdown()
        os._exit(int(self._lifecycle.failed))

    def _has_work(self) -> bool:
        return bool(self._watched[State.ARRIVING] or self._tasks.jobs or self._streams.jobs or self._other.jobs)

    def _turn_while(self, wanted: Callable[[], bool], end: float) -> None:
        while wanted() and time.monotonic() < end:
            self._turn(end - time.monotonic())

    def _turn(self, seconds: float = 1.0) -> None:
        if time.monotonic() > self._beat + BEAT_SECONDS:
            self.notify()
            self._beat = time.monotonic()
        for key, _ in self._poller.select(max(0.0, min(1.0, seconds, self._tasks.seconds_to_next(), self._pause()))):
            key.data()
        self._tasks.run()
        now = time.monotonic()
        self._resume(now)
        for state, connections in self._watched.items():
            while connections and now > next(iter(connections)).since + self._seconds[state]:
                self._expire(next(iter(connections)), state)

    def _accept_some(self, listener: socket.socket) -> None:
        for _ in range(MAX_ACCEPTED_A_TURN):
            if not self._accept(listener):
                return

    def _accept(self, listener: socket.socket) -> bool:
        """Whether there was a connection to accept."""
        try:
            sock, peer = listener.accept()
        except BlockingIOError:
            return False
        except OSError:  # gone already, or no more files: those of another make room
            self._make_room()
            return False
        if len(self._states) + len(self._paused) >= self.cfg.worker_connections:
            self._make_room()
        connection = Connection(sock, peer, listener.getsockname(), self._max_body_bytes)
        self._watch(connection, State.IDLE)
        self._on_readable(connection)  # the first request mostly came along
        return True

    def _make_room(self) -> None:
        """Drops the connection that has brought nothing for the longest."""
        if self._paused:
            self._resume(next(iter(self._paused)).since + PAUSE_SECONDS)
        longest = [next(iter(connections)) for connections in self._watched.values() if connections]
        if longest:
            self._drop(longest[0])

    def _pause(self) -> float:
        """Seconds until the next client that was refused is read again."""
        if not self._paused:
            return math.inf
        return next(iter(self._paused)).since + PAUSE_SECONDS - time.monotonic()

    def _resume(self, now: float) -> None:
        while self._paused and now >= next(iter(self._paused)).since + PAUSE_SECONDS:
            connection = next(iter(self._paused))
            del self._paused[connection]
            self._watch(connection, State.IDLE)

    def _watch(self, connection: Connection, state: State) -> None:
        before = self._states.get(connection)
        if state is State.ARRIVING:
            self._arriving_bytes += len(connection.buffer) - connection.counted_bytes
            connection.counted_bytes = len(connection.buffer)
        if before is state:
            return
        if before is None:
            self._poller.register(connection.sock, selectors.EVENT_READ, partial(self._on_readable, connection))
        else:
            del self._watched[before][connection]
        connection.since = time.monotonic()
        self._states[connection] = state
        self._watched[state][connection] = None

    def _unwatch(self, connection: Connection) -> None:
        state = self._states.pop(connection, None)
        if state is not None:
            del self._watched[state][connection]
            self._poller.unregister(connection.sock)
            self._arriving_bytes -= connection.counted_bytes
            connection.counted_bytes = 0

    def _drop(self, connection: Connection) -> None:
        self._unwatch(connection)
        connection.sock.close()

    def _close(self, connection: Connection) -> None:
        """Ends this side of the connection. What the client still sends is dropped until it ends its own."""
        try:
            connection.sock.setblocking(False)
            connection.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(connection)
            return
        if connection.ended:
            self._drop(connection)
        else:
            self._watch(connection, State.CLOSING)

    def _expire(self, connection: Connection, state: State) -> None:
        if state is State.ARRIVING:
            self._refuse(connection, _TOO_SLOW)
        else:
            self._drop(connection)

    def _refuse(self, connection: Connection, problem: Problem, keep: bool = False) -> None:
        with contextlib.suppress(OSError):  # a client that takes nothing gets nothing
            connection.sock.send(refusals.response(problem, connection.buffer, keep))
        if not keep:
            self._close(connection)

    def _on_readable(self, connection: Connection) -> None:
        try:
            if self._states[connection] is not State.CLOSING:
                connection.receive()
                self._look(connection)
                return
            data = connection.sock.recv(LINGER_BYTES)
            connection.drained_bytes += len(data)
            if not data or connection.drained_bytes > LINGER_BYTES:
                self._drop(connection)
        except BlockingIOError:
            return
        except OSError:  # broken by the client
            self._drop(connection)

    def _look(self, connection: Connection) -> None:
        """Passes the request on if it is there, else goes on waiting for it."""
        while connection.buffer:
            arrival = connection.arrival()
            if arrival is Arrival.HEAD_TOO_LARGE:
                self._refuse(connection, refusals.head_too_large(connection.buffer))
                return
            if arrival is Arrival.PART and not connection.ended:
                self._watch(connection, State.ARRIVING)
                if self._arriving_bytes > MAX_ARRIVING_BYTES:
                    self._expire(next(iter(self._watched[State.ARRIVING])), State.ARRIVING)
                return
            pool = self._pool(connection, arrival)
            if not pool.is_full:
                self._unwatch(connection)
                pool.submit(partial(self._answer, connection, arrival, *connection.take(arrival), pool))
                return
            detail = f"{pool.jobs} requests are being answered; the limit is {pool.max_jobs}."
            keep = arrival is Arrival.WHOLE and self.alive and refusals.keeps_alive(connection.buffer)
            self._refuse(connection, Problem(OVERLOADED, detail, headers=RETRY), keep)
            if not keep:
                return
            connection.take(arrival)
            if not connection.buffer and not connection.ended:
                # One that asks again at once, and again, would have the processor refuse instead of answer.
                self._unwatch(connection)
                connection.since = time.monotonic()
                self._paused[connection] = None
                return
        if connection.ended:
            self._drop(connection)
        else:
            self._watch(connection, State.IDLE)

    def _pool(self, connection: Connection, arrival: Arrival) -> Pool | Tasks:
        if not _ASKS_THE_MODEL.match(connection.buffer):
            return self._other
        return self._tasks if arrival is Arrival.WHOLE else self._streams

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):  # full: the loop is awake
            os.write(self.PIPE[1], b"\0")

    def _take_back(self) -> None:
        """What the threads have answered, and the signals that woke this loop."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.PIPE[0], 1 << 12)
        while self._answered:
            self._go_on(*self._answered.popleft())

    def _go_on(self, connection: Connection, pool: Pool | Tasks) -> None:
        pool.jobs -= 1
        if not connection.keep:
            self._close(connection)
            return
        connection.sock.setblocking(False)
        try:
            self._look(connection)
        except OSError:
            self._drop(connection)

    def _answer(self, connection: Connection, arrival: Arrival, source: Source, sink: Sink, pool: Pool | Tasks) -> None:
        """Answers one request. Runs as a task, or in a thread of the pool."""
        connection.keep = False
        try:
            connection.keep = self._respond(connection, arrival, source, sink)
        except (OSError, StopIteration):  # the client is gone, or never sent a whole head
            pass
        except Exception as error:
            problem = refusals.of(error)
            _log.warning("a request from %s is refused: %s", connection.peer, type(error).__name__)
            with contextlib.suppress(OSError):
                if not sink.written:
                    connection.sock.sendall(refusals.response(problem, source.head, keep_alive=False))
        finally:
            if pool is self._tasks:
                self._go_on(connection, pool)
            else:
                self._answered.append((connection, pool))
                self._wake()

    def _respond(self, connection: Connection, arrival: Arrival, source: Source, sink: Sink) -> bool:
        """Whether the connection stays open."""
        started = datetime.now()
        request = next(http.get_parser(self.cfg, source, connection.peer))
        if arrival is not Arrival.WHOLE or connection.ended or not self.alive:
            request.force_close()
        response, environ = wsgi.create(request, sink, connection.peer, connection.server, self.cfg)
        environ["wsgi.multithread"] = True
        pieces = self.wsgi(environ, response.start_response)
        try:
            for piece in pieces:
                response.write(piece)
            response.close()
            sink.flush()
        finally:
            self.log.access(response, request, environ, datetime.now() - started)
            if hasattr(pieces, "close"):
                pieces.close()
        return not response.should_close()
