"""Answers to what is no HTTP request, or none in time: it never reaches the app, and has the one form of all problems."""

import random
import re
from functools import cache
from http import HTTPStatus
from typing import Any

import orjson
from gunicorn.http import errors  # type: ignore[import-untyped]

from service import logs, metrics, problems
from service.headers import SECURITY
from service.problems import HEADERS_TOO_LARGE, MALFORMED_REQUEST, URI_TOO_LONG, Problem

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_log = cache(logs.RequestLog)


def response(problem: Problem, request: Any) -> bytes:
    """Return the whole response to what was read of gunicorn's request, if anything; counted and logged."""
    headers = dict(request.headers) if request else {}
    given = headers.get("X-REQUEST-ID", "")
    request_id = given if _REQUEST_ID.fullmatch(given) else f"{random.getrandbits(128):032x}"
    is_inference = request is not None and (request.path or "").startswith("/v2/")
    body = orjson.dumps(problems.document(problem, request_id, inference=is_inference))
    headers = {
        "Content-Type": problems.MEDIA_TYPE,
        "Content-Length": str(len(body)),
        "Connection": "close",
        "X-Request-ID": request_id,
        **SECURITY,
        **problem.headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    status = problem.kind.status
    metrics.refused(status, problem.kind.name)
    _log().info("request refused", request_id=request_id, status=status, problem=problem.kind.name)
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{lines}\r\n".encode() + body


def from_exception(error: Exception) -> Problem:
    """Return the problem of what the parser refuses, without its words: they quote the request."""
    match error:
        case errors.LimitRequestLine():
            return Problem(URI_TOO_LONG, "The request's first line is longer than is read here.")
        case errors.LimitRequestHeaders():
            return Problem(HEADERS_TOO_LARGE, "The request has more or longer headers than are read here.")
        case errors.ParseException():
            return Problem(MALFORMED_REQUEST, f"The request is refused: {type(error).__name__}.")
    return problems.of(error)
