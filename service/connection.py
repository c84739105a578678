"""One client's connection: what came and isn't answered yet, and what goes back."""

import select
import socket
import time
from functools import partial
from typing import Any

from service import tasks
from service.framing import Arrival, Framing

RECEIVE_BYTES = 1 << 16
LINGER_BYTES = 1 << 18  # of what a client still sends after its last answer; who sends more is cut off
WRITE_SECONDS = 30.0  # for a client to take an answer
STREAM_GRACE_SECONDS = 10.0
STREAM_BYTES_PER_SECOND = 1024  # a body too large to be kept whole must come at least this fast, after the grace
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Source:
    """The bytes of one request as the parser takes them: those that are here, then, for a stream, the socket's."""

    def __init__(self, received: bytes, stream: socket.socket | None) -> None:
        self.head = received  # and what came with it
        self._received = received
        self._stream = stream
        self._started = time.monotonic()
        self._streamed_bytes = 0

    def recv(self, size: int) -> bytes:
        """At most so many bytes, none at the end. Raises TimeoutError for a client slower than it may be."""
        if self._received:
            given, self._received = self._received[:size], self._received[size:]
            return given
        if self._stream is None:
            return b""
        allowed_seconds = STREAM_GRACE_SECONDS + self._streamed_bytes / STREAM_BYTES_PER_SECOND
        left = self._started + allowed_seconds - time.monotonic()
        if left <= 0:
            raise TimeoutError("the client sends too slowly")
        self._stream.settimeout(min(left, STREAM_GRACE_SECONDS))
        given = self._stream.recv(size)
        self._streamed_bytes += len(given)
        return given


class Sink:
    """Where one response is written: its head goes out with the first piece of its body, in one packet.

    With `holds_back` nobody waits for a client that takes it slowly: what it has not taken is `unsent`.
    """

    def __init__(self, sock: socket.socket, may_continue: bool) -> None:
        self.written = False
        self.holds_back = False
        self.unsent = b""
        self._sock = sock
        self._may_continue = may_continue
        self._head: bytes | None = b""

    def sendall(self, data: bytes) -> None:
        """Sends it, unless it is the head, which waits for what follows."""
        if self._head == b"":
            self._head = data
            return
        self._write((self._head or b"") + data)
        self._head = None

    def send(self, data: bytes) -> None:
        """Sends an interim response, if the client has not had it."""
        if self._may_continue:
            self._write(data)

    def flush(self) -> None:
        """Sends a head that nothing followed."""
        if self._head:
            self._write(self._head)
            self._head = None

    def send_unsent(self) -> None:
        """Sends what was held back, waiting for the client."""
        unsent, self.unsent = self.unsent, b""
        self._wait_and_send(unsent)

    def _write(self, data: bytes) -> None:
        self.written = True
        if self.unsent:
            self.unsent += data
            return
        try:
            sent = self._sock.send(data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            if self.holds_back:
                self.unsent = data[sent:]
            else:
                tasks.offload(partial(self._wait_and_send, data[sent:]))

    def _wait_and_send(self, data: bytes) -> None:
        self._sock.settimeout(WRITE_SECONDS)
        try:
            self._sock.sendall(data)
        finally:
            self._sock.setblocking(False)


class Connection:
    """A client's connection. Its methods never wait for the client."""

    def __init__(self, sock: socket.socket, peer: Any, server: Any, max_body_bytes: int) -> None:
        self.sock = sock
        self.peer = peer
        self.server = server
        self.buffer = bytearray()
        self.ended = False  # the client sends no more
        self.keep = False  # after the answer that is being written
        self.since = 0.0  # in the state it is in
        self.counted_bytes = 0  # of the buffer, in the sum of what is arriving
        self._drained_bytes = 0  # since it is being closed
        self._max_body_bytes = max_body_bytes
        self._framing = Framing(max_body_bytes)
        sock.setblocking(False)

    def receive(self) -> None:
        """Takes what is there. Raises OSError for a broken connection."""
        try:
            data = self.sock.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return
        self.buffer += data
        self.ended = not data

    def is_gone(self) -> bool:
        """Whether the client has ended its side, though what it sent before may be unread."""
        ends = select.poll()
        ends.register(self.sock, select.POLLRDHUP)
        return bool(ends.poll(0))

    def arrival(self) -> Arrival:
        """How much of the next request is there. A client that waits for leave to send its body gets it."""
        arrival = self._framing.look(self.buffer)
        if arrival is Arrival.PART and self._framing.expects_continue:
            self._framing.expects_continue = False
            self.sock.send(CONTINUE)
        return arrival

    def take(self, arrival: Arrival) -> tuple[Source, Sink]:
        """The next request, out of the buffer, and where its response goes."""
        streams = arrival is Arrival.STREAM and not self.ended
        end = self._framing.end if arrival is Arrival.WHOLE else len(self.buffer)
        source = Source(bytes(self.buffer[:end]), self.sock if streams else None)
        sink = Sink(self.sock, may_continue=streams and self._framing.expects_continue)
        del self.buffer[:end]
        self._framing = Framing(self._max_body_bytes)
        return source, sink

    def half_close(self) -> bool:
        """Whether the client has yet to end its side. This one is ended."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:  # broken by the client
            return False
        return not self.ended

    def drain(self) -> bool:
        """Whether the client may go on, what it sends being dropped: until it ends its side, or it was too much.

        Raises BlockingIOError if nothing is there, another OSError for a broken connection.
        """
        data = self.sock.recv(LINGER_BYTES)
        self._drained_bytes += len(data)
        return len(data) > 0 and self._drained_bytes <= LINGER_BYTES
