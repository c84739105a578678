"""Write all logs, gunicorn's and the access log too, as JSON lines without any text of a request."""

from __future__ import annotations

import logging
import sys
import traceback
from datetime import datetime, timezone
from typing import Any

import orjson
from flask import g, has_request_context
from gunicorn.glogging import Logger  # type: ignore[import-untyped]


def write_line(event: str, **fields: Any) -> None:
    """Write one line to stderr, without the standard logging: every request has one."""
    sys.stderr.buffer.write(_render(fields, event, "info"))
    sys.stderr.buffer.flush()


def _render(fields: dict[str, Any], event: str, level: str) -> bytes:
    entry = {**fields, "event": event, "level": level, "time": datetime.now(timezone.utc)}
    return orjson.dumps(entry, default=str, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)


def trace(error: BaseException) -> str:
    """Return where the error was raised, without its message, which may quote a text."""
    return "".join(traceback.format_tb(error.__traceback__))


class Formatter(logging.Formatter):
    """Formats a logging record as such a line, with the id of its request."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line. Of an exception it has name and location only: its message may quote a text."""
        fields: dict[str, Any] = {"logger": record.name}
        if has_request_context():
            fields |= {"request_id": g.get("request_id"), "key_id": g.get("key_id")}
        if record.exc_info and (error := record.exc_info[1]):
            fields |= {"error": type(error).__name__, "trace": trace(error)}
        return _render(fields, record.getMessage(), record.levelname.lower()).decode().rstrip("\n")


def handler() -> logging.Handler:
    """Return a handler that writes logging records to stderr as JSON."""
    made = logging.StreamHandler(sys.stderr)
    made.setFormatter(Formatter())
    return made


class GunicornLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's own log in the same format; the app writes the access log."""

    def setup(self, cfg: Any) -> None:
        """Set up logging for gunicorn and everything else in the process."""
        super().setup(cfg)
        self.error_log.handlers = [handler()]
        root = logging.getLogger()
        root.handlers = [handler()]
        root.setLevel(logging.INFO)

    def access(self, *_: Any) -> None:
        """Do nothing: the app logs each request."""
