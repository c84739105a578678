"""Logs as JSON, one object a line, gunicorn's and the access log too. No text of a request is ever in one."""

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
    """Return where the error was raised, without its own words, which may quote a text."""
    return "".join(traceback.format_tb(error.__traceback__))


class Formatter(logging.Formatter):
    """Makes a record of the standard logging such a line, under the id of its request."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line. Of an exception it has the name and where it was: its own words may quote a text."""
        fields: dict[str, Any] = {"logger": record.name}
        if has_request_context():
            fields |= {"request_id": g.get("request_id"), "key_id": g.get("key_id")}
        if record.exc_info and (error := record.exc_info[1]):
            fields |= {"error": type(error).__name__, "trace": trace(error)}
        return _render(fields, record.getMessage(), record.levelname.lower()).decode().rstrip("\n")


def handler() -> logging.Handler:
    """Return what writes the records of the standard logging to stderr, as JSON."""
    made = logging.StreamHandler(sys.stderr)
    made.setFormatter(Formatter())
    return made


class GunicornLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's own log in the same form; its access log is the app's."""

    def setup(self, cfg: Any) -> None:
        """Set it up. Everything else that is logged in the process takes the same way."""
        super().setup(cfg)
        self.error_log.handlers = [handler()]
        root = logging.getLogger()
        root.handlers = [handler()]
        root.setLevel(logging.INFO)

    def access(self, *_: Any) -> None:
        """Do nothing: the app knows more of a request."""
