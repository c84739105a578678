"""Limit the requests of each caller per time, and the model requests of a worker at once.

Redis counts the requests of all workers together; without it each worker counts its own.
"""

import logging
import math
import time
from functools import partial
from typing import Any

from flask import Flask, Request, g, request
from flask_limiter import Limiter, RequestLimit
from limits import parse_many
from limits.errors import ConfigurationError

from sentiment.errors import ConfigError
from service.http import openapi
from service.http.openapi import Scope
from service.http.problems import OVERLOADED, RETRY, Problem
from service.routes.ndjson import MEDIA_TYPE
from service.settings import ServiceSettings
from service.telemetry.requests import Check

REDIS_TIMEOUT_SECONDS = 0.25  # a request waits no longer than this to learn that Redis is gone

_log = logging.getLogger(__name__)


def register(app: Flask, settings: ServiceSettings) -> None:
    """Limit the rate of routes of the scope predict. While Redis is down, each worker counts its own."""
    if settings.rate_limit is None:
        return
    try:
        parse_many(settings.rate_limit)
    except ValueError:
        raise ConfigError(
            f"SENTIMENT_RATE_LIMIT: must be like '100 per second', not {settings.rate_limit!r:.80}"
        ) from None
    if settings.redis_url is None:
        _log.warning("without SENTIMENT_REDIS_URL each worker counts for itself: N workers allow N times the limit")
    options = {
        "socket_timeout": REDIS_TIMEOUT_SECONDS,
        "socket_connect_timeout": REDIS_TIMEOUT_SECONDS,
        "retry": None,  # Redis' own client would try again with pauses, while the request waits
    }
    try:
        Limiter(
            _caller,
            app=app,
            application_limits=[settings.rate_limit],
            application_limits_exempt_when=lambda: not _is_limited(app),
            storage_uri=settings.redis_url or "memory://",
            storage_options=options if settings.redis_url else {},  # type: ignore[arg-type]
            in_memory_fallback_enabled=settings.redis_url is not None,
            swallow_errors=True,  # of a request that waited for Redis while another learnt that it is gone
            on_breach=_set_retry_after,
            key_prefix="sentiment",
        )
    except (ConfigurationError, ValueError):  # without their words and the URL's own: it may hold a password
        raise ConfigError("SENTIMENT_REDIS_URL: must be a URL like 'redis://localhost:6379', with its scheme") from None


def _caller() -> str:
    return f"key:{g.key_id}" if g.key_id else f"address:{request.remote_addr}"


def _is_limited(app: Flask) -> bool:
    if request.method == "OPTIONS":  # a browser's preflight, which asks the model nothing and carries no key
        return False
    described = openapi.of(app, request.endpoint)
    return described is not None and described.scope is Scope.PREDICT


def _set_retry_after(limit: RequestLimit) -> None:
    g.retry_after_seconds = max(1, math.ceil(limit.reset_at - time.time()))


def in_flight_checker(app: Flask, max_requests: int) -> Check:
    """Return a check that limits concurrent model requests. Streams of lines, which take long, are counted apart."""
    free_slots = {is_stream: [None] * max_requests for is_stream in (False, True)}  # a list's pop and append are atomic

    def check(request: Request, notes: Any) -> None:
        described = openapi.of(app, request.endpoint)
        if described is None or described.request is None or request.method != "POST":
            return
        slots = free_slots[request.mimetype == MEDIA_TYPE]
        try:
            slot = slots.pop()
        except IndexError:
            detail = f"{max_requests} requests are being answered; the limit is {max_requests}."
            raise Problem(OVERLOADED, detail, headers=RETRY) from None
        notes.release = partial(slots.append, slot)

    return check
