"""Set each request's deadline: its header or the service's setting, whichever is less."""

from __future__ import annotations

import math
import time
from typing import Any

from flask import Request, g, has_request_context

from service.http.problems import INVALID_HEADER, Problem
from service.telemetry.requests import Check

HEADER = "X-Request-Timeout-Seconds"
DEFAULT_SECONDS = 30.0


def checker(max_seconds: float) -> Check:
    """Return a check that notes each request's timeout. It refuses a header that is no number of seconds."""

    def check(request: Request, notes: Any) -> None:
        given = request.environ.get("HTTP_X_REQUEST_TIMEOUT_SECONDS")
        notes.timeout_seconds = max_seconds if given is None else min(max_seconds, _seconds(given))

    return check


def current() -> float:
    """Return the deadline of a call that starts now, by time.monotonic()."""
    return time.monotonic() + (g.timeout_seconds if has_request_context() else DEFAULT_SECONDS)


def _seconds(given: str) -> float:
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise Problem(INVALID_HEADER, f"{HEADER} must be a number of seconds above 0.")
    return seconds
