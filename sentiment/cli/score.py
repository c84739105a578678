"""The command that labels files."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from sentiment.cli.application import DEFAULT_MODEL, Model, TextColumn, app


@app.command()
def score(
    source: Annotated[Path, typer.Argument(metavar="IN", help="CSV, TSV, JSONL, Parquet or text file.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File to write, its format by its suffix.")],
    model: Model = DEFAULT_MODEL,
    text_column: TextColumn = "text",
    columns: Annotated[str | None, typer.Option(help="Input columns to keep, as a,b; else all.")] = None,
    top_only: Annotated[bool, typer.Option(help="Add the label and its probability, no more.")] = False,
    max_rejects: Annotated[int | None, typer.Option(min=0, help="Stop when more rows are rejected.")] = None,
    shard_rows: Annotated[
        int | None, typer.Option(min=1, help="Rows between two checkpoints: what a crash costs at most.")
    ] = None,
    restart: Annotated[bool, typer.Option(help="Start anew, not where a killed job stopped.")] = False,
) -> None:
    """Add label and probabilities to every row of a file.

    The same command after a crash goes on where the job was, and writes the same bytes.
    """
    with _stopping_on_signals():
        from sentiment.classifier import load
        from sentiment.scoring.job import SHARD_ROWS
        from sentiment.scoring.job import score as score_file
        from sentiment.terminal import print_summary, scoring_progress

        with scoring_progress() as report:
            summary = score_file(
                load(model),
                source,
                target,
                text_column,
                report,
                columns=None if columns is None else [name for name in columns.split(",") if name],
                top_only=top_only,
                max_rejects=max_rejects,
                shard_rows=SHARD_ROWS if shard_rows is None else shard_rows,
                restart=restart,
            )
    print_summary(summary)
    if summary.rejected:
        sys.exit(1)


class _Stopped(KeyboardInterrupt):
    """A signal asked for the end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def _stopping_on_signals() -> Iterator[None]:
    """SIGINT and SIGTERM end the command with one line and the exit code that shells expect of them."""

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)  # a second one ends it at once: that loses nothing either
        raise _Stopped(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except _Stopped as stopped:
        name = signal.Signals(stopped.number).name
        typer.secho(f"error: stopped by {name}; the same command goes on from what is done", fg="red", err=True)
        raise typer.Exit(128 + stopped.number) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
