"""Headers of every response: what a browser may do with it, and who may read it there."""

from collections.abc import Sequence

from flask import Flask, Response, request

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

    def add(response: Response) -> Response:
        response.headers.extend(SECURITY)  # none of them is set elsewhere
        if cors_origins:
            response.vary.add("Origin")
            origin = request.headers.get("Origin", "")
            if origin in cors_origins:
                response.headers["Access-Control-Allow-Origin"] = origin
                response.headers["Access-Control-Expose-Headers"] = "Retry-After, X-Request-ID"
                if request.method == "OPTIONS":
                    response.headers.update(_PREFLIGHT)
        return response

    app.after_request(add)
