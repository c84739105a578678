"""How results and progress look on a terminal, and in a pipe: one plain line an epoch or a file."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table
from rich.text import Text

from sentiment.abstention import METRIC, AbstentionTable
from sentiment.bundle import Bundle
from sentiment.config import Task
from sentiment.events import discard_output

if TYPE_CHECKING:
    from sentiment.evaluation.comparison import Comparison
    from sentiment.evaluation.intervals import Estimate
    from sentiment.scoring.job import Progress as ScoringProgress
    from sentiment.scoring.job import ScoringSummary
    from sentiment.training.data_report import DataReport
    from sentiment.training.encoder_comparison import Compared
    from sentiment.training.loop import Progress as TrainingProgress
    from sentiment.training.tuning import Trial, TrialProgress


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Goes on without a word where rich would end the command, as if some rows had been rejected."""
        self.quiet = True
        discard_output()


console = _Console()
if not console.is_terminal:
    console = _Console(width=1000)  # a pipe has no edge to break lines at
MOST_LABELS = 20  # in a table


def print_data(report: "DataReport") -> None:
    """Prints what the sets of rows hold, and what in them is worth a second look."""
    sets = [*((part, "train") for part in report.train), *((part, "dev") for part in report.dev)]
    table = _table("data", "role", "rows", "words, median", "95 %", "longest")
    for part, role in sets:
        lengths = (f"{part.words_median:g}", f"{part.words_p95:,.0f}", f"{part.words_most:,}")
        table.add_row(escape(part.name), role, f"{part.rows:,}", *lengths)
    console.print(table)
    if any(part.values for part, _ in sets):
        table = _table("data", "role", "smallest", "mean", "largest")
        for part, role in sets:
            table.add_row(escape(part.name), role, *(f"{value:.4g}" for value in (part.values or {}).values()))
    else:
        table = _labels_table(report)
    console.print(table)
    skipped = sum(part.without_text for part, _ in sets)
    if skipped:
        console.print(f"{skipped:,} rows without text were left out.", highlight=False)
    dropped = report.train_rows_also_in_dev_dropped
    if dropped:
        console.print(f"{dropped:,} training rows were left out: their text stands in a dev set, too.", highlight=False)
    if report.repeated_rows:
        console.print(f"{report.repeated_rows:,} training rows repeat the text of another.", highlight=False)
    torn = report.conflicting_texts
    if torn:
        example = " ".join(torn[0].split())[:80]
        found = f"{len(torn):,} texts stand there with several labels, which nothing can learn: “{example}”, for one."
        console.print(found, markup=False, highlight=False)


def _labels_table(report: "DataReport") -> Table:
    """A line a label, how many rows have it, and their share: there may be more labels than a line can hold."""
    counts = [sum((Counter(part.labels) for part in parts), Counter[str]()) for parts in (report.train, report.dev)]
    labels = list(report.train[0].labels)
    if len(labels) > MOST_LABELS:
        labels.sort(key=lambda label: -counts[0][label])
    lines = [(escape(label), [each[label] for each in counts]) for label in labels[:MOST_LABELS]]
    if len(labels) > MOST_LABELS:
        others = labels[MOST_LABELS:]
        lines.append((f"{len(others):,} others", [sum(each[label] for label in others) for each in counts]))
    table = _table("label", "train rows", "share", "dev rows", "share")
    for name, numbers in lines:
        shares = [(f"{number:,}", f"{number / each.total():.1%}") for number, each in zip(numbers, counts, strict=True)]
        table.add_row(name, *shares[0], *shares[1])
    return table


def _table(*columns: str, **settings: Any) -> Table:
    """A table: with lines on a terminal, none in a pipe."""
    if console.is_terminal:
        return Table(*columns, **settings)
    return Table(*columns, box=None, pad_edge=False, **settings)


@contextmanager
def download_progress() -> Iterator[Callable[[int, int | None], None]]:
    """A report function for a download: a bar on a terminal, nothing in a pipe."""
    columns = (TextColumn("fetching"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        line = bar.add_task("", total=None)
        yield lambda done, total: bar.update(line, completed=done, total=total)


@contextmanager
def training_progress(task: Task) -> Iterator[Callable[["TrainingProgress"], None]]:
    """A report function for the training loop: a bar on a terminal, and a line at each epoch's end."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("loss {task.fields[loss]:.3f} · {task.fields[speed]:,.0f} tokens/s · {task.fields[left]}"),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        line = bar.add_task("reading", total=None, loss=0.0, speed=0.0, left="?")

        def report(progress: "TrainingProgress") -> None:
            left = _left(progress)
            bar.update(
                line,
                description=f"epoch {progress.epoch}/{progress.epochs}",
                total=progress.steps,
                completed=progress.step,
                loss=progress.loss,
                speed=progress.tokens_per_second,
                left=left,
            )
            if progress.dev_score is not None:
                bar.console.print(
                    f"epoch {progress.epoch}/{progress.epochs}: loss {progress.loss:.4f}, "
                    f"dev {_judged(progress.dev_score, task)}, "
                    f"{progress.tokens_per_second:,.0f} tokens/s, {left}",
                    soft_wrap=True,
                )

        yield report


def _left(progress: "TrainingProgress") -> str:
    seconds = progress.seconds_left
    if progress.dev_score is not None and seconds == 0:
        return "done"
    return f"{seconds / 60:.0f} min left" if seconds >= 90 else f"{seconds:.0f} s left"


def _judged(score: float, task: Task) -> str:
    return f"macro-recall {score:.2%}" if task == "classification" else f"RMSE {-score:.4g}"


@contextmanager
def tuning_progress() -> Iterator[Callable[["TrialProgress"], None]]:
    """A report function for a search: a bar of the trial's training on a terminal, nothing in a pipe."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        line = bar.add_task("reading", total=None)

        def report(progress: "TrialProgress") -> None:
            training = progress.training
            bar.update(
                line,
                description=f"trial {progress.number}/{progress.trials} · epoch {training.epoch}/{training.epochs}",
                total=training.steps,
                completed=training.step,
            )

        yield report


def print_trial(trial: "Trial", trials: int, task: Task) -> None:
    """Prints how a trial of a search ended."""
    judged = f", dev {_judged(trial.dev_score, task)}" if trial.dev_score is not None else ""
    line = f"trial {trial.number}/{trials}: {trial.outcome}{judged}; {_settings(trial)}"
    console.print(line, highlight=False, soft_wrap=True, markup=False)


def _settings(trial: "Trial") -> str:
    return ", ".join(f"{name.split('.')[1]} {value:.3g}" for name, value in trial.values.items())


def print_study(trials: "Sequence[Trial]", best: "Trial", recipe: Path, page: Path, task: Task) -> None:
    """Prints what a search found and what to do with it."""
    first = trials[0]
    if best.dev_score is not None:
        line = f"Best: trial {best.number}, dev {_judged(best.dev_score, task)}"
        if best is not first and first.dev_score is not None:
            line += f" (the settings given: {_judged(first.dev_score, task)})"
        console.print(line, highlight=False)
    table = _table("setting", "given", "best")
    for name, value in best.values.items():
        table.add_row(name, f"{first.values[name]:.4g}", f"{value:.4g}")
    console.print(table)
    console.print(f"Its recipe is {recipe}, the plots are {page}. Next:", highlight=False, soft_wrap=True)
    console.print(f"  sentiment train --recipe {recipe} --out models/tuned", highlight=False, soft_wrap=True)


def print_trained(bundle: Bundle, folder: Path, version: str) -> None:
    """Prints the figures of a new model and what to do with it."""
    measured = (
        ("Pearson r", "MAE", "RMSE") if bundle.task == "regression" else ("accuracy", "macro-F1", "macro-recall", "ECE")
    )
    blind: dict[str, str] = {}
    table = _table("dev set", "rows", *measured, title=f"{bundle.name} {version}")
    for name, figures in bundle.metrics["dev"].items():
        if bundle.task == "regression":
            shown = [f"{figures['pearson_r']:.3f}", f"{figures['mae']:.4g}", f"{figures['rmse']:.4g}"]
        else:
            shown = [f"{figures[key]:.1%}" for key in ("accuracy", "macro_f1", "macro_recall", "ece")]
            said = [
                figures["labels"][place]
                for place, rows in enumerate(zip(*figures["confusion"], strict=True))
                if any(rows)
            ]
            if len(said) < min(2, len(figures["labels"])):
                blind[name] = said[0]
        table.add_row(name, f"{figures['rows']:,}", *shown)
    console.print(table)
    for name, label in blind.items():
        warning = f"Every row of {name} is answered {label!r}: the model does not tell the labels apart."
        console.print(warning, style="yellow", markup=False, highlight=False, soft_wrap=True)
    console.print(f"Written to {folder}. Next:", highlight=False)
    for command in (
        f'sentiment predict --model {folder} "a text of yours"',
        f"sentiment evaluate --model {folder} --data FILE",
        f"sentiment serve --model {folder}",
    ):
        console.print(f"  {command}", highlight=False, soft_wrap=True)


@contextmanager
def scoring_progress() -> Iterator[Callable[["ScoringProgress"], None]]:
    """A report function for a scoring job: a bar on a terminal, nothing in a pipe."""
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
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
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
    """Prints what became of every row of a scored file."""
    speed = (summary.rows - summary.resumed) / max(summary.seconds, 1e-9)
    if summary.resumed:
        console.print(f"{summary.resumed:,} rows were done already: gone on after them.", highlight=False)
    console.print(
        f"{summary.rows:,} rows = {summary.scored:,} scored + {summary.rejected:,} rejected, {speed:,.0f} rows/s",
        highlight=False,
    )
    if summary.labels:
        shares = (f"{label} {count / max(summary.scored, 1):.1%}" for label, count in summary.labels.items())
        console.print(f"labels: {', '.join(shares)}", highlight=False)
    unknown = summary.unknown_tokens / max(summary.tokens, 1)
    console.print(f"unknown tokens: {unknown:.1%}; truncated texts: {summary.truncated:,}", highlight=False)
    for line in _drift_lines(summary):
        console.print(line, highlight=False, soft_wrap=True, markup=False)
    console.print(f"written: {summary.output_path}", highlight=False, soft_wrap=True)
    if summary.rejects_path is not None:
        console.print(f"rejected rows, each with its reason: {summary.rejects_path}", highlight=False, soft_wrap=True)


def _drift_lines(summary: "ScoringSummary") -> Iterator[str]:
    from sentiment.scoring.drift import UNKNOWN, meaning

    if summary.drift is None:
        yield f"drift: not known, the model {UNKNOWN}"
    elif summary.drift:
        nearest = [each for each in summary.drift if each.data == summary.drift[0].data]
        amounts = ", ".join(f"{each.of} {each.amount} ({each.index:.2f})" for each in nearest)
        yield f"drift from {nearest[0].data}: {amounts}"
        yield meaning(nearest)


def print_figures(figures: dict[str, Any]) -> None:
    """Prints what `evaluate` measured."""
    overall = _table("rows", "accuracy", "macro-F1", "macro-recall", "ECE")
    keys = ("accuracy", "macro_f1", "macro_recall", "ece")
    overall.add_row(f"{figures['rows']:,}", *(f"{figures[key]:.2%}" for key in keys))
    console.print(overall)
    if figures["renormalized"]:
        held = ", ".join(figures["labels"])
        console.print(f"The file holds {held} only: probabilities were renormalised over these.", highlight=False)
    classes = _table("label", "precision", "recall", "F1", "rows")
    for label in figures["labels"]:
        own = figures["per_class"][label]
        shares = (f"{own[key]:.2%}" for key in ("precision", "recall", "f1"))
        classes.add_row(escape(label), *shares, f"{own['rows']:,}")
    console.print(classes)
    said = _table("label", *(escape(f"said {label}") for label in figures["labels"]))
    for label, counts in zip(figures["labels"], figures["confusion"], strict=True):
        said.add_row(escape(label), *(f"{count:,}" for count in counts))
    console.print(said)


def print_value_figures(figures: dict[str, Any]) -> None:
    """Prints what `evaluate` measured of a model of numbers."""
    table = _table(f"{figures['rows']:,} rows", "", "95 % interval")
    for name, title in (
        ("pearson_r", "Pearson r"),
        ("mae", "mean absolute error"),
        ("rmse", "root mean squared error"),
    ):
        bounds = figures["intervals"][name]
        table.add_row(title, f"{figures[name]:.4g}", f"{bounds['low']:.4g} to {bounds['high']:.4g}")
    console.print(table)


def print_calibrated(old: Bundle, new: Bundle, folder: Path, version: str) -> None:
    """Prints what calibration changed and what the model can promise now."""
    console.print(f"temperature: {old.temperature:g} before, {new.temperature:g} now", highlight=False)
    table = _table("data", "rows", "accuracy", "ECE", *(f"wrong ≤ {promise:.0%}" for promise in PROMISES))
    for name, figures in new.metrics["dev"].items():
        levels = AbstentionTable.of(new.metrics[METRIC][name])
        table.add_row(
            escape(name),
            f"{figures['rows']:,}",
            *(f"{figures[key]:.1%}" for key in ("accuracy", "ece")),
            *(_answered(levels, promise) for promise in PROMISES),
        )
    console.print(table)
    console.print("Under a promise: the share of texts that are answered when it is kept (--abstain).", highlight=False)
    console.print(f"Written to {folder}, version {version}.", highlight=False, soft_wrap=True)


def _answered(table: AbstentionTable, promise: float) -> str:
    threshold = table.threshold(promise)
    if threshold is None:
        return "none"
    return f"{next(each.answered for each in table.levels if each.threshold == threshold) / table.rows:.0%}"


PROMISES = (0.02, 0.05, 0.1, 0.2)
SHOWN_FLIPS = 20


def print_encoders(compared: "Sequence[Compared]", out: Path) -> None:
    """Prints the networks side by side, and where the table and the picture are."""
    table = _table("network", "accuracy", "parameters", "training", "texts/s", title="Networks")
    for row in compared:
        table.add_row(
            row.network,
            f"{row.accuracy:.2%}",
            f"{row.parameters:,}",
            f"{row.training_seconds:,.0f} s",
            f"{row.texts_per_second:,.0f}",
        )
    console.print(table)
    console.print(f"The models, the table and the picture are in {out}.", highlight=False, soft_wrap=True)


def print_comparison(comparison: "Comparison", written: Path | None) -> None:
    """Prints how two models differ; where all flips were written to a file, says so."""
    table = _table("", "accuracy", "95 % interval")
    for name in ("old", "new", "difference"):
        estimate: Estimate = getattr(comparison, name if name == "difference" else f"{name}_accuracy")
        if name == "difference":
            points = [f"{100 * value:+.2f}" for value in (estimate.value, estimate.low, estimate.high)]
            table.add_row(name, f"{points[0]} points", f"{points[1]} to {points[2]} points")
        else:
            table.add_row(name, f"{estimate.value:.2%}", f"{estimate.low:.2%} to {estimate.high:.2%}")
    console.print(table)
    if comparison.renormalized:
        held = ", ".join(comparison.labels)
        console.print(f"The file holds {held} only: probabilities were renormalised over these.", highlight=False)
    console.print(comparison.counts, highlight=False)
    console.print(comparison.verdict, highlight=False)
    # What the new model breaks is what people must see before they take it.
    order = ("broken", "wrong", "mended")
    for flip in sorted(comparison.flips, key=lambda flip: order.index(flip.outcome))[:SHOWN_FLIPS]:
        old, new = flip.old_probabilities[flip.old_label], flip.new_probabilities[flip.new_label]
        said = f"{flip.old_label} {old:.0%} → {flip.new_label} {new:.0%}"
        line = f"{flip.outcome:<6}  row {flip.row:<6,}  {flip.label}: {said}  {' '.join(flip.text[:400].split())}"
        console.print(Text(line), no_wrap=True, overflow="ellipsis", highlight=False)
    if written is not None:
        console.print(f"All of them: {written}", highlight=False, soft_wrap=True)
    elif len(comparison.flips) > SHOWN_FLIPS:
        console.print(f"{len(comparison.flips) - SHOWN_FLIPS:,} more: --out FILE.csv or --json gives them all.")


def print_info(facts: dict[str, Any]) -> None:
    """Prints what a model is."""
    table = _table(show_header=False)
    for name, value in facts.items():
        if name != "metrics":
            shown = ", ".join(value) if isinstance(value, list) else f"{value:,}" if isinstance(value, int) else value
            table.add_row(name, shown)
    for name, figures in facts["metrics"].get("dev", {}).items():
        if facts["task"] == "regression":
            table.add_row(f"dev: {name}", f"Pearson r {figures['pearson_r']:.3f}, MAE {figures['mae']:.4g}")
        else:
            table.add_row(f"dev: {name}", f"accuracy {figures['accuracy']:.1%}, ECE {figures['ece']:.1%}")
    console.print(table)
