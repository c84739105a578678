"""Print the progress of a long command for programs: a JSON object a line, `{"event": NAME, ...}`."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

INTERVAL_SECONDS = 1.0  # between two lines of progress
BROKEN_PIPE = 128 + signal.SIGPIPE  # the exit code of a command whose reader has left


def print_line(line: str) -> None:
    """Print a line at once. If the reader has left or the disk is full, drop it: the work itself continues."""
    try:
        print(line, flush=True)
    except OSError:
        discard_output()


def discard_output() -> None:
    """Send standard output, and what is buffered of it, nowhere from now on: its reader has left."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class EventLines:
    """Writes an event a line; of progress, one each second at most."""

    def __init__(self, write: Callable[[str], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._next = clock()

    def event(self, name: str, /, **figures: Any) -> None:
        """Print one event."""
        self._write(json.dumps({"event": name, **figures}, default=str))

    def progress(self, **figures: Any) -> None:
        """Print a `progress` event, unless the last was just before."""
        if self._clock() >= self._next:
            self._next = self._clock() + INTERVAL_SECONDS
            self.event("progress", **figures)
