"""The worker's own answers, to requests that never reach the app: in the one form of all problems."""

import random
import re
from functools import cache
from http import HTTPStatus

import orjson
from gunicorn.http import errors  # type: ignore[import-untyped]

from service import logs, metrics, problems
from service.framing import MAX_HEAD_BYTES
from service.headers import SECURITY
from service.problems import HEADERS_TOO_LARGE, MALFORMED_REQUEST, URI_TOO_LONG, Problem

_REQUEST_ID = re.compile(rb"\r\nx-request-id[ \t]*:[ \t]*([A-Za-z0-9._-]{1,128})[ \t]*\r\n", re.IGNORECASE)
_INFERENCE = re.compile(rb"[A-Z]+ /v2/")
_CLOSE = re.compile(rb"\r\nconnection[ \t]*:[ \t]*close", re.IGNORECASE)
_REQUEST_LINE_END = b" HTTP/1.1\r\n"
_log = cache(logs.RequestLog)


def keeps_alive(head: bytes | bytearray) -> bool:
    """Whether the client of this request expects to use its connection again."""
    line_end = head.find(b"\r\n") + 2
    return head[:line_end].endswith(_REQUEST_LINE_END) and not _CLOSE.search(head, 0, MAX_HEAD_BYTES)


def response(problem: Problem, head: bytes | bytearray, keep_alive: bool) -> bytes:
    """The whole response, under the request's id if it has one; counted and logged as the app does with its own."""
    given = _REQUEST_ID.search(head, 0, MAX_HEAD_BYTES)
    request_id = given[1].decode() if given else f"{random.getrandbits(128):032x}"
    body = orjson.dumps(problems.document(problem, request_id, inference=_INFERENCE.match(head) is not None))
    headers = {
        "Content-Type": problems.MEDIA_TYPE,
        "Content-Length": str(len(body)),
        "Connection": "keep-alive" if keep_alive else "close",
        "X-Request-ID": request_id,
        **SECURITY,
        **problem.headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    status = problem.kind.status
    metrics.refused(status, problem.kind.name)
    _log().info("request refused", request_id=request_id, status=status, problem=problem.kind.name)
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{lines}\r\n".encode() + body


def head_too_large(head: bytes | bytearray) -> Problem:
    """The problem of a head without an end."""
    kind = HEADERS_TOO_LARGE if b"\r\n" in head else URI_TOO_LONG
    return Problem(kind, f"The head of the request has more than {MAX_HEAD_BYTES} bytes, the limit.")


def of(error: Exception) -> Problem:
    """The problem of what the parser refuses, without its words: they quote the request."""
    match error:
        case errors.LimitRequestLine():
            return Problem(URI_TOO_LONG, "The request's first line is longer than is read here.")
        case errors.LimitRequestHeaders():
            return Problem(HEADERS_TOO_LARGE, "The request has more or longer headers than are read here.")
        case errors.ParseException():
            return Problem(MALFORMED_REQUEST, f"The request is refused: {type(error).__name__}.")
    return problems.of(error)
