"""How results and progress look on a terminal, and in a pipe: one plain line an epoch or a file."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from sentiment.abstention import METRIC, AbstentionTable
from sentiment.bundle import Bundle
from sentiment.config import Task

if TYPE_CHECKING:
    from sentiment.evaluation.comparison import Comparison
    from sentiment.evaluation.intervals import Estimate
    from sentiment.scoring.job import Progress as ScoringProgress
    from sentiment.scoring.job import ScoringSummary
    from sentiment.training.encoder_comparison import Compared
    from sentiment.training.loop import Progress as TrainingProgress
    from sentiment.training.trainer import Data

console = Console()


def print_data(data: "Data") -> None:
    """Prints what the recipe's files hold, and what in them is worth a second look."""
    from sentiment.training.dataset import repeated

    counted = data.labels or ("smallest", "mean", "largest")
    table = Table("file", "role", "rows", *counted, "words, median", "longest", title="Data")
    for role, parts in (("train", data.train), ("dev", data.dev)):
        for part in parts:
            shares = Counter(part.labels)
            counts = [f"{shares[label]:,} ({shares[label] / len(part.labels):.0%})" for label in data.labels]
            if part.values is not None:
                counts = [f"{each:.4g}" for each in (min(part.values), fmean(part.values), max(part.values))]
            lengths = [len(text.split()) for text in part.texts]
            longest = f"{max(lengths):,}"
            table.add_row(part.name, role, f"{len(part.texts):,}", *counts, f"{median(lengths):g}", longest)
    console.print(table)
    skipped = sum(part.skipped for part in (*data.train, *data.dev))
    if skipped:
        console.print(f"{skipped:,} rows without text were left out.")
    if data.in_dev:
        console.print(f"{data.in_dev:,} training rows were left out: their text stands in a dev set.")
    again, torn = repeated([part for part in data.train if part.probabilities is None])
    if again:
        console.print(f"{again:,} training rows repeat the text of another.")
    if torn and data.labels:
        example = " ".join(torn[0].split())[:80]
        found = f"{len(torn):,} texts stand there with several labels, which nothing can learn: “{example}”, for one."
        console.print(found, markup=False, highlight=False)


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
                score = progress.dev_score
                judged = f"macro-recall {score:.2%}" if task == "classification" else f"RMSE {-score:.4g}"
                bar.console.print(
                    f"epoch {progress.epoch}/{progress.epochs}: loss {progress.loss:.4f}, "
                    f"dev {judged}, "
                    f"{progress.tokens_per_second:,.0f} tokens/s, {left}",
                    soft_wrap=True,
                )

        yield report


def _left(progress: "TrainingProgress") -> str:
    seconds = progress.seconds_left
    if progress.dev_score is not None and seconds == 0:
        return "done"
    return f"{seconds / 60:.0f} min left" if seconds >= 90 else f"{seconds:.0f} s left"


def print_trained(bundle: Bundle, folder: Path, version: str) -> None:
    """Prints the figures of a new model and what to do with it."""
    measured = (
        ("Pearson r", "MAE", "RMSE") if bundle.task == "regression" else ("accuracy", "macro-F1", "macro-recall", "ECE")
    )
    blind: dict[str, str] = {}
    table = Table("dev set", "rows", *measured, title=f"{bundle.name} {version}")
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
    console.print(f"written: {summary.output_path}", highlight=False, soft_wrap=True)
    if summary.rejects_path is not None:
        console.print(f"rejected rows, each with its reason: {summary.rejects_path}", highlight=False, soft_wrap=True)


def print_figures(figures: dict[str, Any]) -> None:
    """Prints what `evaluate` measured."""
    overall = Table("rows", "accuracy", "macro-F1", "macro-recall", "ECE")
    keys = ("accuracy", "macro_f1", "macro_recall", "ece")
    overall.add_row(f"{figures['rows']:,}", *(f"{figures[key]:.2%}" for key in keys))
    console.print(overall)
    if figures["renormalized"]:
        held = ", ".join(figures["labels"])
        console.print(f"The file holds {held} only: probabilities were renormalised over these.", highlight=False)
    classes = Table("label", "precision", "recall", "F1", "rows", *(f"said {label}" for label in figures["labels"]))
    for label, counts in zip(figures["labels"], figures["confusion"], strict=True):
        own = figures["per_class"][label]
        shares = (f"{own[key]:.2%}" for key in ("precision", "recall", "f1"))
        classes.add_row(label, *shares, f"{own['rows']:,}", *(f"{count:,}" for count in counts))
    console.print(classes)


def print_value_figures(figures: dict[str, Any]) -> None:
    """Prints what `evaluate` measured of a model of numbers."""
    table = Table(f"{figures['rows']:,} rows", "", "95 % interval")
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
    table = Table("data", "rows", "accuracy", "ECE", *(f"wrong ≤ {promise:.0%}" for promise in PROMISES))
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
    table = Table("network", "accuracy", "parameters", "training", "texts/s", title="Networks")
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
    table = Table("", "accuracy", "95 % interval")
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
    table = Table(show_header=False)
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
