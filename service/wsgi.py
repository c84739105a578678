"""What gunicorn loads in each worker."""

import contextlib
import ctypes
import gc
import logging
import sys
import time

from flask import Flask
from gunicorn.errors import AppImportError  # type: ignore[import-untyped]

from sentiment.errors import SentimentError
from service import master
from service.app import create_app

RETRY_SECONDS = 1.0
# Of what a batch needs, at once; larger pieces go back to the system when it is answered. With 1 MiB a short text cost
# 0.2 ms more, as pieces that it needs were taken from the system anew.
MAX_KEPT_BYTES = 4 << 20

_M_MMAP_THRESHOLD = -3  # its name in malloc.h
_log = logging.getLogger(__name__)


def application() -> Flask:
    """Return the app of the environment. A model or setting that is refused stops gunicorn with that one line.

    Unless a worker has served before: then this one alone ends, and gunicorn tries again, while the others serve.
    """
    try:
        app = create_app()
    except SentimentError as error:
        if not master.has_served():
            raise AppImportError(str(error)) from None
        _log.critical("this worker can't start: %s", error)
        time.sleep(RETRY_SECONDS)  # or the master would start them as fast as they end
        sys.exit(1)
    # What is loaded stays: looking through all of it for garbage would hold every answer up, again and again.
    gc.collect()
    gc.freeze()
    # Else glibc raises the bound with every larger piece it meets, and a worker keeps what its largest batches took.
    with contextlib.suppress(AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, MAX_KEPT_BYTES)
    return app
