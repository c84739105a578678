"""Enforce the behaviour suites of a recipe or of `--require` before a model is saved."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sentiment.errors import ConfigError

if TYPE_CHECKING:
    from sentiment.bundle import Bundle
    from sentiment.evaluation.behaviour.suite import Suite
    from sentiment.training.data.splits import Data
    from sentiment.training.recipe import Recipe


def suite_of(plan: "Recipe", held: "Data") -> "Suite | None":
    """Return the suite that the plan requires, if any. Raises ConfigError for one that the model could not be asked."""
    from sentiment.evaluation.behaviour.suite import read_suite

    if not plan.require:
        return None
    if plan.task == "regression":
        raise ConfigError("--require: suites speak of labels, and the task is regression: leave it out")
    suite = read_suite(plan.require)
    suite.check_fits(held.labels, plan.text.language)
    return suite


def hold(bundle: "Bundle", suite: "Suite", checkpoint: Path) -> None:
    """Print what the bundle's model makes of the suite. Exits with 1 where a test is missed, naming it."""
    from sentiment.classifier import Classifier
    from sentiment.cli.check import print_behaviour
    from sentiment.evaluation.behaviour.check import check

    behaviour = check(Classifier(bundle), suite)
    print_behaviour(behaviour, examples=1)
    if behaviour.missed:
        typer.secho(
            f"error: no model is written, as it misses {behaviour.shortfall}. What it learned stays in {checkpoint}: "
            "without what is required, the same command writes it and does not train again",
            fg="red",
            err=True,
        )
        raise typer.Exit(1)
