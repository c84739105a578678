"""How many requests to the model a worker has in hand: one more is refused at once, before it costs anything."""

from functools import partial
from typing import Any

from flask import Flask, Request

from service.http import openapi
from service.http.problems import OVERLOADED, RETRY, Problem
from service.http.request_helpers import Check
from service.inference.native import Lock
from service.routes.ndjson import MEDIA_TYPE


def checker(app: Flask, max_requests: int) -> Check:
    """Return what bounds the requests of the app to the model. Streams of lines, which last, have their own bound."""
    counts = {False: 0, True: 0}
    lock = Lock()

    def enter(request: Request, notes: Any) -> None:
        described = openapi.of(app, request.endpoint)
        if described is None or described.request is None or request.method != "POST":
            return
        is_stream = request.mimetype == MEDIA_TYPE
        with lock:
            if counts[is_stream] >= max_requests:
                detail = f"{counts[is_stream]} requests are being answered; the limit is {max_requests}."
                raise Problem(OVERLOADED, detail, headers=RETRY)
            counts[is_stream] += 1
        notes.release = partial(leave, is_stream)

    def leave(is_stream: bool) -> None:
        with lock:
            counts[is_stream] -= 1

    return enter
