"""From a recipe file or the command line's options to a recipe, and from that to a model folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sentiment.cli.networks import Dtype
from sentiment.cli.requirement import hold
from sentiment.errors import ConfigError

if TYPE_CHECKING:
    from sentiment.evaluation.behaviour.suite import Suite
    from sentiment.training.data.dataset import LabelledTexts
    from sentiment.training.data.splits import Data
    from sentiment.training.events import Watcher
    from sentiment.training.processes import Processes
    from sentiment.training.recipe import Recipe


BESIDE_RECIPE = (
    "data", "recipe", "out", "require", "restart", "as_json", "teacher", "unlabelled", "trials", "track", "dtype",
)  # fmt: skip


def plan_of(
    context: typer.Context,
    recipe: Path | None,
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

    if (recipe is None) == (not data):
        raise ConfigError("give labelled files, or one --recipe" + (", not both" if recipe else ""))
    if recipe is not None:
        overruled = [
            f"--{each.name.replace('_', '-')}"
            for each in context.command.params
            if each.name and each.name not in BESIDE_RECIPE and _is_given(context, each.name)
        ]
        if overruled:
            raise ConfigError(
                f"{', '.join(overruled)}: a recipe says this itself; set it in {recipe}, or leave --recipe out"
            )
        plan = Recipe.read(recipe)
    else:
        sources = {
            role: [{"path": path, **columns_of(context)} for path in paths or ()]
            for role, paths in (("train", data), ("dev", dev))
        }
        skipping = {name: context.params[name] for name in ("skip_empty", "skip_bad_rows")}
        plan = Recipe.of({**sources, **skipping, **settings})
    if dtype is not None:
        plan = plan.model_copy(update={"training": plan.training.model_copy(update={"dtype": dtype.value})})
    return merge_pretrained(plan, load_pretrained(plan.training.pretrained)) if plan.training.pretrained else plan


def columns_of(context: typer.Context) -> dict[str, Any]:
    """Return the settings of a `Source` that a command's options give: its columns, their separator, the labels."""
    from sentiment.training.data.label_mapping import parse

    given = context.params
    columns = {name: given[name] for name in ("text_column", "label_column", "separator")}
    return columns | {"label_mapping": parse(given["labels"])}


def read_to_measure(context: typer.Context, path: str, **settings: Any) -> "LabelledTexts":
    """Return the rows of a command's labelled file, and say on standard error how many its options left out."""
    from sentiment.terminal.data import left_out
    from sentiment.training.data.reading import read_labelled
    from sentiment.training.recipe import Source

    skipping = {name: context.params[name] for name in ("skip_empty", "skip_bad_rows")}
    labelled = read_labelled(Source(path=path, **columns_of(context)), **skipping, **settings)
    for line in left_out(labelled.skipped, labelled.unreadable):
        typer.echo(line, err=True)
    return labelled


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def train_and_save(
    plan: "Recipe",
    held: "Data",
    out: Path,
    *,
    restart: bool,
    watchers: "Sequence[Watcher]" = (),
    required: "Suite | None" = None,
    processes: "Processes | None" = None,
) -> None:
    """Train the plan's model, from where a killed training stopped unless `restart`, and write its folder.

    A model that does not hold what is `required` is not written; its checkpoint stays. Of several `processes` the first
    has the checkpoint and writes the folder.
    """
    from sentiment import bundle as bundles
    from sentiment.terminal.screen import console
    from sentiment.terminal.training import print_dtype, print_trained, training_progress
    from sentiment.training.events import Done, Start, Watchers
    from sentiment.training.processes import ALONE
    from sentiment.training.resume.checkpoint import Checkpoint
    from sentiment.training.resume.fingerprint import identity
    from sentiment.training.trainer import train

    # Hidden, so that a service that is given the folder of all models doesn't take it for one of them.
    folder = out.with_name(f".{out.name}.checkpoint")
    processes = processes or ALONE
    named = identity(plan, held, processes)
    processes.check_agree(named)
    if not processes.is_first:
        train(plan, held, lambda progress: None, processes=processes)
        return
    with Checkpoint(folder, named, restart=restart) as checkpoint:
        if checkpoint.saved is not None:
            epoch, step = checkpoint.saved.numbers["epoch"], checkpoint.saved.numbers["step"]
            found = f"Going on from {folder}: {step:,} steps are done, {epoch - 1} of {plan.training.epochs} epochs."
            console.print(found, soft_wrap=True)
        with training_progress(plan.task) as report:
            observer = Watchers(watchers, report)

            def started(start: Start) -> None:
                print_dtype(start)
                observer.start(start)

            bundle = train(plan, held, observer.progress, checkpoint, on_start=started, processes=processes)
        if required is not None:
            hold(bundle, required, folder)
        version = bundles.save(bundle, out)
        checkpoint.remove()  # not before: a crash while saving costs nothing
    observer.done(Done.of(bundle, str(out), version))
    print_trained(bundle, out, version)
