"""The command line. Each command checks its options, calls the library, and prints; heavy imports wait inside."""

import sys

import typer

from sentiment.cli import (  # noqa: F401  # each adds its command
    calibrate,
    check,
    compare,
    compare_encoders,
    distil,
    evaluate,
    explain,
    export,
    info,
    predict,
    score,
    serve,
    train,
)
from sentiment.cli.application import app
from sentiment.errors import SentimentError


def main() -> None:
    """Runs the command line: 0 done, 1 some texts refused, 2 nothing done and one line on standard error says why."""
    try:
        app()
    except SentimentError as error:
        typer.secho(f"error: {error}", fg="red", err=True)
        sys.exit(2)
