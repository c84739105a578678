"""Define the command-line application."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from sentiment import __version__
from sentiment.abstention import threshold_for
from sentiment.errors import ConfigError
from sentiment.events import BROKEN_PIPE, discard_output

if TYPE_CHECKING:
    from sentiment.classifier import AnyModel

app = typer.Typer(
    name="sentiment",
    help="Classify the sentiment of texts with a small bidirectional LSTM.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sentiment {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Take the options of all commands."""


class Answering(TyperCommand):
    """A command whose result is its output: it ends if that can't be written. Others continue their work."""

    def invoke(self, context: Any) -> Any:
        """Run the command. Exits with 141 where the reader of its output has left, as shells say of a broken pipe."""
        from sentiment.terminal.screen import console

        if sys.stdout is None:
            raise ConfigError("standard output is closed, and the answer goes there: send it to a file or a pipe")
        console.must_print = True
        try:
            return super().invoke(context)
        except BrokenPipeError:
            discard_output()
            raise typer.Exit(BROKEN_PIPE) from None
        finally:
            console.must_print = False


def read_threshold(abstain: float, classifier: "AnyModel") -> float:
    """Return the threshold for an error rate. Raises ConfigError if the model can't promise this rate."""
    if classifier.task == "regression":
        raise ConfigError(f"--abstain is for models of labels; {classifier.name!r} answers with a number")
    return threshold_for(abstain, classifier.metrics, classifier.name)
