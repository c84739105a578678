"""Train and compare the encoders."""

from pathlib import Path
from typing import Annotated

import typer

from sentiment.cli import options
from sentiment.cli.application import app
from sentiment.cli.stopping import resuming, stopping_on_signals
from sentiment.cli.training import build_recipe, train_and_save
from sentiment.default import LANGUAGE
from sentiment.errors import ConfigError


@app.command("compare-encoders")
def compare_encoders(
    context: typer.Context,
    data: options.Files = None,
    out: Annotated[Path, typer.Option(help="Folder for the models, the table and the picture.")] = Path("encoders"),
    dev: options.Dev = None,
    text_column: options.TextColumn = "text",
    label_column: options.LabelColumn = "label",
    separator: options.Separator = None,
    labels: options.Labels = None,
    skip_empty: options.SkipEmpty = False,
    skip_bad_rows: options.SkipBadRows = False,
    language: options.Language = LANGUAGE,
    epochs: Annotated[int, typer.Option(help="Number of passes over the data for each network.")] = 3,
    seed: Annotated[int, typer.Option(help="Random seed; the same seed gives the same weights.")] = 0,
    recipe_file: Annotated[
        Path | None, typer.Option("--recipe", help="TOML file with these and more settings, instead of options.")
    ] = None,
) -> None:
    """Train every encoder on the same data with the same settings, and compare them.

    After a crash, the same command resumes.
    """
    from sentiment.terminal.data import print_data
    from sentiment.terminal.training import print_encoders
    from sentiment.training.data.splits import read_data
    from sentiment.training.resume.fingerprint import training_fingerprint
    from sentiment.training.search.encoder_comparison import PICTURE, draw
    from sentiment.training.search.encoder_comparison import compare_encoders as compare

    recipe = build_recipe(
        context,
        recipe_file,
        data,
        dev,
        name="encoders",
        text={"language": language},
        training={"epochs": epochs, "patience": epochs, "seed": seed},
    )
    if recipe.task == "regression":
        raise ConfigError("--recipe: its task is regression, and networks are compared by accuracy on labels")
    labelled = read_data(recipe)
    print_data(labelled.report, recipe.text.language)
    texts = [text for part in labelled.dev for text in part.texts]
    with stopping_on_signals(resuming(restart=False)):
        compared = compare(
            recipe,
            training_fingerprint(recipe, labelled),
            out,
            lambda each, folder: train_and_save(each, labelled, folder, restart=False),
            texts,
        )
    draw(compared, out / PICTURE)
    print_encoders(compared, out)
