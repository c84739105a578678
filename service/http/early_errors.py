"""Answer requests that never reach the app, as they are malformed or late, with a problem like all others."""

from http import HTTPStatus
from typing import Any

import orjson
from gunicorn.http import errors, message  # type: ignore[import-untyped]

from service.http import problems
from service.http.problems import HEADERS_TOO_LARGE, MALFORMED_REQUEST, URI_TOO_LONG, Problem
from service.http.responses import SECURITY
from service.telemetry import logs, metrics, requests


class MissingHost(errors.ParseException):  # type: ignore[misc]  # gunicorn has no types
    """A request of HTTP/1.1 names its host (RFC 9112, 3.2)."""


class Request(message.Request):  # type: ignore[misc]
    """A request that the parser's error has as `req`, as far as it was read."""

    def __init__(self, *arguments: Any) -> None:
        try:
            super().__init__(*arguments)
            if self.version >= (1, 1) and all(name != "HOST" for name, _ in self.headers):
                raise MissingHost
        except errors.ParseException as error:
            error.req = self
            raise


def response(problem: Problem, request: Any) -> bytes:
    """Return the whole response to gunicorn's request, as far as it was read; count and log it."""
    headers = dict(request.headers) if request else {}
    request_id = requests.request_id(headers.get("X-REQUEST-ID", ""))
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
    status = problem.type.status
    metrics.count_request("other", None, status, problem.type.name)
    logs.write_line("request refused", request_id=request_id, status=status, problem=problem.type.name)
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{lines}\r\n".encode() + body


def from_exception(error: Exception) -> Problem:
    """Return the problem for a request that the parser refuses, without its message, which quotes the request."""
    match error:
        case errors.LimitRequestLine():
            return Problem(URI_TOO_LONG, "The request's first line is longer than is read here.")
        case errors.LimitRequestHeaders():
            return Problem(HEADERS_TOO_LARGE, "The request has more or longer headers than are read here.")
        case errors.InvalidHeaderName() if "_" in error.hdr:
            detail = f"The header {error.hdr:.80} is refused: one with _ in its name can't be told from one with -."
            return Problem(MALFORMED_REQUEST, detail)
        case MissingHost():
            return Problem(MALFORMED_REQUEST, "A request of HTTP/1.1 needs the header Host.")
        case errors.ParseException():
            return Problem(MALFORMED_REQUEST, f"The request is refused: {type(error).__name__}.")
    return problems.from_exception(error)
