"""Train a small model on the answers of a large one."""

from pathlib import Path
from typing import Annotated

import typer

from sentiment.cli import options
from sentiment.cli.application import app
from sentiment.cli.stopping import resuming, stopping_on_signals
from sentiment.cli.training import build_recipe, check_out, read_required_suite, train_and_save
from sentiment.default import LANGUAGE
from sentiment.errors import ConfigError


@app.command()
def distil(
    context: typer.Context,
    teacher: Annotated[
        str, typer.Option(help="Folder or installed package of an encoder, or folder of a trained teacher.")
    ],
    unlabelled: Annotated[list[str], typer.Option(help="File of texts for the teacher to label; repeatable.")],
    data: Annotated[list[str] | None, typer.Option(help=options.FILES_HELP)] = None,
    out: Annotated[Path, typer.Option(help="Model folder to write; its name must be lower case.")] = Path(
        "models/mine"
    ),
    dev: options.Dev = None,
    text_column: options.TextColumn = "text",
    label_column: options.LabelColumn = "label",
    separator: options.Separator = None,
    labels: options.Labels = None,
    skip_empty: options.SkipEmpty = False,
    skip_bad_rows: options.SkipBadRows = False,
    language: options.Language = LANGUAGE,
    dtype: options.TrainingDtype = None,
    restart: Annotated[bool, typer.Option(help="Start again instead of resuming.")] = False,
    replace: options.Replace = False,
    recipe_file: Annotated[
        Path | None, typer.Option("--recipe", help="TOML file with the settings of the small model, instead of --data.")
    ] = None,
) -> None:
    """Train a large encoder, label more texts with it, and train a small model on all of them.

    After a crash, the same command resumes. The teacher is kept in a folder beside the model.
    """
    from sentiment.terminal.data import print_data
    from sentiment.terminal.screen import console
    from sentiment.terminal.training import training_progress
    from sentiment.training.data.splits import read_data
    from sentiment.training.distillation.distil import TEACHING, soft_sources
    from sentiment.training.distillation.teacher import encoder_folder
    from sentiment.training.recipe import Source
    from sentiment.training.resume.fingerprint import files_fingerprint, training_fingerprint

    check_out(out, replace=replace, restart=restart)  # before the hours, not after them
    encoder_folder(teacher)
    recipe = build_recipe(context, recipe_file, data, dev, dtype=dtype, name=out.name, text={"language": language})
    if recipe.task == "regression":
        raise ConfigError("--recipe: its task is regression, and a teacher learns labels; take `sentiment train`")
    labelled = read_data(recipe)
    print_data(labelled.report, recipe.text.language)
    required = read_required_suite(recipe, labelled)
    folder = out.with_name(f".{out.name}.distil")
    fingerprint = training_fingerprint(recipe, labelled) | {"teacher": teacher, "teaching": TEACHING.model_dump_json()}
    fingerprint |= {f"unlabelled {number}": files_fingerprint(path) for number, path in enumerate(unlabelled, start=1)}
    sources = [Source(path=path, text_column=text_column, separator=separator) for path in unlabelled]
    with stopping_on_signals(resuming(restart=restart)):
        with training_progress("classification") as report:
            soft = soft_sources(
                teacher,
                labelled,
                sources,
                folder,
                fingerprint,
                report,
                recipe.text,
                dtype=recipe.training.dtype,
                skip_bad_rows=recipe.skip_bad_rows,
                restart=restart,
            )
        console.print(f"The teacher and what it labelled are in {folder}.", soft_wrap=True)
        # Read anew, with what the teacher labelled: the same seed splits off the same tenth to judge both by.
        recipe = recipe.model_copy(update={"labels": labelled.labels, "train": (*recipe.train, *soft)})
        train_and_save(recipe, read_data(recipe), out, restart=restart, required=required)
