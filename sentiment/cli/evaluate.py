"""Evaluate a model on labelled data."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentiment.cli import options
from sentiment.cli.application import Answering, app
from sentiment.cli.training import read_evaluation_data
from sentiment.default import DEFAULT_MODEL
from sentiment.errors import ConfigError

if TYPE_CHECKING:
    from sentiment.classifier import AnyModel

MOST = 0.5  # of the tokens


@app.command(cls=Answering)
def evaluate(
    context: typer.Context,
    file: Annotated[str | None, typer.Argument(help="Labelled file, folder, glob or URL.", show_default=False)] = None,
    data: Annotated[str | None, typer.Option(help="The same, as the other commands that measure name it.")] = None,
    model: options.Model = DEFAULT_MODEL,
    text_column: options.TextColumn = "text",
    label_column: options.LabelColumn = "label",
    separator: options.Separator = None,
    labels: options.Labels = None,
    skip_empty: options.SkipEmpty = False,
    skip_bad_rows: options.SkipBadRows = False,
    report: Annotated[
        Path | None, typer.Option(help="Folder for an HTML report, index.html, and its metrics, metrics.json.")
    ] = None,
    slices: Annotated[
        list[str] | None, typer.Option("--slice", help="Column to break the report down by; repeatable.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Evaluate a model on labelled data."""
    from sentiment.classifier import load
    from sentiment.evaluation.answers import answer
    from sentiment.evaluation.metrics import evaluate as measure
    from sentiment.evaluation.regression import evaluate_values
    from sentiment.terminal.evaluation import print_figures, print_value_figures

    if slices and report is None:
        raise ConfigError("--slice is for the page: give --report DIR, too")
    if report is not None and report.exists() and not report.is_dir():
        raise ConfigError(f"--report: {report} is a file; name a folder")
    path = file or data
    if path is None or (file and data):
        raise ConfigError("give one labelled file, as in: sentiment evaluate reviews.csv")
    classifier = load(model, task=None)
    if classifier.task == "regression" and (report is not None or labels is not None):
        asked = "--report" if report is not None else "--labels"
        raise ConfigError(f"{asked} is for models of labels; {classifier.name!r} answers with a number")
    labelled = read_evaluation_data(context, path, columns=slices or (), task=classifier.task)
    if classifier.task == "regression":
        found, show = evaluate_values(classifier, labelled.texts, labelled.values or ()), print_value_figures
    else:
        answers = answer(classifier, labelled.texts, labelled.labels, labelled.origins)
        if report is not None:
            from sentiment.evaluation.page import write
            from sentiment.evaluation.report import report as report_of

            write(report_of(classifier, answers, labelled.name, labelled.columns), report)
        found, show = measure(answers), print_figures
    _doubt_language(found["unknown_tokens"], classifier, labelled.texts)
    if as_json:
        typer.echo(json.dumps(found))
        return
    show(found)
    if report is not None:
        typer.echo(f"Written: {report / 'index.html'}")


def _doubt_language(unknown: float, model: "AnyModel", texts: list[str]) -> None:
    """Say on standard error that most tokens are unknown to the model, and what letters the texts have."""
    from sentiment.text.scripts import contradiction, scripts_of

    language = model.text_config.language
    wrong = contradiction(scripts_of(texts), language)
    if unknown > MOST or wrong:
        because = f": {wrong}" if wrong else f", which reads {language}"
        typer.echo(f"{unknown:.1%} of the tokens are unknown to the model{because}; is it of their language?", err=True)
