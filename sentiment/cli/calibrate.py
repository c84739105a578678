"""Calibrate a model to labelled data."""

from pathlib import Path
from typing import Annotated

import typer

from sentiment.cli.application import (
    Answering,
    LabelColumn,
    Labels,
    Model,
    Separator,
    SkipBadRows,
    SkipEmpty,
    TextColumn,
    app,
)
from sentiment.cli.training import read_evaluation_data
from sentiment.default import DEFAULT_MODEL


@app.command(cls=Answering)
def calibrate(
    context: typer.Context,
    data: Annotated[list[str], typer.Option(help="Labelled file that the model didn't learn from; several times.")],
    out: Annotated[Path, typer.Option(help="Where the calibrated model folder is written.")],
    model: Model = DEFAULT_MODEL,
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    separator: Separator = None,
    labels: Labels = None,
    skip_empty: SkipEmpty = False,
    skip_bad_rows: SkipBadRows = False,
) -> None:
    """Fit a model's temperature, a bias a label, and its table for --abstain to labelled files like what it will read.

    Labels change where another is more common there. The rest of the network stays; the model is a new version.
    """
    from sentiment import bundle as bundles
    from sentiment.terminal.evaluation import print_calibrated
    from sentiment.training.recalibration import recalibrate

    bundles.check_target(out)
    old = bundles.load(model)
    new = recalibrate(old, [read_evaluation_data(context, path) for path in data])
    print_calibrated(old.temperature, new, out, bundles.save(new.bundle, out))
