"""Print a training: a bar on a terminal, a line an epoch in a pipe."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
)

from sentiment.bundle import Bundle
from sentiment.config import Task
from sentiment.default import SHIPPED
from sentiment.terminal import screen

if TYPE_CHECKING:
    from sentiment.evaluation.intervals import Estimate
    from sentiment.training.comparison import Comparison
    from sentiment.training.events import Start
    from sentiment.training.loop import Progress as TrainingProgress
    from sentiment.training.preparation import Stage
    from sentiment.training.recipe import Recipe
    from sentiment.training.search.encoder_comparison import EncoderResult

CANDIDATES = {
    "model": "this model",
    "start": "its start, untouched",
    "linear": "a linear model (TF-IDF)",
    "majority": "the same answer always",
}
TOO_FEW = "too few rows"  # to know
FIGURES = {"accuracy": "accuracy", "macro_recall": "macro-recall", "ece": "ECE", "pearson_r": "Pearson r", "mae": "MAE"}


@contextmanager
def training_progress(task: Task) -> Iterator[Callable[["TrainingProgress"], None]]:
    """Yield a report function for the training loop: a bar on a terminal, and a line at each epoch's end."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("loss {task.fields[loss]:.3f} · {task.fields[speed]:,.0f} tokens/s · {task.fields[left]}"),
    )
    with Progress(*columns, console=screen.console, transient=True, disable=not screen.console.is_terminal) as bar:
        line = bar.add_task("reading", total=None, loss=0.0, speed=0.0, left="?")

        def report(progress: "TrainingProgress") -> None:
            left = _left(progress)
            fold = f"cross-validation {progress.fold}, " if progress.fold else ""
            bar.update(
                line,
                description=f"{fold}epoch {progress.epoch}/{progress.epochs}",
                total=progress.steps,
                completed=progress.step,
                loss=progress.loss,
                speed=progress.tokens_per_second,
                left=left,
            )
            if progress.dev_score is not None:
                bar.console.print(
                    f"epoch {progress.epoch}/{progress.epochs}: loss {progress.loss:.4f}, "
                    f"dev {judged(progress.dev_score, task)}, "
                    f"{progress.tokens_per_second:,.0f} tokens/s, {left}",
                    soft_wrap=True,
                )

        yield report


def print_start(recipe: "Recipe", start: "Start") -> None:
    """Print what a training starts from, the number format of its steps, and what each was measured to take."""
    model = recipe.training.start
    screen.console.print(f"Training starts from {'the default model' if model == SHIPPED else model}.", soft_wrap=True)
    seconds = ", ".join(f"{dtype} {spent:.3g} s" for dtype, spent in start.seconds_per_step.items())
    measured = f" (a step takes: {seconds})" if seconds else ""
    screen.console.print(f"Steps are computed in {start.dtype}{measured}.", soft_wrap=True)


def _left(progress: "TrainingProgress") -> str:
    seconds = progress.seconds_left
    if progress.dev_score is not None and seconds == 0:
        return "done"
    return f"{seconds / 60:.0f} min left" if seconds >= 90 else f"{seconds:.0f} s left"


def judged(score: float, task: Task) -> str:
    return f"macro-recall {score:.2%}" if task == "classification" else f"RMSE {-score:.4g}"


def print_trained(bundle: Bundle, folder: Path, version: str) -> None:
    """Print the figures of a new model and what to do with it."""
    from sentiment.training.comparison import MIN_ROWS_OF_ECE, Comparison

    measured = (
        ("Pearson r", "MAE", "RMSE") if bundle.task == "regression" else ("accuracy", "macro-F1", "macro-recall", "ECE")
    )
    blind: dict[str, str] = {}
    table = screen.table("dev set", "rows", *measured, title=f"{bundle.name} {version}")
    for name, figures in bundle.metrics["dev"].items():
        if bundle.task == "regression":
            shown = [f"{figures['pearson_r']:.3f}", f"{figures['mae']:.4g}", f"{figures['rmse']:.4g}"]
        else:
            shown = [f"{figures[key]:.1%}" for key in ("accuracy", "macro_f1", "macro_recall", "ece")]
            if figures["rows"] < MIN_ROWS_OF_ECE:
                shown[-1] = TOO_FEW
            said = [
                figures["labels"][place]
                for place, rows in enumerate(zip(*figures["confusion"], strict=True))
                if any(rows)
            ]
            if len(said) < min(2, len(figures["labels"])):
                blind[name] = said[0]
        table.add_row(name, f"{figures['rows']:,}", *shown)
    screen.console.print(table)
    for name, label in blind.items():
        warning = f"Every row of {name} is answered {label!r}: the model does not distinguish the labels."
        screen.console.print(warning, style="yellow", soft_wrap=True)
    comparison = Comparison.of(bundle.metrics)
    if comparison is not None:
        print_candidates(comparison, bundle.metrics["training"].get("stage"))
    screen.console.print(f"Written to {folder}. Next:")
    for command in (
        f'sentiment predict --model {folder} "a text of yours"',
        f"sentiment evaluate FILE --model {folder}",
        f"sentiment serve --model {folder}",
    ):
        screen.console.print(f"  {command}", soft_wrap=True)


def print_candidates(comparison: "Comparison", stage: "Stage | None") -> None:
    """Print what else one could use, on the same rows, and which of all is best."""
    columns = list(next(iter(comparison.candidates.values())))
    percent = "accuracy" in columns
    title = f"{comparison.rows:,} rows that none of them learned from ({comparison.method}), with 95 % intervals"
    table = screen.table("", *(FIGURES[column] for column in columns), title=title)
    for name, figures in comparison.candidates.items():
        shown = [_estimate(each, percent=percent) for each in figures.values()]
        table.add_row(CANDIDATES[name], *shown)
    screen.console.print(table)
    screen.console.print(advice(comparison, stage), soft_wrap=True)


def advice(comparison: "Comparison", stage: "Stage | None") -> str:
    """Return in a sentence or two which candidate to use."""
    own = comparison.shown(comparison.best)
    others = [name for name in comparison.candidates if name != comparison.best]
    second = max(others, key=comparison.main)
    against = f"{own} against {comparison.shown(second)} for {CANDIDATES[second]}"
    match comparison.best:
        case "model" if stage == "start":
            return (
                "Use the model that training started from: your rows taught it nothing that held on others. It is what "
                "is written here, with probabilities fitted to your rows."
            )
        case "model":
            return f"Use this model: {against}."
        case "start":
            return f"Use the model that training started from, as it is or fitted by `sentiment calibrate`: {against}."
        case "linear":
            return f"Use a linear model, or label more rows: {against}."
    return f"Use none of them yet: nothing beats the same answer to every text. Label more rows: {against}."


def _estimate(estimate: "Estimate | None", *, percent: bool) -> str:
    if estimate is None:
        return TOO_FEW
    value, low, high = estimate.value, estimate.low, estimate.high
    return f"{value:.1%} ({low:.1%} to {high:.1%})" if percent else f"{value:.3g} ({low:.3g} to {high:.3g})"


def print_encoders(compared: "Sequence[EncoderResult]", out: Path) -> None:
    """Print the networks side by side, and where the table and the picture are."""
    table = screen.table("network", "accuracy", "parameters", "training", "texts/s", title="Networks")
    for row in compared:
        table.add_row(
            row.network,
            f"{row.accuracy:.2%}",
            f"{row.parameters:,}",
            f"{row.training_seconds:,.0f} s",
            f"{row.texts_per_second:,.0f}",
        )
    screen.console.print(table)
    screen.console.print(f"The models, the table and the picture are in {out}.", soft_wrap=True)
