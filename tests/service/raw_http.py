"""HTTP by hand over a socket, for what no client library would send."""

import socket

BODY = b'{"text": "good"}'
HEAD = b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
NDJSON_HEAD = HEAD.replace(b"application/json", b"application/x-ndjson")
REQUEST = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


def receive(connection: socket.socket, until: bytes) -> bytes:
    """Return what the server sends, up to the piece that completes `until`. Fails if the connection ends before."""
    received = b""
    while until not in received:
        data = connection.recv(1 << 16)
        assert data, received
        received += data
    return received


def receive_all(connection: socket.socket) -> bytes:
    """Return what the server sends until it ends its side of the connection."""
    with connection.makefile("rb") as file:
        return file.read()
