"""Write JSON responses, and add the security and CORS headers to every response."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson
from flask import Flask, Response
from pydantic import BaseModel

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

REQUEST_ID = "X-Request-ID"
ENVIRON_ID = "sentiment.request_id"  # where WSGI's environment has it from the start of the request on
# No script, no frame, nothing from elsewhere: the page of the document needs its own style sheet.
SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
# The page at the root has scripts of its own that ask this service, and never write markup.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Request-ID, X-Request-Timeout-Seconds",
    "Access-Control-Max-Age": "600",
}


class JSONResponse(Response):
    """A response that orjson writes from schemas or the library's dataclasses; tests check these against schemas."""

    def __init__(self, content: BaseModel | Mapping[str, Any]) -> None:
        super().__init__(orjson.dumps(content, default=BaseModel.model_dump), content_type="application/json")


def register(app: Flask, cors_origins: Sequence[str]) -> None:
    """Add the request's id and the security headers to every response, and CORS headers for these origins.

    Here and not in a hook, where each header would be checked when it is set and again when all are copied.
    """
    answer = app.wsgi_app
    security = list(SECURITY.items())

    def wsgi_app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
            own = {name for name, _ in headers}  # the page has a policy of its own
            headers += [header for header in security if header[0] not in own]
            headers.append((REQUEST_ID, environ[ENVIRON_ID]))
            if cors_origins:
                headers += _cors(environ, cors_origins)
            return start_response(status, headers, *error)

        return answer(environ, start)

    app.wsgi_app = wsgi_app  # type: ignore[method-assign]  # as Flask's documentation has it


def _cors(environ: WSGIEnvironment, origins: Sequence[str]) -> list[tuple[str, str]]:
    origin = environ.get("HTTP_ORIGIN", "")
    if origin not in origins:
        return [("Vary", "Origin")]
    preflight = _PREFLIGHT if environ["REQUEST_METHOD"] == "OPTIONS" else {}
    shared = {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": f"Retry-After, {REQUEST_ID}"}
    return [("Vary", "Origin"), *shared.items(), *preflight.items()]
