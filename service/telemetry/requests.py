"""What every request gets: an id, a count, its time, and one line in the log."""

import random
import re
import time

from flask import Flask, Response, g

from service.http.request_helpers import current_request, environ_key
from service.telemetry import metrics
from service.telemetry.logs import RequestLog

REQUEST_ID = "X-Request-ID"
_REQUEST_ID_KEY = environ_key(REQUEST_ID)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")  # safe in a log line, in a header and as a URI reference


def request_id(given: str) -> str:
    """Return the id that the client gave, or a new one if that is none."""
    return given if _REQUEST_ID.fullmatch(given) else f"{random.getrandbits(128):032x}"


def register(app: Flask) -> None:
    """Count and log every request of the app: its line is written when its answer has ended."""
    log = RequestLog()

    def begin() -> None:
        g.started_seconds = time.perf_counter()
        g.request_id = request_id(current_request().environ.get(_REQUEST_ID_KEY, ""))
        g.key_id = None
        metrics.figures().in_flight.inc()

    def finish(response: Response) -> Response:
        request = current_request()
        route = request.url_rule.rule if request.url_rule else None
        metrics.count_request(request.method, route, response.status_code, g.get("problem", ""))
        response.headers[REQUEST_ID] = g.request_id
        is_timed = not response.is_streamed  # a stream takes as long as its client writes
        started, event = g.started_seconds, {
            "request_id": g.request_id,
            "key_id": g.key_id,
            "method": request.method,
            "route": route,  # not the path itself, which is the client's own words
            "status": response.status_code,
            "address": request.remote_addr,
        }  # fmt: skip

        def end() -> None:
            seconds = time.perf_counter() - started
            metrics.observe_end(route, seconds if is_timed else None)
            log.info("request", **event, seconds=round(seconds, 6))

        response.call_on_close(end)
        return response

    app.before_request(begin)
    app.after_request(finish)
