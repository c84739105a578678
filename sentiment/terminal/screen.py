"""The one console, and tables as it takes them: with lines on a terminal, none in a pipe."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table

from sentiment.events import discard_output


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Goes on without a word where rich would end the command, as if some rows had been rejected."""
        self.quiet = True
        discard_output()


console = _Console()
if not console.is_terminal:
    console = _Console(width=1000)  # a pipe has no edge to break lines at


@contextmanager
def silence(wanted: bool) -> Iterator[None]:
    """Prints nothing meanwhile, where it is wanted: events, or another process, say the same."""
    before = console.quiet
    console.quiet = before or wanted
    try:
        yield
    finally:
        console.quiet = before


def table(*columns: str, **settings: Any) -> Table:
    """A table: with lines on a terminal, none in a pipe."""
    if console.is_terminal:
        return Table(*columns, **settings)
    return Table(*columns, box=None, pad_edge=False, **settings)
