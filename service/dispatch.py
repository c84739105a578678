"""Who answers a request: a task of the main loop if it asks the model, a thread if it may wait for its client.

Predictions are tasks, all else has threads of its own, so that health is told whatever the model does.
"""

import contextlib
import logging
import re
from collections import deque
from collections.abc import Callable
from datetime import datetime
from functools import partial
from urllib.parse import unquote_to_bytes

from gunicorn import http  # type: ignore[import-untyped]
from gunicorn.http import wsgi  # type: ignore[import-untyped]
from gunicorn.workers.base import Worker  # type: ignore[import-untyped]

from service import refusals
from service.connection import Connection, Sink, Source
from service.framing import Arrival
from service.pool import Pool
from service.response import Response
from service.tasks import Tasks

STREAM_THREADS = 32  # for bodies larger than is kept, and for clients that take their answer slowly
OTHER_THREADS = 4  # for what asks no model
MAX_OTHER_REQUESTS = 256

_log = logging.getLogger(__name__)
_POSTED = re.compile(rb"POST ([^ ?#]*)[ ?#]")
_ASK_THE_MODEL = (b"/predict", b"/infer", b"/explain", b"/trace")


class Dispatcher:
    """Has requests answered by the worker's app, and gives each connection back to the main loop's thread."""

    def __init__(self, worker: Worker, wake: Callable[[], None], give_back: Callable[[Connection], None]) -> None:
        """`wake` has the main loop call `take_back`, and may be called from any thread."""
        self._worker = worker
        self._wake = wake
        self._give_back = give_back
        self._answered: deque[tuple[Connection, Sink, Pool | Tasks]] = deque()
        threads: int = worker.cfg.threads
        self._streams = Pool("stream", STREAM_THREADS, max_jobs=threads)
        self._tasks = Tasks(threads, Pool("blocking", STREAM_THREADS, max_jobs=threads), wake)
        self._other = Pool("other", OTHER_THREADS, max_jobs=MAX_OTHER_REQUESTS)

    @property
    def jobs(self) -> int:
        """How many requests are being answered."""
        return self._tasks.jobs + self._streams.jobs + self._other.jobs

    def pool(self, connection: Connection, arrival: Arrival) -> Pool | Tasks:
        """Who is to answer the request that has come so far."""
        if arrival is Arrival.STREAM:
            return self._streams
        posted = _POSTED.match(connection.buffer)
        if posted is None or not unquote_to_bytes(posted[1]).endswith(_ASK_THE_MODEL):
            return self._other
        return self._tasks if arrival is Arrival.WHOLE else self._streams

    def submit(self, connection: Connection, arrival: Arrival, pool: Pool | Tasks) -> None:
        """Takes the request out of the connection, which is the pool's until it is given back."""
        source, sink = connection.take(arrival)
        sink.holds_back = pool is self._other  # its few threads never wait for a client
        pool.submit(partial(self._answer, connection, arrival, source, sink, pool))

    def seconds_to_next(self) -> float:
        """How long no task can go on, unless something happens."""
        return self._tasks.seconds_to_next()

    def run(self) -> None:
        """Lets every task go on that can."""
        self._tasks.run()

    def take_back(self) -> None:
        """Gives back what the threads have answered, or has another write what a client was slow to take."""
        while self._answered:
            connection, sink, pool = self._answered.popleft()
            if sink.unsent:
                pool.jobs -= 1
                self._streams.submit(partial(self._write_unsent, connection, sink))
            else:
                self._end(connection, pool)

    def _end(self, connection: Connection, pool: Pool | Tasks) -> None:
        pool.jobs -= 1
        self._give_back(connection)

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
                self._end(connection, pool)
            else:
                with contextlib.suppress(OSError):  # gone
                    connection.sock.setblocking(False)  # a stream's has waited
                self._answered.append((connection, sink, pool))
                self._wake()

    def _write_unsent(self, connection: Connection, sink: Sink) -> None:
        try:
            sink.send_unsent()
        except OSError:  # the client is gone, or takes nothing
            connection.keep = False
        self._answered.append((connection, sink, self._streams))
        self._wake()

    def _respond(self, connection: Connection, arrival: Arrival, source: Source, sink: Sink) -> bool:
        """Whether the connection stays open."""
        worker, started = self._worker, datetime.now()
        request = next(http.get_parser(worker.cfg, source, connection.peer))
        if arrival is not Arrival.WHOLE or connection.ended or not worker.alive:
            request.force_close()
        response, environ = wsgi.create(request, sink, connection.peer, connection.server, worker.cfg, Response)
        environ["wsgi.multithread"] = True
        pieces = worker.wsgi(environ, response.start_response)
        try:
            for piece in pieces:
                response.write(piece)
            response.close()
            sink.flush()
        finally:
            worker.log.access(response, request, environ, datetime.now() - started)
            if hasattr(pieces, "close"):
                pieces.close()
        return not response.should_close()
