"""Compare two models on labelled data."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentiment.cli import options
from sentiment.cli.application import Answering, app
from sentiment.cli.training import read_evaluation_data
from sentiment.default import model_folder
from sentiment.errors import ConfigError

if TYPE_CHECKING:
    from sentiment.evaluation.comparison import Flip


@app.command(cls=Answering)
def compare(
    context: typer.Context,
    old: Annotated[
        Path, typer.Argument(help="Folder of the old model, or `default`.", parser=model_folder, metavar="OLD")
    ],
    new: Annotated[
        Path, typer.Argument(help="Folder of the new model, or `default`.", parser=model_folder, metavar="NEW")
    ],
    data: Annotated[str, typer.Option(help="Labelled file, folder, glob or URL.")],
    text_column: options.TextColumn = "text",
    label_column: options.LabelColumn = "label",
    separator: options.Separator = None,
    labels: options.Labels = None,
    skip_empty: options.SkipEmpty = False,
    skip_bad_rows: options.SkipBadRows = False,
    out: Annotated[Path | None, typer.Option(help="CSV file to write with every text whose label differs.")] = None,
    as_json: options.Json = False,
) -> None:
    """Compare two models: texts whose label differs, both accuracies, and whether the difference is significant."""
    from sentiment.classifier import load
    from sentiment.evaluation.answers import answer
    from sentiment.evaluation.comparison import compare as compare_answers
    from sentiment.terminal.evaluation import print_comparison

    if out is not None and not out.parent.is_dir():
        raise ConfigError(f"--out: there is no folder {out.parent}")
    labelled = read_evaluation_data(context, data)
    before, after = (answer(load(model), labelled.texts, labelled.labels, labelled.origins) for model in (old, new))
    found = compare_answers(before, after)
    if out is not None:
        _write(out, found.flips)
    if as_json:
        typer.echo(json.dumps(found.as_dict()))
    else:
        print_comparison(found, out)


def _write(path: Path, flips: "tuple[Flip, ...]") -> None:
    import polars as pl

    from sentiment.scoring.formats.text.writers import escape_formula

    columns = ("row", "outcome", "label", "old_label", "old_probability", "new_label", "new_probability", "text")
    rows = [
        (flip.row, flip.outcome, escape_formula(flip.label),
         escape_formula(flip.old_label), flip.old_probabilities[flip.old_label],
         escape_formula(flip.new_label), flip.new_probabilities[flip.new_label], escape_formula(flip.text))
        for flip in flips
    ]  # fmt: skip
    pl.DataFrame(rows, schema=list(columns), orient="row").write_csv(path)
