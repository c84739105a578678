"""The request that is being answered, and where it keeps its headers."""

from flask import Request, request


def current_request() -> Request:
    """The request itself, for who asks it more than once: each use of Flask's `request` looks it up anew."""
    found: Request = request._get_current_object()  # type: ignore[attr-defined]  # Werkzeug's stubs hide the proxy
    return found


def environ_key(header: str) -> str:
    """Where WSGI keeps this header: looked for there, one that is absent costs no exception."""
    return f"HTTP_{header.upper().replace('-', '_')}"
