"""Define the command-line application and the options that several commands share."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from sentiment import __version__
from sentiment.abstention import threshold_for
from sentiment.cli.networks import Dtype
from sentiment.default import model_folder
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


MODEL_HELP = "Model folder; `default` is the model that comes with the package."
Model = Annotated[
    Path, typer.Option("--model", help=MODEL_HELP, parser=model_folder, metavar="FOLDER", show_default="default")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TextColumn = Annotated[str, typer.Option(help="Column with the texts.")]
LabelColumn = Annotated[str, typer.Option(help="Column with the labels.")]
Separator = Annotated[
    str | None,
    typer.Option(
        help="Separator of CSV and TSV files; default: comma or tab, by the suffix.",
        callback=lambda value: value and value.replace("\\t", "\t"),  # as shells let one write a tab
    ),
]
Abstain = Annotated[
    float | None,
    typer.Option(help="Maximum error rate among the answers given, as 0.15; other texts become `uncertain`."),
]
Replace = Annotated[bool, typer.Option("--replace", help="Replace the model that is already in --out.")]
SkipEmpty = Annotated[bool, typer.Option(help="Skip rows without text.")]
SkipBadRows = Annotated[bool, typer.Option(help="Skip rows that can't be read or have no label.")]
FILES_HELP = "Labelled CSV, TSV, JSONL, Parquet or Arrow files; also folders, globs and URLs."
Files = Annotated[list[str] | None, typer.Argument(help=FILES_HELP)]
Dev = Annotated[list[str] | None, typer.Option(help="Dev files; default: a tenth of the training rows.")]
TrainingDtype = Annotated[
    Dtype | None,
    typer.Option(help="Number format for training; auto measures which is faster here.", show_default="auto"),
]
Labels = Annotated[
    str | None,
    typer.Option(help="Map column values to labels: 1-2=negative,3=neutral,4-5=positive; 3= skips these rows."),
]


def read_threshold(abstain: float, classifier: "AnyModel") -> float:
    """Return the threshold for an error rate. Raises ConfigError if the model can't promise this rate."""
    if classifier.task == "regression":
        raise ConfigError(f"--abstain is for models of labels; {classifier.name!r} answers with a number")
    return threshold_for(abstain, classifier.metrics, classifier.name)
