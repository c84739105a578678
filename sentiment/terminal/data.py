"""Print data sets and the progress of downloads."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from sentiment.terminal import screen
from sentiment.text.scripts import contradiction

if TYPE_CHECKING:
    from sentiment.training.data.report import DataReport


MOST_LABELS = 20  # in a table


def print_data(report: "DataReport", language: str) -> None:
    """Print what the sets of rows hold, read as this language, and what in them is worth a second look."""
    sets = [*((part, "train") for part in report.train), *((part, "dev") for part in report.dev)]
    table = screen.table("data", "role", "rows", "words, median", "95 %", "longest")
    for part, role in sets:
        lengths = (f"{part.words_median:g}", f"{part.words_p95:,.0f}", f"{part.words_most:,}")
        table.add_row(part.name, role, f"{part.rows:,}", *lengths)
    screen.console.print(table)
    if any(part.values for part, _ in sets):
        table = screen.table("data", "role", "smallest", "mean", "largest")
        for part, role in sets:
            table.add_row(part.name, role, *(f"{value:.4g}" for value in (part.values or {}).values()))
    else:
        table = _labels_table(report)
    screen.console.print(table)
    if wrong := contradiction(report.scripts, language):
        screen.console.print(f"Is the language right? In the texts {wrong}; --language names another.")
    if report.similar_labels:
        groups = "; ".join(
            " and ".join(f"{label!r:.60} ({rows:,} rows)" for label, rows in group.items())
            for group in report.similar_labels
        )
        screen.console.print(
            f"Labels differ only in case or spaces: {groups}. If they mean one, give it with --labels."
        )
    for line in left_out(sum(part.without_text for part, _ in sets), sum(part.unreadable for part, _ in sets)):
        screen.console.print(line)
    dropped = report.train_rows_also_in_dev_dropped
    if dropped:
        screen.console.print(f"{dropped:,} training rows were left out: their text is in a dev set, too.")
    if report.repeated_rows:
        screen.console.print(f"{report.repeated_rows:,} training rows repeat the text of another.")
    torn = report.conflicting_texts
    if torn:
        example = " ".join(torn[0].split())[:80]
        found = f"{len(torn):,} texts stand there with several labels, which nothing can learn: “{example}”, for one."
        screen.console.print(found)


def left_out(without_text: int, unreadable: int) -> Iterator[str]:
    """Yield a line a reason for which rows were left out."""
    if without_text:
        yield f"{without_text:,} rows without text were left out."
    if unreadable:
        yield f"{unreadable:,} rows that can't be read or have no label were left out."


def _labels_table(report: "DataReport") -> Table:
    """Return a line a label, how many rows have it, and their share: there may be more labels than a line can hold."""
    counts = [sum((Counter(part.labels) for part in parts), Counter[str]()) for parts in (report.train, report.dev)]
    labels = list(report.train[0].labels)
    if len(labels) > MOST_LABELS:
        labels.sort(key=lambda label: -counts[0][label])
    lines = [(label, [each[label] for each in counts]) for label in labels[:MOST_LABELS]]
    if len(labels) > MOST_LABELS:
        others = labels[MOST_LABELS:]
        lines.append((f"{len(others):,} others", [sum(each[label] for label in others) for each in counts]))
    table = screen.table("label", "train rows", "share", "dev rows", "share")
    totals = [max(1, each.total()) for each in counts]  # there is no dev row where cross-validation judges
    for name, numbers in lines:
        shares = [(f"{number:,}", f"{number / total:.1%}") for number, total in zip(numbers, totals, strict=True)]
        table.add_row(name, *shares[0], *shares[1])
    return table


@contextmanager
def download_progress() -> Iterator[Callable[[int, int | None], None]]:
    """Yield a report function for a download: a bar on a terminal, nothing in a pipe."""
    columns = (TextColumn("fetching"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen.console, transient=True, disable=not screen.console.is_terminal) as bar:
        line = bar.add_task("", total=None)
        yield lambda done, total: bar.update(line, completed=done, total=total)
