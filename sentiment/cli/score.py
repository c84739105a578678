"""The command that labels files."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from sentiment.cli.application import DEFAULT_MODEL, Model, TextColumn, app


@app.command()
def score(
    source: Annotated[Path, typer.Argument(metavar="IN", help="CSV, TSV, JSONL, Parquet or text file.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File to write, its format by its suffix.")],
    model: Model = DEFAULT_MODEL,
    text_column: TextColumn = "text",
) -> None:
    """Add label and probabilities to every row of a file."""
    from sentiment.classifier import load
    from sentiment.scoring.job import score as score_file
    from sentiment.terminal import print_summary, scoring_progress

    with scoring_progress() as report:
        summary = score_file(load(model), source, target, text_column, report)
    print_summary(summary)
    if summary.rejected:
        sys.exit(1)
