"""Write the results of a search: the best trial's recipe, and a page of its trials and plots."""

import os
import warnings
from collections.abc import Sequence
from html import escape
from math import inf
from pathlib import Path
from typing import Any

import optuna
import tomli_w

from sentiment.default import NOTHING, SHIPPED
from sentiment.evaluation.behaviour import DEFAULT
from sentiment.storage.remote import is_remote
from sentiment.training.recipe import Recipe
from sentiment.training.search.tuning import Trial

RECIPE = "best.toml"
PAGE = "study.html"


def write_recipe(recipe: Recipe, file: Path) -> None:
    """Write what of the recipe differs from the defaults; paths start at the file's folder, as a recipe's do."""
    settings = recipe.model_dump(mode="json", exclude_defaults=True)
    for source in (*settings["train"], *settings.get("dev", ())):
        source["path"] = _from(file.parent, source["path"])
    if "require" in settings:
        settings["require"] = [each if each == DEFAULT else _from(file.parent, each) for each in settings["require"]]
    vectors = settings.get("training", {}).get("vectors", [])
    vectors[:] = [_from(file.parent, each) if Path(each).is_file() else each for each in vectors]
    if settings.get("training", {}).get("start", NOTHING) not in (NOTHING, SHIPPED):
        settings["training"]["start"] = _from(file.parent, settings["training"]["start"])
    scratch = file.with_name(f"{file.name}.partial")
    scratch.write_text(tomli_w.dumps(settings), encoding="utf-8")
    scratch.replace(file)


def _from(folder: Path, path: str) -> str:
    return path if is_remote(path) else os.path.join(".", os.path.relpath(path, folder))


def write_page(study: optuna.Study, trials: Sequence[Trial], file: Path, title: str) -> None:
    """Write a table of the trials, the best first, and Optuna's plots as a page that fetches nothing.

    Plots that need more trials are left out.
    """
    done = [trial for trial in study.get_trials(deepcopy=False) if trial.state is optuna.trial.TrialState.COMPLETE]
    plots: list[Any] = [optuna.visualization.plot_optimization_history, optuna.visualization.plot_intermediate_values]
    if len({trial.value for trial in done}) > 1:
        plots += [
            optuna.visualization.plot_param_importances,
            optuna.visualization.plot_slice,
            optuna.visualization.plot_parallel_coordinate,
        ]
    parts: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for plot in plots:
            library = "inline" if not parts else False
            parts.append(plot(study).to_html(full_html=False, include_plotlyjs=library))
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title>"
        "<style>body { font-family: sans-serif; margin: 1rem auto; padding: 0 1rem; max-width: 70rem }"
        "div.trials { overflow-x: auto } td, th { padding: 0.2rem 0.6rem; text-align: right }</style>"
    )
    body = f"<h1>{escape(title)}</h1>{_table(trials)}" + "\n".join(parts)
    scratch = file.with_name(f"{file.name}.partial")
    scratch.write_text(
        f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>', encoding="utf-8"
    )
    scratch.replace(file)


def _table(trials: Sequence[Trial]) -> str:
    ranked = sorted(trials, key=_rank)
    names = ["trial", "outcome", "dev score", *ranked[0].values]
    rows = [
        [
            str(trial.number),
            trial.outcome,
            "" if trial.dev_score is None else f"{trial.dev_score:.4f}",
            *(f"{value:.4g}" for value in trial.values.values()),
        ]
        for trial in ranked
    ]
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="trials" tabindex="0"><table><tr>{head}</tr>{body}</table></div>'


def _rank(trial: Trial) -> tuple[bool, float, int]:
    return trial.outcome != "done", inf if trial.dev_score is None else -trial.dev_score, trial.number
