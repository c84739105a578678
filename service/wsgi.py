"""Create the app that gunicorn loads in each worker."""

import contextlib
import ctypes
import gc

from flask import Flask
from gunicorn.errors import AppImportError  # type: ignore[import-untyped]

from sentiment.errors import SentimentError
from service.app import create_app

# Between two searches for garbage. Each request in progress has some hundred: with Python's 700, 400 clients' requests
# were looked through again and again, a tenth of the time.
YOUNG_OBJECTS = 100_000

# Of what a batch needs, at once; larger pieces go back to the system when it is answered. With 1 MiB a short text cost
# 0.2 ms more, as pieces that it needs were taken from the system anew.
MAX_KEPT_BYTES = 4 << 20

_M_MMAP_THRESHOLD = -3  # its name in malloc.h


def application() -> Flask:
    """Create the app from the environment. Raises AppImportError in one line for a refused model or setting."""
    try:
        app = create_app()
    except SentimentError as error:
        raise AppImportError(str(error)) from None
    # What is loaded stays: looking through all of it for garbage would hold every answer up, again and again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
    # Else glibc raises the bound with every larger piece it meets, and a worker keeps what its largest batches took.
    with contextlib.suppress(AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, MAX_KEPT_BYTES)
    return app
