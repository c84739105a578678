"""The command that measures."""

import json
from pathlib import Path
from typing import Annotated

import typer

from sentiment.cli.application import Json, LabelColumn, Model, TextColumn, app
from sentiment.default import DEFAULT_MODEL


@app.command()
def evaluate(
    data: Annotated[Path, typer.Option(help="Labelled file.")],
    model: Model = DEFAULT_MODEL,
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    as_json: Json = False,
) -> None:
    """Measure a model on a labelled file."""
    from sentiment.classifier import load
    from sentiment.evaluation.answers import answer
    from sentiment.evaluation.metrics import evaluate as measure
    from sentiment.terminal import print_figures
    from sentiment.training.dataset import read_labelled
    from sentiment.training.recipe import Source

    source = Source(path=data, text_column=text_column, label_column=label_column)
    labelled = read_labelled(source)
    figures = measure(answer(load(model), labelled.texts, labelled.labels))
    if as_json:
        typer.echo(json.dumps(figures))
    else:
        print_figures(figures)
