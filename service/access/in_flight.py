"""How many requests to the model a worker has in hand: one more is refused at once, before it costs anything."""

import threading

from flask import Flask, g

from service.http import openapi
from service.http.problems import OVERLOADED, RETRY, Problem
from service.http.request_helpers import current_request
from service.routes.ndjson import MEDIA_TYPE


def register(app: Flask, max_requests: int) -> None:
    """Bound the requests of the app that ask the model. Streams of lines, which last, have a bound of their own."""
    counts = {False: 0, True: 0}
    lock = threading.Lock()

    def enter() -> None:
        request = current_request()
        described = openapi.of(app, request.endpoint)
        if described is None or described.request is None or request.method != "POST":
            return
        is_stream = request.mimetype == MEDIA_TYPE
        with lock:
            if counts[is_stream] >= max_requests:
                detail = f"{counts[is_stream]} requests are being answered; the limit is {max_requests}."
                raise Problem(OVERLOADED, detail, headers=RETRY)
            counts[is_stream] += 1
        g.in_flight_as_stream = is_stream

    def leave(_: BaseException | None) -> None:
        is_stream = g.pop("in_flight_as_stream", None)
        if is_stream is not None:
            with lock:
                counts[is_stream] -= 1

    app.before_request(enter)
    app.teardown_request(leave)
