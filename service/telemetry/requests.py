"""Give every request an id, count it, time it, and log it in one line."""

import random
import re
import time
from collections.abc import Callable, Sequence
from typing import Any

from flask import Flask, Request, Response, g

from service.http.body import current_request
from service.http.responses import ENVIRON_ID
from service.telemetry import logs, metrics

Check = Callable[[Request, Any], None]  # of a request and what is noted of it (Flask's `g`); raises Problem

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")  # safe in a log line, in a header and as a URI reference


def request_id(given: str) -> str:
    """Return the id that the client gave, or a new one if that is none."""
    return given if _REQUEST_ID.fullmatch(given) else f"{random.getrandbits(128):032x}"


def register(app: Flask, checks: Sequence[Check]) -> None:
    """Count and log every request of the app, and check it in this order before it is answered.

    Its line is written when its answer has ended, and what a check has reserved is released by `notes.release`.
    """
    in_flight = metrics.figures().in_flight

    def begin() -> None:
        request, notes = current_request(), g._get_current_object()  # each use of `g` looks it up anew
        notes.started_seconds = time.perf_counter()
        notes.request_id = request.environ[ENVIRON_ID] = request_id(request.environ.get("HTTP_X_REQUEST_ID", ""))
        notes.key_id = notes.problem = notes.release = None
        in_flight.inc()
        for check in checks:
            check(request, notes)

    def finish(response: Response) -> Response:
        request, notes = current_request(), g._get_current_object()  # each use of `g` looks it up anew
        route = request.url_rule.rule if request.url_rule else None
        status = response.status_code
        metrics.count_request(request.method, route, status, notes.problem)
        is_timed = not response.is_streamed  # a stream takes as long as its client writes
        started, event = notes.started_seconds, {
            "request_id": notes.request_id,
            "key_id": notes.key_id,
            "method": request.method,
            "route": route,  # not the path itself, which is the client's own words
            "status": status,
            "address": request.remote_addr,
        }  # fmt: skip

        def end() -> None:
            seconds = time.perf_counter() - started
            in_flight.dec()
            if is_timed:
                metrics.child("request_seconds", route or "none").observe(seconds)
            logs.write_line("request", **event, seconds=round(seconds, 6))

        response.call_on_close(end)
        if notes.release and response.is_streamed:
            response.call_on_close(notes.release)
        elif notes.release:
            notes.release()
        return response

    app.before_request(begin)
    app.after_request(finish)
