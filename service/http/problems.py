"""Turn every error of the service into problem+json (RFC 9457), here and nowhere else.

No text of a request ever gets into a problem or a log line: a message says where, how long and of which kind.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, TooManyRequests

from service.errors import BatcherFailed, DeadlinePassed, ModelRefused, NoLabels, Overloaded, ReloadRunning, TextFailed
from service.schemas.base import FieldError
from service.telemetry import logs

MEDIA_TYPE = "application/problem+json"
NO_LABELS = "is for models of labels; this one answers with a number"
MAX_LISTED_FAULTS = 20

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ProblemType:
    """One kind of problem: its `type` is a name for machines, its title a name for people."""

    name: str
    status: int
    title: str

    @property
    def uri(self) -> str:
        """Return the type's URI, which needs no host."""
        return f"urn:sentiment:problem:{self.name}"


INCOMPLETE_BODY = ProblemType("incomplete-body", 400, "The body can't be read to its end")
INVALID_HEADER = ProblemType("invalid-header", 400, "A header does not have the right form")
INVALID_JSON = ProblemType("invalid-json", 400, "The body is not a JSON object")
MALFORMED_REQUEST = ProblemType("malformed-request", 400, "This is not HTTP as it is read here")
UNAUTHORIZED = ProblemType("unauthorized", 401, "A key is needed")
FORBIDDEN = ProblemType("forbidden", 403, "This key is not for this")
NOT_FOUND = ProblemType("not-found", 404, "Nothing is here")
UNKNOWN_MODEL = ProblemType("unknown-model", 404, "There is no such model")
METHOD_NOT_ALLOWED = ProblemType("method-not-allowed", 405, "This method is not for this path")
REQUEST_TIMEOUT = ProblemType("request-timeout", 408, "The request did not arrive in time")
RELOAD_RUNNING = ProblemType("reload-running", 409, "The models are being reloaded")
BODY_TOO_LARGE = ProblemType("body-too-large", 413, "The body is too large")
UNSUPPORTED_MEDIA_TYPE = ProblemType("unsupported-media-type", 415, "The body is not of a kind that is read here")
URI_TOO_LONG = ProblemType("uri-too-long", 414, "The path is too long")
MODEL_REFUSED = ProblemType("model-refused", 422, "A model is refused, the old one goes on serving")
INVALID_REQUEST = ProblemType("invalid-request", 422, "The request does not have the right form")
RATE_LIMITED = ProblemType("rate-limited", 429, "Too many requests")
HEADERS_TOO_LARGE = ProblemType("headers-too-large", 431, "The headers are too large")
TEXT_FAILED = ProblemType("text-failed", 500, "The model fails at a text")
INTERNAL_ERROR = ProblemType("internal-error", 500, "The service failed")
NOT_READY = ProblemType("not-ready", 503, "The model is not ready")
OVERLOADED = ProblemType("overloaded", 503, "More is asked than can be answered")
DEADLINE_PASSED = ProblemType("deadline-passed", 504, "The answer did not come in time")

RETRY = {"Retry-After": "1"}  # seconds


class Problem(Exception):
    """Ends the request with this problem, wherever it is raised."""

    def __init__(
        self, type: ProblemType, detail: str, faults: Sequence[FieldError] = (), headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.type = type
        self.detail = detail
        self.faults = faults
        self.headers = headers or {}


def invalid_request(faults: Sequence[FieldError]) -> Problem:
    """Return the problem for valid JSON with invalid content; it lists at most 20 faults."""
    first = f"{faults[0].pointer or 'The body'} {faults[0].detail}"
    rest = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return Problem(INVALID_REQUEST, f"{first}{rest}.", faults[:MAX_LISTED_FAULTS])


def invalid_field(pointer: str, detail: str) -> Problem:
    """Return the problem for one invalid field of a request."""
    return invalid_request([FieldError(pointer=pointer, detail=detail)])


def broken_body() -> Problem:
    """Return the problem for a body that can't be read to its end; each server raises errors of its own for it."""
    return Problem(INCOMPLETE_BODY, "The body's chunks are malformed, or the client stopped sending.")


def details(problem: Problem) -> dict[str, Any]:
    """Return the body of a problem, as in ProblemDetails; under /v2 with the protocol's `error`."""
    return document(problem, g.request_id, inference=request.path.startswith("/v2/"))


def document(problem: Problem, request_id: str, *, inference: bool) -> dict[str, Any]:
    """Return the response to a request that may not have reached the app."""
    content = {
        "type": problem.type.uri,
        "title": problem.type.title,
        "status": problem.type.status,
        "detail": problem.detail,
        "instance": request_id,
        "errors": [fault.model_dump() for fault in problem.faults],
    }
    return content | {"error": problem.detail} if inference else content


def register(app: Flask) -> None:
    """Register handlers so that every error of the app, Flask and Werkzeug becomes a problem."""
    app.register_error_handler(Exception, _answer)


def _answer(error: Exception) -> Response:
    problem = from_exception(error)
    g.problem = problem.type.name
    return Response(
        orjson.dumps(details(problem)),
        status=problem.type.status,
        headers=problem.headers,
        content_type=MEDIA_TYPE,
    )


def from_exception(error: Exception) -> Problem:
    """Return the problem for any error; log an unexpected one, without its message."""
    match error:
        case Problem():
            return error
        case NotFound():
            return Problem(NOT_FOUND, "No resource of this service has this path.")
        case MethodNotAllowed():
            allowed = ", ".join(sorted(error.valid_methods or ()))
            return Problem(METHOD_NOT_ALLOWED, f"{request.method} is not one of {allowed}.", headers={"Allow": allowed})
        case TooManyRequests():
            headers = {"Retry-After": str(g.retry_after_seconds)}
            return Problem(RATE_LIMITED, f"The limit is {error.description}.", headers=headers)
        case HTTPException(code=int(status)):
            return Problem(ProblemType("http", status, error.name), error.description or error.name)
        case TextFailed():
            return Problem(TEXT_FAILED, f"The model fails at text {error.index} of the request, counted from 0.")
        case NoLabels():
            return invalid_field("/sentences", NO_LABELS)
        case Overloaded():
            return Problem(OVERLOADED, f"{error}.", headers=RETRY)
        case DeadlinePassed():
            return Problem(DEADLINE_PASSED, f"There was no answer within {g.timeout_seconds:g} seconds.")
        case ReloadRunning():
            return Problem(RELOAD_RUNNING, "Another reload has not ended yet.", headers=RETRY)
        case ModelRefused():
            return Problem(MODEL_REFUSED, f"{error}. Nothing was changed.")
        case BatcherFailed():
            return Problem(NOT_READY, f"This worker is being replaced: {error}.", headers=RETRY)
    _log.error("request %s failed: %s\n%s", g.request_id, type(error).__name__, logs.trace(error))
    return Problem(INTERNAL_ERROR, "The cause is in the service's log, under this request's id.")
