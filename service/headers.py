"""Headers of every response: what a browser may do with it, and who may read it there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# No script, no frame, nothing from elsewhere: the one page there is needs its own style sheet.
SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Request-ID, X-Request-Timeout-Seconds",
    "Access-Control-Max-Age": "600",
}


def register(app: Flask, cors_origins: Sequence[str]) -> None:
    """Makes every response carry the security headers, and those to these origins the CORS ones."""
    app.wsgi_app = _secured(app.wsgi_app)  # type: ignore[assignment]  # as Flask's documentation has it
    if not cors_origins:
        return

    def share(response: Response) -> Response:
        response.vary.add("Origin")
        origin = request.headers.get("Origin", "")
        if origin in cors_origins:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = "Retry-After, X-Request-ID"
            if request.method == "OPTIONS":
                response.headers.update(_PREFLIGHT)
        return response

    app.after_request(share)


def _secured(app: WSGIApplication) -> WSGIApplication:
    """The app, whose responses carry the security headers: none of them is set elsewhere.

    Here and not in a hook, where each header would be checked when it is set and again when all are copied.
    """
    security = list(SECURITY.items())

    def secured(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
            return start_response(status, headers + security, *error)

        return app(environ, start)

    return secured
