"""Train a model."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from sentiment.cli import options
from sentiment.cli.application import app
from sentiment.cli.networks import OWN_NETWORK, Encoder, InitialState, Pooling, Task, is_given, training_settings
from sentiment.cli.stopping import resuming, stopping_on_signals
from sentiment.cli.training import build_recipe, check_out, read_required_suite, train_and_save
from sentiment.default import LANGUAGE, default_start
from sentiment.events import print_line


@app.command()
def train(
    context: typer.Context,
    data: options.Files = None,
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
    task: options.Task = Task.CLASSIFICATION,
    language: options.Language = LANGUAGE,
    epochs: options.Epochs = None,
    encoder: options.Encoder = Encoder.BILSTM,
    pooling: options.Pooling = Pooling.FINAL,
    initial_state: options.InitialState = InitialState.ZERO,
    num_layers: options.NumLayers = None,
    hidden_size: options.HiddenSize = None,
    dropout: options.Dropout = None,
    weight_drop: options.WeightDrop = None,
    embedding_size: options.EmbeddingSize = None,
    vectors: options.Vectors = None,
    start: options.Start = None,
    frozen_embedding_epochs: options.FrozenEmbeddingEpochs = None,
    learning_rate: options.LearningRate = None,
    balanced: options.Balanced = False,
    unlabelled: Annotated[
        list[str] | None,
        typer.Option(help="File of texts without labels, for a small table with --from nothing; repeatable."),
    ] = None,
    dtype: options.TrainingDtype = None,
    seed: Annotated[int, typer.Option(help="Random seed; the same seed and --dtype give the same weights.")] = 0,
    require: Annotated[
        list[str] | None,
        typer.Option(help="Behaviour suite to pass before the model is written: `default` or a YAML file."),
    ] = None,
    track: Annotated[
        list[str] | None, typer.Option(help="Experiment tracker: tensorboard:FOLDER or mlflow:ADDRESS; repeatable.")
    ] = None,
    restart: Annotated[bool, typer.Option(help="Start again instead of resuming.")] = False,
    replace: options.Replace = False,
    recipe_file: Annotated[
        Path | None, typer.Option("--recipe", help="TOML file with these and more settings, instead of options.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Train a model on labelled files and write its folder.

    After a crash, the same command resumes and ends with the same weights.
    """
    from sentiment.terminal.data import print_data
    from sentiment.terminal.screen import silence
    from sentiment.training.data.splits import read_data
    from sentiment.training.events import JsonWatcher
    from sentiment.training.processes import started_processes
    from sentiment.training.recipe import CROSS_VALIDATED_ROWS, Source
    from sentiment.training.tracking.trackers import open_trackers

    check_out(out, replace=replace, restart=restart)  # before the hours, not after them
    settings = training_settings(context)
    is_own = any(is_given(context, name) for name in OWN_NETWORK)
    settings["training"].setdefault("start", default_start(language, is_own_network=is_own))
    recipe = build_recipe(context, recipe_file, data, dev, dtype=dtype, name=out.name, **settings)
    texts = [Source(path=path, text_column=text_column, separator=separator) for path in unlabelled or ()]
    more = {"require": (*recipe.require, *(require or ())), "unlabelled": (*recipe.unlabelled, *texts)}
    recipe = recipe.model_copy(update=more)

    def warn(reason: str) -> None:
        typer.secho(f"warning: {reason}", fg="yellow", err=True)

    with (
        started_processes() as processes,
        # torchrun stops its processes itself: one that waits for another in C++ would never hear of a signal.
        stopping_on_signals(resuming(restart=restart)) if processes.size == 1 else nullcontext(),
        silence(as_json or not processes.is_first),
        open_trackers(track or () if processes.is_first else (), warn) as trackers,
    ):
        if recipe_file is None and processes.size == 1:
            own = {"cross_validated_rows": CROSS_VALIDATED_ROWS, "linear_start": True}
            learning = recipe.training.model_copy(update=own)
            recipe = recipe.model_copy(update={"training": learning})
        labelled = read_data(recipe)
        print_data(labelled.report, recipe.text.language)
        train_and_save(
            recipe,
            labelled,
            out,
            restart=restart,
            watchers=[*trackers, JsonWatcher(print_line)] if as_json else trackers,
            required=read_required_suite(recipe, labelled),
            processes=processes,
            comparing=True,
        )
