"""The command that trains."""

from pathlib import Path
from typing import Annotated

import typer

from sentiment.cli.application import LabelColumn, TextColumn, app
from sentiment.errors import ConfigError


@app.command()
def train(
    data: Annotated[list[Path] | None, typer.Argument(help="Labelled files: CSV, TSV, JSONL or Parquet.")] = None,
    out: Annotated[Path, typer.Option(help="Where the model folder is written.")] = Path("models/mine"),
    dev: Annotated[list[Path] | None, typer.Option(help="Files to judge by; else a tenth is split off.")] = None,
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    language: Annotated[str, typer.Option(help="spaCy's code of the language.")] = "en",
    epochs: Annotated[int | None, typer.Option(help="At most this many passes over the data.")] = None,
    hidden_size: Annotated[int | None, typer.Option(help="Hidden units of each direction.")] = None,
    vectors: Annotated[
        list[str] | None, typer.Option(help="Pretrained word vectors: glove-6b-50d, or a .vec or .bin file.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same weights.")] = 0,
    skip_empty: Annotated[bool, typer.Option(help="Leave rows without text out.")] = False,
    restart: Annotated[bool, typer.Option(help="Start anew, not where a killed training stopped.")] = False,
    recipe: Annotated[Path | None, typer.Option(help="A TOML file with all of these and more, instead.")] = None,
) -> None:
    """Train a model on labelled files and write its folder.

    The same command after a crash goes on where the training was, and ends with the same weights.
    """
    from sentiment import bundle as bundles
    from sentiment.terminal import console, print_data, print_trained, training_progress
    from sentiment.training.checkpoint import Checkpoint
    from sentiment.training.identity import identity
    from sentiment.training.recipe import Recipe
    from sentiment.training.trainer import read_data
    from sentiment.training.trainer import train as train_model

    bundles.check_target(out)  # before the hours, not after them
    if (recipe is None) == (not data):
        raise ConfigError("give labelled files, or one --recipe" + (", not both" if recipe else ""))
    if recipe is not None:
        plan = Recipe.read(recipe)
    else:
        columns = {"text_column": text_column, "label_column": label_column}
        training = {"seed": seed, "vectors": vectors, "epochs": epochs}
        plan = Recipe.of(
            {
                "name": out.name,
                "train": [{"path": path, **columns} for path in data or ()],
                "dev": [{"path": path, **columns} for path in dev or ()],
                "skip_empty": skip_empty,
                "text": {"language": language},
                "model": {} if hidden_size is None else {"hidden_size": hidden_size},
                "training": {name: value for name, value in training.items() if value is not None},
            }
        )
    held = read_data(plan)
    print_data(held)
    # Hidden, so that a service that is given the folder of all models doesn't take it for one of them.
    folder = out.with_name(f".{out.name}.checkpoint")
    with Checkpoint(folder, identity(plan, held), restart=restart) as checkpoint:
        if checkpoint.saved is not None:
            epoch, step = checkpoint.saved.numbers["epoch"], checkpoint.saved.numbers["step"]
            found = f"Going on from {folder}: {step:,} steps are done, {epoch - 1} of {plan.training.epochs} epochs."
            console.print(found, highlight=False, soft_wrap=True)
        with training_progress() as report:
            bundle = train_model(plan, held, report, checkpoint)
        version = bundles.save(bundle, out)
        checkpoint.remove()  # not before: a crash while saving costs nothing
    print_trained(bundle, out, version)
