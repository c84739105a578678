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
from sentiment.terminal import screen

if TYPE_CHECKING:
    from sentiment.training.events import Start
    from sentiment.training.loop import Progress as TrainingProgress
    from sentiment.training.search.encoder_comparison import EncoderResult


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
                    f"dev {judged(progress.dev_score, task)}, "
                    f"{progress.tokens_per_second:,.0f} tokens/s, {left}",
                    soft_wrap=True,
                )

        yield report


def print_dtype(start: "Start") -> None:
    """Print the number format of a training's steps, and what each format was measured to take."""
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
    screen.console.print(f"Written to {folder}. Next:")
    for command in (
        f'sentiment predict --model {folder} "a text of yours"',
        f"sentiment evaluate FILE --model {folder}",
        f"sentiment serve --model {folder}",
    ):
        screen.console.print(f"  {command}", soft_wrap=True)


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
