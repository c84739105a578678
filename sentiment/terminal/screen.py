"""The one console, and tables as it takes them: with lines on a terminal, none in a pipe."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sentiment.events import discard_output

# One character for one: places in a text stay what they were.
_VISIBLE = (
    {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n"}
    | {0x7F: "\u2421"}
    | dict.fromkeys(range(0x80, 0xA0), "\ufffd")
)


class PlainConsole(Console):
    """A console that shows text as it is: brackets are no markup, `:smile:` no emoji, an escape no colour."""

    must_print = False  # whether what it prints is what the command is for

    def __init__(self, **settings: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **settings)

    def render_str(self, text: str, **settings: Any) -> Text:
        """Return the text with its control characters visible."""
        return super().render_str(visible(text), **settings)

    def print(self, *objects: Any, **settings: Any) -> None:
        """Print. If that fails, end a command whose result is its output; others continue silently."""
        try:
            super().print(*objects, **settings)
        except OSError:
            if self.must_print:
                raise
            self.quiet = True
            discard_output()

    def on_broken_pipe(self) -> None:
        """Leave it to `print`, where rich would end the command as if some rows had been rejected."""
        raise  # the error that rich calls this for


console = PlainConsole()
if not console.is_terminal:
    console = PlainConsole(width=1000)  # a pipe has no edge to break lines at


def visible(text: str) -> str:
    """Return the text with a sign for each control character: an escape can't colour, move or clear the terminal."""
    return text if text.isprintable() else text.translate(_VISIBLE)


@contextmanager
def silence(wanted: bool) -> Iterator[None]:
    """Print nothing meanwhile, where it is wanted: events, or another process, say the same."""
    before = console.quiet
    console.quiet = before or wanted
    try:
        yield
    finally:
        console.quiet = before


def table(*columns: str, **settings: Any) -> Table:
    """Return a table: with lines on a terminal, none in a pipe."""
    if console.is_terminal:
        return Table(*columns, **settings)
    return Table(*columns, box=None, pad_edge=False, **settings)
