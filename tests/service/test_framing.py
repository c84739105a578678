import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.framing import MAX_CHUNK_LINE_BYTES, MAX_HEAD_BYTES, Arrival, Framing

MAX_BODY_BYTES = 64
REQUESTS = {
    "no body": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "length": b"POST / HTTP/1.1\r\nHost: x\r\ncontent-LENGTH:  5 \r\n\r\nab\r\nc",
    "length 0": b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    "chunks": b"POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nab\r\nc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
    "no chunk": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "trailers": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: 1\r\nY: 2\r\n\r\n",
    "a length in the path": b"GET /content-length:9 HTTP/1.1\r\nHost: x\r\n\r\n",
}


@given(st.sampled_from(list(REQUESTS.values())), st.lists(st.integers(1, 9), max_size=40))
def test_a_request_is_whole_with_its_last_byte(request: bytes, steps: list[int]) -> None:
    framing, buffer = Framing(MAX_BODY_BYTES), bytearray()
    for step in steps:
        if len(buffer) + step >= len(request):
            break
        buffer += request[len(buffer) : len(buffer) + step]
        assert framing.look(buffer) is Arrival.PART
    buffer += request[len(buffer) :]
    assert framing.look(buffer) is Arrival.WHOLE
    assert framing.end == len(request)


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_what_follows_is_the_next_request(request_: bytes) -> None:
    framing = Framing(MAX_BODY_BYTES)
    assert framing.look(bytearray(request_ + b"GET /next HTTP/1.1\r\n\r\n")) is Arrival.WHOLE
    assert framing.end == len(request_)


@pytest.mark.parametrize(
    "head_and_body",
    [
        "Content-Length: 65\r\n\r\n",
        "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "Content-Length: 1, 1\r\n\r\n",
        "Content-Length: -1\r\n\r\n",
        "Content-Length: 1" + "0" * 40 + "\r\n\r\n",
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "Transfer-Encoding: gzip, chunked\r\n\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n41\r\n",
        "Transfer-Encoding: chunked\r\n\r\nz\r\n",
        "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
        "Transfer-Encoding: chunked\r\n\r\n1\r\nabc",
        "Transfer-Encoding: chunked\r\n\r\n1;" + "x" * MAX_CHUNK_LINE_BYTES,
        "Transfer-Encoding: chunked\r\n\r\n0\r\n" + "x" * MAX_HEAD_BYTES,
        "Transfer-Encoding: chunked\r\n\r\n" + "1\r\na\r\n" * 30,
    ],
)
def test_what_is_too_large_or_ambiguous_is_for_the_parser(head_and_body: str) -> None:
    request = f"POST / HTTP/1.1\r\n{head_and_body}".encode()
    assert Framing(MAX_BODY_BYTES).look(bytearray(request)) is Arrival.STREAM


def test_a_head_without_end() -> None:
    framing = Framing(MAX_BODY_BYTES)
    assert framing.look(bytearray(b"x" * (MAX_HEAD_BYTES - 1))) is Arrival.PART
    assert framing.look(bytearray(b"x" * MAX_HEAD_BYTES)) is Arrival.HEAD_TOO_LARGE


@given(st.binary(max_size=200))
def test_no_bytes_break_it(data: bytes) -> None:
    for start in (b"", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length:"):
        framing = Framing(MAX_BODY_BYTES)
        arrival = framing.look(bytearray(start + data))
        assert arrival is not Arrival.WHOLE or 0 < framing.end <= len(start + data)
