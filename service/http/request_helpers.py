"""The request that is being answered, and where it keeps its headers."""

from collections.abc import Callable
from typing import Any

from flask import Request, g, request

Check = Callable[[Request, Any], None]  # of a request and what is noted of it (Flask's `g`); raises Problem


def current_request() -> Request:
    """Return the request itself, for one who asks it more than once: each use of Flask's `request` looks it up anew."""
    found: Request = request._get_current_object()  # type: ignore[attr-defined]  # Werkzeug's stubs hide the proxy
    return found


def current_notes() -> Any:
    """Return Flask's `g` itself."""
    return g._get_current_object()


def environ_key(header: str) -> str:
    """Return where WSGI keeps this header: looked for there, one that is absent costs no exception."""
    return f"HTTP_{header.upper().replace('-', '_')}"
