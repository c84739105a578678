"""Build a recipe from a command's options or a file, read its data, train it, and write the model folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sentiment.cli.networks import Dtype, is_given
from sentiment.errors import ConfigError

if TYPE_CHECKING:
    from sentiment.bundle import Bundle
    from sentiment.evaluation.behaviour.suite import Suite
    from sentiment.training.data.dataset import LabelledTexts
    from sentiment.training.data.splits import Data
    from sentiment.training.events import Watcher
    from sentiment.training.processes import Processes
    from sentiment.training.recipe import Recipe


BESIDE_RECIPE = (
    "data", "recipe_file", "out", "require", "restart", "replace", "as_json", "teacher", "unlabelled", "trials",
    "track", "dtype",
)  # fmt: skip


def build_recipe(
    context: typer.Context,
    recipe_file: Path | None,
    data: Sequence[str] | None,
    dev: Sequence[str] | None,
    *,
    dtype: Dtype | None = None,
    **settings: Any,
) -> "Recipe":
    """Return the recipe of the file, or of labelled files with these settings, merged with its pretrained model.

    A `dtype` takes the place of the recipe's own: the machine decides it more than the model. Raises ConfigError for
    both or neither, and for options of the command line that a recipe would overrule.
    """
    from sentiment.training.pretrained import load_pretrained, merge_pretrained
    from sentiment.training.recipe import Recipe

    if (recipe_file is None) == (not data):
        raise ConfigError("give labelled files, or one --recipe" + (", not both" if recipe_file else ""))
    if recipe_file is not None:
        overruled = [
            f"--{each.name.replace('_', '-')}"
            for each in context.command.params
            if each.name and each.name not in BESIDE_RECIPE and is_given(context, each.name)
        ]
        if overruled:
            raise ConfigError(
                f"{', '.join(overruled)}: a recipe says this itself; set it in {recipe_file}, or leave --recipe out"
            )
        recipe = Recipe.read(recipe_file)
    else:
        sources = {
            role: [{"path": path, **source_settings(context)} for path in paths or ()]
            for role, paths in (("train", data), ("dev", dev))
        }
        skipping = {name: context.params[name] for name in ("skip_empty", "skip_bad_rows")}
        recipe = Recipe.of({**sources, **skipping, **settings})
    if dtype is not None:
        recipe = recipe.model_copy(update={"training": recipe.training.model_copy(update={"dtype": dtype.value})})
    training = recipe.training
    return merge_pretrained(recipe, load_pretrained(training.start)) if training.starts_from_model else recipe


def source_settings(context: typer.Context) -> dict[str, Any]:
    """Return the settings of a `Source` that a command's options give: its columns, their separator, the labels."""
    from sentiment.training.data.label_mapping import parse

    given = context.params
    columns = {name: given[name] for name in ("text_column", "label_column", "separator")}
    return columns | {"label_mapping": parse(given["labels"])}


def read_evaluation_data(context: typer.Context, path: str, **settings: Any) -> "LabelledTexts":
    """Read a command's labelled file, and print on standard error how many rows its options left out."""
    from sentiment.terminal.data import left_out
    from sentiment.training.data.reading import read_labelled
    from sentiment.training.recipe import Source

    skipping = {name: context.params[name] for name in ("skip_empty", "skip_bad_rows")}
    labelled = read_labelled(Source(path=path, **source_settings(context)), **skipping, **settings)
    for line in left_out(labelled.skipped, labelled.unreadable):
        typer.echo(line, err=True)
    return labelled


def read_required_suite(recipe: "Recipe", data: "Data") -> "Suite | None":
    """Return the suite that the recipe requires, if any. Raises ConfigError if it doesn't fit the recipe's model."""
    from sentiment.evaluation.behaviour.suite import read_suite

    if not recipe.require:
        return None
    if recipe.task == "regression":
        raise ConfigError("--require: suites speak of labels, and the task is regression: leave it out")
    suite = read_suite(recipe.require)
    suite.check_fits(data.labels, recipe.text.language)
    return suite


def enforce_suite(bundle: "Bundle", suite: "Suite", checkpoint: Path) -> None:
    """Check the bundle's model against the suite and print the results. Exits with 1 if a test is missed, naming it."""
    from sentiment.classifier import Classifier
    from sentiment.cli.check import print_behaviour
    from sentiment.evaluation.behaviour.check import check

    behaviour = check(Classifier(bundle), suite)
    print_behaviour(behaviour, examples=1)
    if behaviour.missed:
        typer.secho(
            f"error: no model is written, as it misses {behaviour.shortfall}. What it learned stays in {checkpoint}: "
            "without what is required, the same command writes it and does not train again",
            fg="red",
            err=True,
        )
        raise typer.Exit(1)


def check_out(out: Path, *, replace: bool, restart: bool = True) -> None:
    """Raise ConfigError for a folder that holds a model, unless it is to be replaced or a training of it resumes.

    Raises BundleError for a folder that holds anything else.
    """
    from sentiment import bundle as bundles
    from sentiment.manifest import MANIFEST

    bundles.check_target(out)
    # Its folder, not its state: a kill between the last two files leaves the folder alone.
    resumes = not restart and _checkpoint_of(out).exists()
    if (out / MANIFEST).exists() and not replace and not resumes:
        raise ConfigError(f"--out: {out} already holds a model; give another folder, or --replace to write over it")


def _checkpoint_of(out: Path) -> Path:
    # Hidden, so that a service that is given the folder of all models doesn't take it for one of them.
    return out.with_name(f".{out.name}.checkpoint")


def train_and_save(
    recipe: "Recipe",
    data: "Data",
    out: Path,
    *,
    restart: bool,
    watchers: "Sequence[Watcher]" = (),
    required: "Suite | None" = None,
    processes: "Processes | None" = None,
    comparing: bool = False,
) -> None:
    """Train the recipe's model, from where a killed training stopped unless `restart`, and write its folder.

    `comparing` judges what else one could use on the same rows. A model that misses a test of the suite `required` is
    not written; its checkpoint stays. Only the first of several `processes` has the checkpoint and writes the folder.
    """
    from sentiment import bundle as bundles
    from sentiment.terminal.screen import console
    from sentiment.terminal.training import print_start, print_trained, training_progress
    from sentiment.training.events import Done, Start, Watchers
    from sentiment.training.processes import ALONE
    from sentiment.training.resume.checkpoint import Checkpoint
    from sentiment.training.resume.fingerprint import training_fingerprint
    from sentiment.training.trainer import train

    folder = _checkpoint_of(out)
    processes = processes or ALONE
    fingerprint = training_fingerprint(recipe, data, processes)
    processes.check_agree(fingerprint)
    if not processes.is_first:
        train(recipe, data, lambda progress: None, processes=processes)
        return
    with Checkpoint(folder, fingerprint, restart=restart) as checkpoint:
        if checkpoint.saved is not None:
            epoch, step = checkpoint.saved.numbers["epoch"], checkpoint.saved.numbers["step"]
            found = f"Resuming from {folder}: {step:,} steps are done, {epoch - 1} of {recipe.training.epochs} epochs."
            console.print(found, soft_wrap=True)
        with training_progress(recipe.task) as report:
            observer = Watchers(watchers, report)

            def started(start: Start) -> None:
                print_start(recipe, start)
                observer.start(start)

            bundle = train(
                recipe,
                data,
                observer.progress,
                checkpoint,
                on_start=started,
                processes=processes,
                comparing=comparing,
            )
        if required is not None:
            enforce_suite(bundle, required, folder)
        version = bundles.save(bundle, out)
        checkpoint.remove()  # not before: a crash while saving costs nothing
    observer.done(Done.of(bundle, str(out), version))
    print_trained(bundle, out, version)
