"""Report a training: its start, its progress and its result."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from sentiment.bundle import Bundle
from sentiment.events import EventLines
from sentiment.training.loop import Progress, Report


@dataclass(frozen=True)
class Start:
    """The facts of a training before its first step."""

    name: str
    rows: int  # that an epoch reads
    dev_rows: int
    labels: tuple[str, ...]
    parameters: int
    epochs: int
    steps_done: int  # by the killed training that this one resumes
    epochs_done: int
    settings: dict[str, str]  # all that decides how it goes, by name
    dtype: str  # of the steps' products
    seconds_per_step: dict[str, float]  # as measured in each format, where that decided


@dataclass(frozen=True)
class Done:
    """The result of a training."""

    path: str  # of the model folder
    version: str
    dev_score: float  # the best epoch's
    temperature: float
    dev: dict[str, Any]  # the figures of each dev set

    @classmethod
    def of(cls, bundle: Bundle, path: str, version: str) -> "Done":
        """Return that of a bundle which was saved to `path`."""
        return cls(path, version, bundle.metrics["training"]["dev_score"], bundle.temperature, bundle.metrics["dev"])


class Watcher(Protocol):
    """Observe a training."""

    def start(self, start: Start) -> None:
        """Report the start, once, before the first step."""

    def progress(self, progress: Progress) -> None:
        """Report the progress after each step; after the last of an epoch with its dev score."""

    def done(self, done: Done) -> None:
        """Report the result, once, when the model is saved."""


class Watchers:
    """Reports to each watcher, and to a progress bar."""

    def __init__(self, watchers: Sequence[Watcher], report: Report) -> None:
        self._watchers = watchers
        self._report = report

    def start(self, start: Start) -> None:
        """Pass it on."""
        for watcher in self._watchers:
            watcher.start(start)

    def progress(self, progress: Progress) -> None:
        """Pass it on; of cross-validation to the progress bar only."""
        self._report(progress)
        if progress.fold:  # of what is thrown away; a watcher follows the model that is kept
            return
        for watcher in self._watchers:
            watcher.progress(progress)

    def done(self, done: Done) -> None:
        """Pass it on."""
        for watcher in self._watchers:
            watcher.done(done)


class JsonWatcher:
    """Writes `start`, a `progress` each second at most, an `epoch` at each one's end, and `done`, as JSON lines."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._lines = EventLines(write)

    def start(self, start: Start) -> None:
        """Print the first line."""
        self._lines.event("start", **asdict(start))

    def progress(self, progress: Progress) -> None:
        """Print a line at an epoch's end, and now and then in between."""
        figures = asdict(progress)
        if progress.dev_score is None:
            del figures["dev_score"]
            self._lines.progress(**figures)
        else:
            self._lines.event("epoch", **figures)

    def done(self, done: Done) -> None:
        """Print the last line."""
        self._lines.event("done", **asdict(done))
