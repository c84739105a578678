"""The command that lays the networks of the textbook side by side."""

from pathlib import Path
from typing import Annotated

import typer

from sentiment.cli.application import (
    Dev,
    Files,
    LabelColumn,
    Labels,
    Separator,
    SkipBadRows,
    SkipEmpty,
    TextColumn,
    app,
)
from sentiment.cli.plan import plan_of, train_and_save
from sentiment.errors import ConfigError


@app.command("compare-encoders")
def compare_encoders(
    context: typer.Context,
    data: Files = None,
    out: Annotated[Path, typer.Option(help="A folder for the models, the table and the picture.")] = Path("encoders"),
    dev: Dev = None,
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    separator: Separator = None,
    labels: Labels = None,
    skip_empty: SkipEmpty = False,
    skip_bad_rows: SkipBadRows = False,
    language: Annotated[str, typer.Option(help="spaCy's code of the language.")] = "en",
    epochs: Annotated[int, typer.Option(help="Passes over the data, the same for all.")] = 3,
    seed: Annotated[int, typer.Option(help="The same seed gives the same weights.")] = 0,
    recipe: Annotated[Path | None, typer.Option(help="A TOML file with all of these and more, instead.")] = None,
) -> None:
    """Train every network of the textbook on the same data under one budget, and compare them.

    After a crash, the same command resumes.
    """
    from sentiment.terminal.data import print_data
    from sentiment.terminal.training import print_encoders
    from sentiment.training.data.splits import read_data
    from sentiment.training.resume.fingerprint import identity
    from sentiment.training.search.encoder_comparison import PICTURE, draw
    from sentiment.training.search.encoder_comparison import compare_encoders as compare

    plan = plan_of(
        context,
        recipe,
        data,
        dev,
        name="encoders",
        text={"language": language},
        training={"epochs": epochs, "patience": epochs, "seed": seed},
    )
    if plan.task == "regression":
        raise ConfigError("--recipe: its task is regression, and networks are compared by accuracy on labels")
    held = read_data(plan)
    print_data(held.report)
    texts = [text for part in held.dev for text in part.texts]
    compared = compare(
        plan, identity(plan, held), out, lambda each, folder: train_and_save(each, held, folder, restart=False), texts
    )
    draw(compared, out / PICTURE)
    print_encoders(compared, out)
