"""Headers of every response: what a browser may do with it, and who may read it there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

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
    """The app, whose responses carry the security headers, but for those that one sets itself.

    Here and not in a hook, where each header would be checked when it is set and again when all are copied.
    """
    security = list(SECURITY.items())

    def secured(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
            own = {name for name, _ in headers}  # the page has a policy of its own
            return start_response(status, headers + [header for header in security if header[0] not in own], *error)

        return app(environ, start)

    return secured
