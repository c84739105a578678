"""Calibrate a model to labelled data."""

import json
from pathlib import Path
from typing import Annotated

import typer

from sentiment.abstention import METRIC
from sentiment.cli import options
from sentiment.cli.application import Answering, app
from sentiment.cli.training import check_out, read_evaluation_data
from sentiment.default import DEFAULT_MODEL


@app.command(cls=Answering)
def calibrate(
    context: typer.Context,
    data: Annotated[list[str], typer.Option(help="Labelled file that the model was not trained on; repeatable.")],
    out: Annotated[Path, typer.Option(help="Folder of the calibrated model to write.")],
    model: options.Model = DEFAULT_MODEL,
    text_column: options.TextColumn = "text",
    label_column: options.LabelColumn = "label",
    separator: options.Separator = None,
    labels: options.Labels = None,
    skip_empty: options.SkipEmpty = False,
    skip_bad_rows: options.SkipBadRows = False,
    replace: options.Replace = False,
    as_json: options.Json = False,
) -> None:
    """Fit a model's temperature, label biases and table for --abstain to labelled files.

    Predicted labels change with the biases. The other weights stay the same; the model is a new version.
    """
    from sentiment import bundle as bundles
    from sentiment.terminal.evaluation import print_calibrated
    from sentiment.training.recalibration import recalibrate

    check_out(out, replace=replace)
    old = bundles.load(model)
    new = recalibrate(old, [read_evaluation_data(context, path) for path in data])
    version = bundles.save(new.bundle, out)
    if as_json:
        facts = {
            "path": str(out),
            "version": version,
            "temperature_before": old.temperature,
            "temperature": new.bundle.temperature,
            "biases": dict(new.biases),
            "accuracy_before": dict(new.accuracy_before),
            **{name: new.bundle.metrics[name] for name in ("dev", METRIC)},
        }
        typer.echo(json.dumps(facts))
    else:
        print_calibrated(old.temperature, new, out, version)
