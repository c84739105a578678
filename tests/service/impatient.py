"""The app in a worker that waits one second for what it otherwise waits many for: gunicorn runs it as `APP`.

These times are constants of the worker's module, not settings: this file changes with them.
"""

from flask import Flask

from service import worker
from service.app import create_app

APP = "tests.service.impatient:application()"


def application() -> Flask:
    """Return the app, with the worker's own time limits shortened."""
    worker.REQUEST_SECONDS = worker.STREAM_GRACE_SECONDS = 1.0
    return create_app()
