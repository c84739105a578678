"""A gunicorn worker in which no client holds a thread: a request is read whole on the main loop, then answered.

gunicorn's own gthread reads in its threads, without a time limit, and closes connections on its main loop, waiting for
the client: one that drips its request, or doesn't hang up, stops others.
"""

import contextlib
import logging
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from gunicorn.workers.base import Worker  # type: ignore[import-untyped]

from service import master, refusals
from service.connection import Connection
from service.connections import Connections, State
from service.dispatch import Dispatcher
from service.framing import Arrival
from service.lifecycle import Lifecycle
from service.listener import SETTLE_SECONDS, begin_no_more
from service.problems import OVERLOADED, REQUEST_TIMEOUT, RETRY, Problem
from service.reload import Reloader
from service.settings import ServiceSettings

REQUEST_SECONDS = 20.0  # from a request's first byte to its last
LINGER_SECONDS = 2.0  # for the client to hang up first: it may still be reading its answer
MAX_ARRIVING_BYTES = 1 << 26  # of all requests that are not yet whole
MAX_ACCEPTED_A_TURN = 32  # the other workers take theirs
BEAT_SECONDS = 1.0  # between two signs of life to gunicorn's master

_log = logging.getLogger(__name__)
_TOO_SLOW = Problem(REQUEST_TIMEOUT, f"The request was not there after {REQUEST_SECONDS:g} seconds.")


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
        # Settings don't change in a worker, and gunicorn looks twenty of them up for each request.
        self.cfg.__dict__.update({name: setting.get() for name, setting in self.cfg.settings.items()})
        settings = ServiceSettings.read()
        self._max_body_bytes = settings.max_body_bytes
        self._lifecycle = Lifecycle.of(self.wsgi)
        self._poller = selectors.DefaultSelector()
        seconds = {State.IDLE: self.cfg.keepalive, State.ARRIVING: REQUEST_SECONDS, State.CLOSING: LINGER_SECONDS}
        self._connections = Connections(self._poller, seconds, self._on_readable)
        self._dispatcher = Dispatcher(self, self._wake, self._go_on)
        self._beat = 0.0
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
        self._connections.resume_all(time.monotonic())
        for connection in list(self._connections.of(State.IDLE)):
            self._on_readable(connection)
        for connection in list(self._connections.of(State.IDLE)):
            self._connections.drop(connection)
        self._turn_while(lambda: bool(self._connections.of(State.ARRIVING) or self._dispatcher.jobs), end)
        self._turn_while(lambda: bool(self._connections.of(State.CLOSING)), end + LINGER_SECONDS)
        # Not by the interpreter's own end: it takes seconds to take torch and a model apart, and a thread that still
        # computes can hang it.
        logging.shutdown()
        os._exit(int(self._lifecycle.failed))

    def _turn_while(self, wanted: Callable[[], bool], end: float) -> None:
        while wanted() and time.monotonic() < end:
            self._turn(end - time.monotonic())

    def _turn(self, seconds: float = 1.0) -> None:
        now = time.monotonic()
        if now > self._beat + BEAT_SECONDS:
            self.notify()
            self._beat = now
        seconds = min(1.0, seconds, self._dispatcher.seconds_to_next(), self._connections.seconds_to_next(now))
        for key, _ in self._poller.select(max(0.0, seconds)):
            key.data()
        self._dispatcher.run()
        now = time.monotonic()
        self._connections.resume(now)
        while late := self._connections.next_expired(now):
            self._expire(late)

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
            self._connections.make_room(time.monotonic())
            return False
        now = time.monotonic()
        if len(self._connections) >= self.cfg.worker_connections:
            self._connections.make_room(now)
        connection = Connection(sock, peer, listener.getsockname(), self._max_body_bytes)
        self._connections.watch(connection, State.IDLE, now)
        self._on_readable(connection)  # the first request mostly came along
        return True

    def _close(self, connection: Connection) -> None:
        """Ends this side of the connection. What the client still sends is dropped until it ends its own."""
        if connection.half_close():
            self._connections.watch(connection, State.CLOSING, time.monotonic())
        else:
            self._connections.drop(connection)

    def _expire(self, connection: Connection) -> None:
        if self._connections.state(connection) is State.ARRIVING:
            self._refuse(connection, _TOO_SLOW)
        else:
            self._connections.drop(connection)

    def _refuse(self, connection: Connection, problem: Problem, keep: bool = False) -> None:
        with contextlib.suppress(OSError):  # a client that takes nothing gets nothing
            connection.sock.send(refusals.response(problem, connection.buffer, keep))
        if not keep:
            self._close(connection)

    def _on_readable(self, connection: Connection) -> None:
        try:
            if self._connections.state(connection) is not State.CLOSING:
                connection.receive()
                self._look(connection)
            elif not connection.drain():
                self._connections.drop(connection)
        except BlockingIOError:
            return
        except OSError:  # broken by the client
            self._connections.drop(connection)

    def _look(self, connection: Connection) -> None:
        """Passes the request on if it is there, else goes on waiting for it."""
        while connection.buffer:
            arrival = connection.arrival()
            if arrival is Arrival.HEAD_TOO_LARGE:
                self._refuse(connection, refusals.head_too_large(connection.buffer))
                return
            if arrival is Arrival.PART and not connection.ended:
                self._connections.watch(connection, State.ARRIVING, time.monotonic())
                if self._connections.arriving_bytes > MAX_ARRIVING_BYTES:
                    self._expire(next(iter(self._connections.of(State.ARRIVING))))
                return
            pool = self._dispatcher.pool(connection, arrival)
            if not pool.is_full:
                self._connections.unwatch(connection)
                self._dispatcher.submit(connection, arrival, pool)
                return
            detail = f"{pool.jobs} requests are being answered; the limit is {pool.max_jobs}."
            keep = arrival is Arrival.WHOLE and self.alive and refusals.keeps_alive(connection.buffer)
            self._refuse(connection, Problem(OVERLOADED, detail, headers=RETRY), keep)
            if not keep:
                return
            connection.take(arrival)
            if not connection.buffer:
                if not connection.is_gone():
                    self._connections.pause(connection, time.monotonic())
                    return
                connection.receive()
        if connection.ended:
            self._connections.drop(connection)
        else:
            self._connections.watch(connection, State.IDLE, time.monotonic())

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):  # full: the loop is awake
            os.write(self.PIPE[1], b"\0")

    def _take_back(self) -> None:
        """What the threads have answered, and the signals that woke this loop."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.PIPE[0], 1 << 12)
        self._dispatcher.take_back()

    def _go_on(self, connection: Connection) -> None:
        if not connection.keep:
            self._close(connection)
            return
        try:
            self._look(connection)
        except OSError:
            self._connections.drop(connection)
