"""Stop a long command on a signal."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import typer


class _Stopped(KeyboardInterrupt):
    """A signal asked for the end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def resuming(*, restart: bool) -> str:
    """Return how a command that is stopped now will resume."""
    return f"; the same command{' without --restart' if restart else ''} resumes"


@contextmanager
def stopping_on_signals(what_next: str) -> Iterator[None]:
    """Stop the command on SIGINT and SIGTERM, with one line and the exit code that shells expect."""

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)  # a second one ends it at once: that loses nothing either
        raise _Stopped(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except _Stopped as stopped:
        name = signal.Signals(stopped.number).name
        typer.secho(f"error: stopped by {name}{what_next}", fg="red", err=True)
        raise typer.Exit(128 + stopped.number) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
