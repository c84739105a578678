"""Print a search for settings."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from sentiment.config import Task
from sentiment.terminal import screen
from sentiment.terminal.training import judged

if TYPE_CHECKING:
    from sentiment.training.search.tuning import Trial, TrialProgress


@contextmanager
def tuning_progress() -> Iterator[Callable[["TrialProgress"], None]]:
    """Yield a report function for a search: a bar of the trial's training on a terminal, nothing in a pipe."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen.console, transient=True, disable=not screen.console.is_terminal) as bar:
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
    """Print how a trial of a search ended."""
    score = f", dev {judged(trial.dev_score, task)}" if trial.dev_score is not None else ""
    line = f"trial {trial.number}/{trials}: {trial.outcome}{score}; {_settings(trial)}"
    screen.console.print(line, soft_wrap=True)


def _settings(trial: "Trial") -> str:
    return ", ".join(f"{name.split('.')[1]} {value:.3g}" for name, value in trial.values.items())


def print_study(trials: "Sequence[Trial]", best: "Trial", recipe: Path, page: Path, task: Task) -> None:
    """Print what a search found and what to do with it."""
    first = trials[0]
    if best.dev_score is not None:
        line = f"Best: trial {best.number}, dev {judged(best.dev_score, task)}"
        if best is not first and first.dev_score is not None:
            line += f" (the settings given: {judged(first.dev_score, task)})"
        screen.console.print(line)
    table = screen.table("setting", "given", "best")
    for name, value in best.values.items():
        table.add_row(name, f"{first.values[name]:.4g}", f"{value:.4g}")
    screen.console.print(table)
    screen.console.print(f"Its recipe is {recipe}, the plots are {page}. Next:", soft_wrap=True)
    screen.console.print(f"  sentiment train --recipe {recipe} --out models/tuned", soft_wrap=True)
