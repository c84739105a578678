"""Train the model of a recipe and return its bundle."""

from collections.abc import Callable, Sequence
from functools import partial

from torch import Tensor

from sentiment.bundle import Bundle
from sentiment.config import TrainingConfig
from sentiment.errors import ConfigError
from sentiment.nn.model import SentimentModel
from sentiment.text.vocabulary import Vocabulary
from sentiment.training.comparison import compare
from sentiment.training.cross_validation import Fold, Judgement, choose_stage, cross_validate, split_into_folds
from sentiment.training.data.splits import Data
from sentiment.training.distillation.token_states import StateReader
from sentiment.training.events import Start
from sentiment.training.linear_start import MAX_ROWS, is_small, small_table_recipe
from sentiment.training.loop import Report, fit
from sentiment.training.number_format import training_dtype
from sentiment.training.preparation import START, Preparation, prepare
from sentiment.training.pretrained import load_pretrained, merge_pretrained, settings_for
from sentiment.training.processes import ALONE, Processes
from sentiment.training.recipe import Recipe
from sentiment.training.resume.checkpoint import Checkpoint
from sentiment.training.vectors import WordVectors


def train(
    recipe: Recipe,
    data: Data,
    report: Report,
    checkpoint: Checkpoint | None = None,
    *,
    vocabulary: Vocabulary | None = None,
    vectors: Sequence[WordVectors] = (),
    on_start: Callable[[Start], None] = lambda start: None,
    processes: Processes = ALONE,
    comparing: bool = False,
) -> Bundle:
    """Train, resuming from `checkpoint`, and return the calibrated bundle, ready to be saved.

    Data without dev sets is judged by cross-validation: it chooses the number of epochs, and all rows train the model.
    `comparing` adds what a linear model, the majority and the start answer on the same rows to the bundle's metrics.
    `vocabulary` replaces the one built from the data; `vectors` are added to those of the recipe.
    Raises ConfigError for settings that can't go together, BundleError for a pretrained model that can't be read,
    DataError for states of other texts, TrainingDivergedError as soon as a number isn't finite.
    """
    pretrained = load_pretrained(recipe.training.start) if recipe.training.starts_from_model else None
    starts_linear = pretrained is None and vocabulary is None and is_small(recipe, data)
    if data.unlabelled and not starts_linear:
        raise ConfigError(
            f"unlabelled: such texts teach only one table of up to {MAX_ROWS:,} rows that starts from nothing, with "
            "training.linear_start = true in a recipe: add --from nothing, or leave them out"
        )
    if pretrained is not None:
        if vocabulary is not None or vectors:
            raise ConfigError("a pretrained model brings its words and their vectors: leave others out, or the model")
        recipe = settings_for(merge_pretrained(recipe, pretrained), sum(len(part.texts) for part in data.train))
    elif starts_linear:
        recipe = small_table_recipe(recipe, has_vectors=bool(vectors))
    prepare_rows = partial(prepare, pretrained=pretrained, vocabulary=vocabulary, vectors=vectors)
    saved = checkpoint.saved if checkpoint is not None else None
    prepared = prepare_rows(recipe, data)
    objective = prepared.objective
    choice = training_dtype(
        prepared.model,
        prepared.token_ids,
        prepared.targets,
        recipe.training,
        saved,
        criterion=objective.criterion,
        processes=processes,
    )
    training = recipe.training.model_copy(update={"dtype": choice.dtype})
    on_start(
        Start(
            name=recipe.name,
            rows=sum(len(part.texts) * n for part, n in zip(data.train, data.repeats, strict=True)),
            dev_rows=sum(len(part.token_ids) for part in prepared.dev),
            labels=data.labels,
            parameters=prepared.model.num_parameters(),
            epochs=recipe.training.epochs,
            steps_done=saved.numbers["step"] if saved else 0,
            epochs_done=saved.numbers["epoch"] - 1 if saved else 0,
            dtype=choice.dtype,
            seconds_per_step=dict(choice.seconds),
            settings=checkpoint.fingerprint if checkpoint is not None else {},
        )
    )
    folds, judged = [Fold.of_dev(data)], None
    if data.dev:
        best, score = _fit_to_dev(prepared, training, report, checkpoint, processes)
    else:
        folds = split_into_folds(data, training.seed)
        judged = cross_validate(recipe.model_copy(update={"training": training}), folds, prepared, prepare_rows, report)
        best, score = _fit_to_all(prepared, training, judged, report, checkpoint), judged.scores[judged.stage]
    model = _as_saved(best)
    answers = prepared.answers(model) if judged is None else judged.answers[judged.stage]
    objective.finish(model)
    bundle = Bundle(
        name=recipe.name,
        model=model,
        vocabulary=prepared.vocabulary,
        labels=data.labels,
        text_config=recipe.text,
        task=recipe.task,
        metrics={
            "data": data.report.figures(),
            "training": {"dev_score": score, "dtype": choice.dtype} | ({"stage": judged.stage} if judged else {}),
        },
    )
    bundle = objective.judge(bundle, answers, prepared.dev)
    if not comparing:
        return bundle
    start: Sequence[Tensor] | None = None
    if START in prepared.starts:
        start = prepared.answers(prepared.starts[START].quantized()) if judged is None else judged.answers[START]
    return compare(bundle, recipe, folds, prepared.dev, answers, start)


def _fit_to_dev(
    prepared: Preparation,
    config: TrainingConfig,
    report: Report,
    checkpoint: Checkpoint | None,
    processes: Processes,
) -> tuple[SentimentModel, float]:
    """Return the network that is best on the dev sets, and its score.

    An epoch that is better than the starts by its score must have a lower loss, too: on few rows either may be luck.
    """
    objective, dev = prepared.objective, prepared.dev

    def score(model: SentimentModel) -> float:
        return objective.score(prepared.answers(model.quantized()), dev)

    answers = {}
    if processes.is_first:
        answers = {stage: prepared.answers(network.quantized()) for stage, network in prepared.starts.items()}
    scored = [(prepared.starts[stage], objective.score(own, dev)) for stage, own in answers.items()]
    best = fit(
        prepared.model,
        prepared.token_ids,
        prepared.targets,
        score,
        config,
        report,
        checkpoint,
        criterion=prepared.objective.criterion,
        keep=prepared.keep,
        start=max(scored, key=lambda pair: pair[1], default=None),
        processes=processes,
        rewrite=prepared.rewrite,
    )
    if not answers:
        return best
    networks = {**prepared.starts, "best": best[0]}
    answers["best"] = prepared.answers(best[0].quantized())
    chosen = choose_stage({stage: objective.losses(own, dev) for stage, own in answers.items()})
    return networks[chosen], objective.score(answers[chosen], dev)


def _fit_to_all(
    prepared: Preparation, config: TrainingConfig, judged: Judgement, report: Report, checkpoint: Checkpoint | None
) -> SentimentModel:
    """Return the start that cross-validation chose, or the network after as many epochs as it chose."""
    stage = judged.stage
    if isinstance(stage, str):
        return prepared.starts[stage]
    done = len(checkpoint.saved.numbers["dev_scores"]) if checkpoint is not None and checkpoint.saved else 0
    scores = iter([judged.scores[epoch] for epoch in range(done + 1, stage + 1)])
    best, _ = fit(
        prepared.model,
        prepared.token_ids,
        prepared.targets,
        lambda average: next(scores),
        config,
        report,
        checkpoint,
        criterion=prepared.objective.criterion,
        keep=prepared.keep,
        last_epoch=stage,
        rewrite=prepared.rewrite,
    )
    return best


def _as_saved(model: SentimentModel) -> SentimentModel:
    """Return the network in the numbers that are saved, so that what is judged is what serves."""
    if isinstance(model, StateReader):
        model = model.without_states()
    if model.integer_names:
        return model.quantized()
    # Half the bytes on disk for nothing measurable.
    model.embedding.weight.data = model.embedding.weight.data.half().float()  # (V, F)
    return model
