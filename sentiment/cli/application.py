"""Define the command-line application and the options that several commands share."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from sentiment import __version__
from sentiment.abstention import threshold_for
from sentiment.cli.networks import Dtype
from sentiment.errors import ConfigError
from sentiment.events import BROKEN_PIPE, discard_output

if TYPE_CHECKING:
    from sentiment.classifier import AnyModel

app = typer.Typer(
    name="sentiment",
    help="Sentiment of texts by a small bidirectional LSTM.",
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
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version, and exit.")
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


Model = Annotated[Path, typer.Option("--model", help="Model folder.", show_default="the one that comes with it")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
TextColumn = Annotated[str, typer.Option(help="The column that holds the text.")]
LabelColumn = Annotated[str, typer.Option(help="The column that holds the label.")]
Separator = Annotated[
    str | None,
    typer.Option(
        help="The character between the cells of CSV and TSV files; by default that of the suffix.",
        callback=lambda value: value and value.replace("\\t", "\t"),  # as shells let one write a tab
    ),
]
Abstain = Annotated[
    float | None,
    typer.Option(help="Label texts `uncertain`, so that at most this share of the other answers is wrong: 0.15."),
]
SkipEmpty = Annotated[bool, typer.Option(help="Leave rows without text out.")]
SkipBadRows = Annotated[bool, typer.Option(help="Leave rows out that can't be read or have no label.")]
FILES_HELP = "Labelled files: CSV, TSV, JSONL, Parquet or Arrow; folders, globs and URLs of such."
Files = Annotated[list[str] | None, typer.Argument(help=FILES_HELP)]
Dev = Annotated[list[str] | None, typer.Option(help="Files to judge by; else a tenth is split off.")]
TrainingDtype = Annotated[
    Dtype | None,
    typer.Option(help="Number format of a step's products; auto measures which is quicker here.", show_default="auto"),
]
Labels = Annotated[
    str | None,
    typer.Option(
        help="Names for what the label column holds: 1-2=negative,3=neutral,4-5=positive. 3= leaves rows out."
    ),
]


def read_threshold(abstain: float, classifier: "AnyModel") -> float:
    """Return the threshold for an error rate. Raises ConfigError if the model can't promise this rate."""
    if classifier.task == "regression":
        raise ConfigError(f"--abstain is for models of labels; {classifier.name!r} answers with a number")
    return threshold_for(abstain, classifier.metrics, classifier.name)
