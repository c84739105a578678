"""Every error of the service becomes problem+json (RFC 9457) here and nowhere else.

No text of a request ever gets into a problem or a log line: a message says where, how long and of which kind.
"""

import logging
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Flask, Response, g, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, TooManyRequests

from sentiment.errors import TextError
from service import validation
from service.errors import BatcherFailed, DeadlinePassed, ModelRefused, NoLabels, Overloaded, ReloadRunning, TextFailed
from service.shapes.problems import Fault

MEDIA_TYPE = "application/problem+json"
NO_LABELS = "is for models of labels; this one answers with a number"
MAX_LISTED_FAULTS = 20

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kind:
    """One kind of problem: its `type` is a name for machines, its title a name for people."""

    name: str
    status: int
    title: str

    @property
    def type(self) -> str:
        """A URI, as the RFC asks, that needs no host."""
        return f"urn:sentiment:problem:{self.name}"


INCOMPLETE_BODY = Kind("incomplete-body", 400, "The body can't be read to its end")
INVALID_HEADER = Kind("invalid-header", 400, "A header does not have the right form")
INVALID_JSON = Kind("invalid-json", 400, "The body is not a JSON object")
MALFORMED_REQUEST = Kind("malformed-request", 400, "This is not HTTP as it is read here")
UNAUTHORIZED = Kind("unauthorized", 401, "A key is needed")
FORBIDDEN = Kind("forbidden", 403, "This key is not for this")
NOT_FOUND = Kind("not-found", 404, "Nothing is here")
UNKNOWN_MODEL = Kind("unknown-model", 404, "There is no such model")
METHOD_NOT_ALLOWED = Kind("method-not-allowed", 405, "This method is not for this path")
REQUEST_TIMEOUT = Kind("request-timeout", 408, "The request did not arrive in time")
RELOAD_RUNNING = Kind("reload-running", 409, "The models are being reloaded")
BODY_TOO_LARGE = Kind("body-too-large", 413, "The body is too large")
UNSUPPORTED_MEDIA_TYPE = Kind("unsupported-media-type", 415, "The body is not of a kind that is read here")
URI_TOO_LONG = Kind("uri-too-long", 414, "The path is too long")
MODEL_REFUSED = Kind("model-refused", 422, "A model is refused, the old one goes on serving")
INVALID_REQUEST = Kind("invalid-request", 422, "The request does not have the right form")
RATE_LIMITED = Kind("rate-limited", 429, "Too many requests")
HEADERS_TOO_LARGE = Kind("headers-too-large", 431, "The headers are too large")
TEXT_FAILED = Kind("text-failed", 500, "The model fails at a text")
INTERNAL_ERROR = Kind("internal-error", 500, "The service failed")
NOT_READY = Kind("not-ready", 503, "The model is not ready")
OVERLOADED = Kind("overloaded", 503, "More is asked than can be answered")
DEADLINE_PASSED = Kind("deadline-passed", 504, "The answer did not come in time")

RETRY = {"Retry-After": "1"}  # seconds


class Problem(Exception):
    """Ends the request with this answer, from wherever it is raised."""

    def __init__(
        self, kind: Kind, detail: str, faults: Sequence[Fault] = (), headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.faults = faults
        self.headers = headers or {}


def invalid_request(faults: Sequence[Fault]) -> Problem:
    """The problem of a request whose JSON is sound and whose content isn't; at most 20 faults are listed."""
    first = f"{faults[0].pointer or 'The body'} {faults[0].detail}"
    rest = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return Problem(INVALID_REQUEST, f"{first}{rest}.", faults[:MAX_LISTED_FAULTS])


def invalid_text(error: TextError, pointer: str) -> Problem:
    """The problem of a text that the library refuses, pointing to where it stands in the body."""
    return invalid_request([Fault(pointer=pointer, detail=error.reason)])


def invalid_shape(error: ValidationError, shape: type[BaseModel]) -> Problem:
    """The problem of JSON that isn't of a request's shape."""
    return invalid_request(validation.faults(error, shape))


def refuse_unless_ready(reason: str | None) -> None:
    """Raises the problem of a worker that is not ready for this reason, None if it is."""
    if reason is not None:
        raise Problem(NOT_READY, f"No more requests should come here: {reason}.", headers=RETRY)


def details(problem: Problem) -> dict[str, Any]:
    """What the client reads, as ProblemDetails says; of the Open Inference Protocol's paths with its `error` too."""
    return document(problem, g.request_id, inference=request.path.startswith("/v2/"))


def document(problem: Problem, request_id: str, *, inference: bool) -> dict[str, Any]:
    """What the client reads of a request that need not have reached the app, one for `inference` by its protocol."""
    content = {
        "type": problem.kind.type,
        "title": problem.kind.title,
        "status": problem.kind.status,
        "detail": problem.detail,
        "instance": request_id,
        "errors": [fault.model_dump() for fault in problem.faults],
    }
    return content | {"error": problem.detail} if inference else content


def register(app: Flask) -> None:
    """Makes every error of the app, of Flask and of Werkzeug answer in the one form."""
    app.register_error_handler(Exception, _answer)


def _answer(error: Exception) -> Response:
    problem = of(error)
    g.problem = problem.kind.name
    return Response(
        orjson.dumps(details(problem)),
        status=problem.kind.status,
        headers=problem.headers,
        content_type=MEDIA_TYPE,
    )


def of(error: Exception) -> Problem:
    """The problem that tells of any error; one that nobody expected is logged, without its words."""
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
            return Problem(Kind("http", status, error.name), error.description or error.name)
        case TextFailed():
            return Problem(TEXT_FAILED, f"The model fails at text {error.index} of the request, counted from 0.")
        case NoLabels():
            return invalid_request([Fault(pointer="/sentences", detail=NO_LABELS)])
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
    # Without the exception's own words, which may quote a text.
    trace = "".join(traceback.format_tb(error.__traceback__))
    _log.error("request %s failed: %s\n%s", g.request_id, type(error).__name__, trace)
    return Problem(INTERNAL_ERROR, "The cause is in the service's log, under this request's id.")
