"""Measure a job's speed for its progress bar, and report it as JSON lines."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from sentiment.events import EventLines
from sentiment.scoring.job import Progress, ScoringSummary


@dataclass(frozen=True, slots=True)
class Speed:
    """The speed of a job since this process started."""

    rows_per_second: float
    tokens_per_second: float
    seconds_left: float | None  # None until there is something to go by


class Speedometer:
    """Computes speeds from the progress reported; the first report is the start."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first: Progress | None = None
        self._started = 0.0

    def speed(self, progress: Progress) -> Speed:
        """Return the speed so far."""
        if self._first is None:
            self._first, self._started = progress, self._clock()
        seconds = max(self._clock() - self._started, 1e-9)
        done = progress.fraction - self._first.fraction
        return Speed(
            rows_per_second=(progress.rows - self._first.rows) / seconds,
            tokens_per_second=(progress.tokens - self._first.tokens) / seconds,
            seconds_left=seconds * (1 - progress.fraction) / done if done > 0 else None,
        )


class JsonEvents:
    """Writes a line each second at most, `{"event": "progress", ...}`, and one at the end, `{"event": "done", ...}`."""

    def __init__(self, write: Callable[[str], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._lines = EventLines(write, clock)
        self._speedometer = Speedometer(clock)

    def progress(self, progress: Progress) -> None:
        """Print one event, unless the last was just before."""
        self._lines.progress(**asdict(progress), **asdict(self._speedometer.speed(progress)))

    def done(self, summary: ScoringSummary) -> None:
        """Print the last event."""
        self._lines.event("done", **asdict(summary))
