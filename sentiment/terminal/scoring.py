"""Print a scoring job: a bar on a terminal, only its summary in a pipe."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from sentiment.terminal import screen

if TYPE_CHECKING:
    from sentiment.scoring.job import Progress as ScoringProgress
    from sentiment.scoring.job import ScoringSummary


@contextmanager
def scoring_progress() -> Iterator[Callable[["ScoringProgress"], None]]:
    """Yield a report function for a scoring job: a bar on a terminal, nothing in a pipe."""
    columns = (
        SpinnerColumn(),
        BarColumn(),
        TextColumn(
            "{task.fields[rows]:,} rows · {task.fields[speed]:,.0f} rows/s · {task.fields[tokens]:,.0f} tokens/s · "
            "{task.fields[unknown]:.1%} unknown · {task.fields[rejected]:,} rejected"
        ),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    from sentiment.scoring.events import Speedometer

    speedometer = Speedometer()
    with Progress(*columns, console=screen.console, transient=True, disable=not screen.console.is_terminal) as bar:
        task = bar.add_task("scoring", total=1.0, rows=0, rejected=0, speed=0.0, tokens=0.0, unknown=0.0)

        def report(progress: "ScoringProgress") -> None:
            speed = speedometer.speed(progress)
            bar.update(
                task,
                completed=progress.fraction,
                rows=progress.rows,
                rejected=progress.rejected,
                speed=speed.rows_per_second,
                tokens=speed.tokens_per_second,
                unknown=progress.unknown_tokens / max(progress.tokens, 1),
            )

        yield report


def print_summary(summary: "ScoringSummary") -> None:
    """Print what became of every row of a scored file."""
    speed = (summary.rows - summary.resumed) / max(summary.seconds, 1e-9)
    if summary.resumed:
        screen.console.print(f"{summary.resumed:,} rows were finished earlier.")
    screen.console.print(
        f"{summary.rows:,} rows = {summary.scored:,} scored + {summary.rejected:,} rejected, {speed:,.0f} rows/s",
    )
    if summary.labels:
        shares = (f"{label} {count / max(summary.scored, 1):.1%}" for label, count in summary.labels.items())
        screen.console.print(f"labels: {', '.join(shares)}")
    unknown = summary.unknown_tokens / max(summary.tokens, 1)
    screen.console.print(f"unknown tokens: {unknown:.1%}; truncated texts: {summary.truncated:,}")
    for line in _drift_lines(summary):
        screen.console.print(line, soft_wrap=True)
    screen.console.print(f"written: {summary.output_path}", soft_wrap=True)
    if summary.rejects_path is not None:
        screen.console.print(f"rejected rows, each with its reason: {summary.rejects_path}", soft_wrap=True)


def _drift_lines(summary: "ScoringSummary") -> Iterator[str]:
    from sentiment.scoring.drift import UNKNOWN, meaning

    if summary.drift is None:
        yield f"drift: not known, the model {UNKNOWN}"
    elif summary.drift:
        nearest = [each for each in summary.drift if each.data == summary.drift[0].data]
        amounts = ", ".join(f"{each.of} {each.amount} ({each.index:.2f})" for each in nearest)
        yield f"drift from {nearest[0].data}: {amounts}"
        yield meaning(nearest)
