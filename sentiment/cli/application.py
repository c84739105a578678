"""The application that the commands belong to, and the options that several of them share."""

from pathlib import Path
from typing import Annotated

import typer

from sentiment.cli.networks import Dtype

app = typer.Typer(
    name="sentiment",
    help="Sentiment of texts by a small bidirectional LSTM.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Model = Annotated[Path, typer.Option("--model", help="Model folder.", show_default="the one that comes with it")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
TextColumn = Annotated[str, typer.Option(help="The column that holds the text.")]
LabelColumn = Annotated[str, typer.Option(help="The column that holds the label.")]
Separator = Annotated[
    str | None,
    typer.Option(
        help="What stands between the cells of CSV and TSV files; else what the suffix says.",
        callback=lambda value: value and value.replace("\\t", "\t"),  # as shells let one write a tab
    ),
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
