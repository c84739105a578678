"""Where in a client's bytes a request ends, so that no thread has to wait for the rest of it.

This only waits. Whether the bytes are a request, the parser says: what it would refuse is passed on to it at once.
"""

import re
from enum import Enum, auto

MAX_HEAD_BYTES = 1 << 15
MAX_CHUNK_LINE_BYTES = 1 << 10

_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE)
_TRANSFER_ENCODING = re.compile(rb"\r\ntransfer-encoding[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect[ \t]*:[ \t]*100-continue", re.IGNORECASE)
_BYTES = re.compile(rb"[0-9]{1,15}[ \t]*")
_CHUNK_BYTES = re.compile(rb"[0-9A-Fa-f]{1,12}")


class Arrival(Enum):
    """How much of a request is there."""

    PART = auto()
    WHOLE = auto()
    STREAM = auto()  # its body is larger than is kept, or its end can't be told: for the parser as it comes
    HEAD_TOO_LARGE = auto()


class Framing:
    """Looks for the end of the request that a buffer starts with, at every byte once."""

    def __init__(self, max_body_bytes: int) -> None:
        self.end = 0  # of a request that is there as a whole
        self.expects_continue = False
        self._max_body_bytes = max_body_bytes
        self._searched = 0
        self._head_end = 0
        self._next_chunk: int | None = None
        self._body_bytes = 0

    def look(self, buffer: bytearray) -> Arrival:
        """How much of the request is there by now."""
        if not self._head_end:
            head_end = buffer.find(b"\r\n\r\n", max(0, self._searched - 3), MAX_HEAD_BYTES)
            self._searched = len(buffer)
            if head_end < 0:
                return Arrival.PART if len(buffer) < MAX_HEAD_BYTES else Arrival.HEAD_TOO_LARGE
            self._head_end = head_end + 4
            if not self._read_head(buffer, head_end + 2):
                return Arrival.STREAM
        if self._next_chunk is not None:
            return self._read_chunks(buffer, self._next_chunk)
        return Arrival.WHOLE if len(buffer) >= self.end else Arrival.PART

    def _read_head(self, buffer: bytearray, end: int) -> bool:
        """Whether the body can be kept and its end be told."""
        self.end = self._head_end
        self.expects_continue = _EXPECT.search(buffer, 0, end) is not None
        lengths: list[bytes] = _CONTENT_LENGTH.findall(buffer, 0, end)
        encodings: list[bytes] = _TRANSFER_ENCODING.findall(buffer, 0, end)
        if encodings:
            self._next_chunk = self._head_end
            return not lengths and [encoding.strip().lower() for encoding in encodings] == [b"chunked"]
        if not lengths:
            return True
        if len(lengths) > 1 or not _BYTES.fullmatch(lengths[0]):
            return False
        self.end += int(lengths[0])
        return self.end - self._head_end <= self._max_body_bytes

    def _read_chunks(self, buffer: bytearray, start: int) -> Arrival:
        while True:
            self._next_chunk = start
            line_end = buffer.find(b"\r\n", start, start + MAX_CHUNK_LINE_BYTES)
            if line_end < 0:
                return Arrival.PART if len(buffer) - start < MAX_CHUNK_LINE_BYTES else Arrival.STREAM
            size = _CHUNK_BYTES.match(buffer, start, line_end)
            if size is None:
                return Arrival.STREAM
            chunk_bytes = int(size[0], 16)
            if not chunk_bytes:
                return self._read_trailers(buffer, line_end)
            after = line_end + 2 + chunk_bytes
            # The lines between chunks count too: a byte a chunk makes six of one.
            wire_bytes, body_bytes = after - self._head_end, self._body_bytes + chunk_bytes
            if body_bytes > self._max_body_bytes or wire_bytes > 2 * self._max_body_bytes:
                return Arrival.STREAM
            if len(buffer) < after + 2:
                return Arrival.PART
            if buffer[after : after + 2] != b"\r\n":
                return Arrival.STREAM
            self._body_bytes = body_bytes
            start = after + 2

    def _read_trailers(self, buffer: bytearray, line_end: int) -> Arrival:
        end = buffer.find(b"\r\n\r\n", line_end)  # without trailers, the first half of it ends the last size's line
        if end < 0:
            return Arrival.PART if len(buffer) - line_end < MAX_HEAD_BYTES else Arrival.STREAM
        self.end = end + 4
        return Arrival.WHOLE
