"""Search for better training settings."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentiment.cli import options
from sentiment.cli.application import app
from sentiment.cli.networks import Encoder, InitialState, Pooling, Task, training_settings
from sentiment.cli.stopping import resuming, stopping_on_signals
from sentiment.cli.training import build_recipe
from sentiment.default import LANGUAGE
from sentiment.errors import ConfigError
from sentiment.events import EventLines, print_line

if TYPE_CHECKING:
    from sentiment.training.search.tuning import Trial, TrialProgress


@app.command()
def tune(
    context: typer.Context,
    data: options.Files = None,
    out: Annotated[Path, typer.Option(help="Folder of the study.")] = Path("study"),
    trials: Annotated[int, typer.Option(min=1, help="Number of trials, including those of earlier runs.")] = 20,
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
    dtype: options.TrainingDtype = None,
    seed: Annotated[int, typer.Option(help="Random seed; the same seed and --dtype give the same trials.")] = 0,
    restart: Annotated[bool, typer.Option(help="Start again instead of resuming.")] = False,
    recipe_file: Annotated[
        Path | None, typer.Option("--recipe", help="TOML file of settings to start from, instead of options.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Search for better training settings with Optuna, and write the best ones as a recipe.

    The first trial uses the given settings. After a crash, the same command resumes; with more --trials it adds trials.
    """
    try:
        from sentiment.training.search.study_files import PAGE, RECIPE, write_page, write_recipe
        from sentiment.training.search.tuning import Search
    except ModuleNotFoundError as error:
        raise ConfigError(f"a search needs {error.name}: pip install 'sentiment-bilstm[tune]'") from None
    from sentiment.terminal.data import print_data
    from sentiment.terminal.screen import console, silence
    from sentiment.terminal.tuning import print_study, print_trial, tuning_progress
    from sentiment.training.data.splits import read_data

    context.with_resource(silence(as_json))
    settings = training_settings(context)
    recipe = build_recipe(context, recipe_file, data, dev, dtype=dtype, name=out.name, **settings)
    labelled = read_data(recipe)
    print_data(labelled.report, recipe.text.language)
    search = Search(recipe, labelled, out, restart=restart)
    lines = EventLines(print_line) if as_json else None
    ended = len(search.trials)
    if ended:
        console.print(f"Resuming from {out}: {ended} of {trials} trials have ended.", soft_wrap=True)
    if lines is not None:
        lines.event("start", name=recipe.name, trials=trials, trials_done=ended)

    def on_trial(trial: "Trial") -> None:
        print_trial(trial, trials, recipe.task)
        if lines is not None:
            lines.event("trial", **asdict(trial))

    with stopping_on_signals(resuming(restart=restart)), tuning_progress() as show:

        def report(progress: "TrialProgress") -> None:
            show(progress)
            if lines is not None:
                lines.progress(trial=progress.number, trials=progress.trials, **asdict(progress.training))

        search.run(trials, report, on_trial)
    best = search.best
    write_recipe(search.recipe_of(best), out / RECIPE)
    write_page(search.study, search.trials, out / PAGE, f"Search for settings of {recipe.name}")
    print_study(search.trials, best, out / RECIPE, out / PAGE, recipe.task)
    if lines is not None:
        lines.event("done", recipe=str(out / RECIPE), page=str(out / PAGE), best=asdict(best))
