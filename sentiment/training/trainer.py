"""Train the model of a recipe and return its bundle."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from sentiment.bundle import Bundle
from sentiment.config import TrainingConfig, VocabularyConfig
from sentiment.errors import ConfigError, DataError
from sentiment.nn.model import SentimentModel
from sentiment.text.tokenizer import Tokenizer
from sentiment.text.vocabulary import UNK_ID, Vocabulary
from sentiment.training.data.misspelling import Misspelling
from sentiment.training.data.splits import Data
from sentiment.training.distillation.token_states import StateReader, StateTargets, can_learn_states, read_states
from sentiment.training.events import Start
from sentiment.training.loop import EncodedSet, Report, fit, unchanged_model
from sentiment.training.number_format import training_dtype
from sentiment.training.objectives.classification import (
    class_weights,
    label_bundle,
    mean_macro_recall,
    target_probabilities,
)
from sentiment.training.objectives.regression import Scale, ValueSet, fit_values, value_bundle, values_of
from sentiment.training.optimization import Rewrite, unchanged_rows
from sentiment.training.pretrained import copy_pretrained, interpolate_towards, load_pretrained, merge_pretrained
from sentiment.training.processes import ALONE, Processes
from sentiment.training.recipe import Recipe
from sentiment.training.resume.checkpoint import Checkpoint
from sentiment.training.vectors import WordVectors, load_vectors, vectors_of_pieces


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
) -> Bundle:
    """Train, resuming from `checkpoint`, and return the calibrated bundle, ready to be saved.

    `vocabulary` replaces the one built from the data; `vectors` are added to those of the recipe.
    Raises ConfigError for settings that can't go together, BundleError for a pretrained model that can't be read,
    DataError for states of other texts, TrainingDivergedError as soon as a number isn't finite.
    """
    pretrained = load_pretrained(recipe.training.pretrained) if recipe.training.pretrained else None
    if pretrained is not None:
        if vocabulary is not None or vectors:
            raise ConfigError("a pretrained model brings its words and their vectors: leave others out, or the model")
        recipe, vocabulary = merge_pretrained(recipe, pretrained), pretrained.vocabulary
    tokenizer = Tokenizer(recipe.text)
    tokens = [[text.tokens for text in tokenizer.tokenize(part.texts)] for part in data.train]
    if vocabulary is None:
        vocabulary = _vocabulary(tokens, recipe.vocabulary)
    learned = [_encode(vocabulary, row) for part, n in zip(tokens, data.repeats, strict=True) for row in part * n]
    dev_token_ids = [[_encode(vocabulary, text.tokens) for text in tokenizer.tokenize(part.texts)] for part in data.dev]
    torch.manual_seed(recipe.training.seed)
    states = [
        each
        for part, rows, n in zip(data.train, tokens, data.repeats, strict=True)
        for each in [
            _repeat_states(states, row, vocabulary, recipe.training)
            for states, row in zip(read_states(part, rows, recipe.training.max_tokens), rows, strict=True)
        ]
        * n
    ]
    model = _network(recipe, len(vocabulary), len(data.labels) or 1, states)
    keep: Callable[[SentimentModel], SentimentModel] = unchanged_model
    if pretrained is not None:
        copy_pretrained(model, data.labels, pretrained)
        if recipe.task == pretrained.task == "regression":
            Scale.of(_values(data)).unfold_from(model)
        keep = interpolate_towards(model, data.labels, pretrained, recipe.training.pretrained_share)
    else:
        _start_embedding(model, vocabulary, (*recipe.training.vectors, *vectors))
    saved = checkpoint.saved if checkpoint is not None else None
    is_regression = recipe.task == "regression"
    targets = (
        Scale.of(_values(data)).apply(_values(data)) if is_regression else _label_targets(recipe, data)
    )  # (rows, C)
    answers = StateTargets(targets, states) if isinstance(model, StateReader) else targets
    criterion = functional.mse_loss if is_regression else functional.cross_entropy
    choice = training_dtype(model, learned, answers, recipe.training, saved, criterion=criterion, processes=processes)
    training = recipe.training.model_copy(update={"dtype": choice.dtype})
    on_start(
        Start(
            name=recipe.name,
            rows=len(learned),
            dev_rows=sum(map(len, dev_token_ids)),
            labels=data.labels,
            parameters=model.num_parameters(),
            epochs=recipe.training.epochs,
            steps_done=saved.numbers["step"] if saved else 0,
            epochs_done=saved.numbers["epoch"] - 1 if saved else 0,
            dtype=choice.dtype,
            seconds_per_step=dict(choice.seconds),
            settings=checkpoint.fingerprint if checkpoint is not None else {},
        )
    )
    rewrite = _rewrite(recipe.training, vocabulary)
    if is_regression:
        value_dev = [
            ValueSet(part.name, token_ids, true)
            for part, token_ids, true in zip(data.dev, dev_token_ids, values_of(data.dev), strict=True)
        ]
        best, score = fit_values(
            model, learned, _values(data), value_dev, training, report, checkpoint, keep, processes, rewrite
        )
        return value_bundle(
            _build_bundle(recipe, data, vocabulary, best, score, choice.dtype), recipe, data.train, value_dev
        )
    dev = [
        EncodedSet(part.name, token_ids, [data.labels.index(label) for label in part.labels])
        for part, token_ids in zip(data.dev, dev_token_ids, strict=True)
    ]
    best, score = fit(
        model,
        learned,
        answers,
        lambda average: mean_macro_recall(average.quantized(), dev, data.labels),
        training,
        report,
        checkpoint,
        keep=keep,
        processes=processes,
        rewrite=rewrite,
    )
    best = best.without_states() if isinstance(best, StateReader) else best
    return label_bundle(_build_bundle(recipe, data, vocabulary, best, score, choice.dtype), recipe, data, dev)


def _network(recipe: Recipe, words: int, classes: int, states: Sequence[Tensor | None]) -> SentimentModel:
    """Build the recipe's network, which also learns the rows' states, if there are any and its kind can."""
    sizes = {each.shape[1] for each in states if each is not None}
    if len(sizes) > 1:
        numbers = " and ".join(map(str, sorted(sizes)))
        raise DataError(f"the states of the soft labels have {numbers} numbers a token: have one teacher label all")
    if sizes and can_learn_states(recipe.model):
        return StateReader(recipe.model, state_size=sizes.pop(), vocabulary_size=words, num_classes=classes)
    return SentimentModel(recipe.model, vocabulary_size=words, num_classes=classes)


def _label_targets(recipe: Recipe, data: Data) -> Tensor:
    """Return the target of each row, repeated as often as an epoch reads it: (rows, C)."""
    targets = torch.cat(
        [target_probabilities(part, data.labels).repeat(n, 1) for part, n in zip(data.train, data.repeats, strict=True)]
    )
    return targets * class_weights(targets) if recipe.training.balanced else targets  # (rows, C)


def _values(data: Data) -> Tensor:
    """Return the target value of each row, repeated as often as an epoch reads it: (rows,)."""
    return torch.cat([each.repeat(n) for each, n in zip(values_of(data.train), data.repeats, strict=True)])  # (rows,)


def _vocabulary(tokens: Sequence[Sequence[list[str]]], config: VocabularyConfig) -> Vocabulary:
    vocabulary = Vocabulary.build(
        (row for part in tokens for row in part),
        max_size=config.max_size,
        min_count=config.min_count,
        pieces=config.pieces,
    )
    if not vocabulary.words:  # a handful of rows, where every word occurs once
        vocabulary = Vocabulary.build(
            (row for part in tokens for row in part), max_size=config.max_size, pieces=config.pieces
        )
    return vocabulary


def _rewrite(config: TrainingConfig, vocabulary: Vocabulary) -> Rewrite:
    """Return the rewrite that misspells words, if any. Raises ConfigError for a vocabulary without pieces."""
    if not config.misspelling:
        return unchanged_rows
    if not vocabulary.pieces:
        raise ConfigError(
            f"training.misspelling is {config.misspelling:g}, and the vocabulary has no pieces to read such words by: "
            "set vocabulary.pieces"
        )
    return Misspelling(vocabulary, config.misspelling, config.seed)


def _repeat_states(
    states: Tensor | None, tokens: list[str], vocabulary: Vocabulary, config: TrainingConfig
) -> Tensor | None:
    """Repeat each word's state for all its pieces: (T, K); None if the row has too many pieces."""
    if states is None or not vocabulary.pieces:
        return states
    counts = [len(parts) for parts in vocabulary.read(tokens)]
    return states.repeat_interleave(torch.tensor(counts), dim=0) if sum(counts) <= config.max_tokens else None


def _encode(vocabulary: Vocabulary, tokens: list[str]) -> list[int]:
    return vocabulary.encode(tokens) or [UNK_ID]


def _start_embedding(model: SentimentModel, vocabulary: Vocabulary, vectors: Sequence[str | WordVectors]) -> None:
    weight = model.embedding.weight.data  # (V, F)
    weight.normal_(std=0.2)
    weight[model.embedding.padding_idx] = 0
    start = 0
    for source in vectors:
        found, token_ids = load_vectors(source, vocabulary)
        end = start + found.shape[1]
        if end > weight.shape[1]:
            raise ConfigError(
                f"model.embedding_size is {weight.shape[1]}, and the vectors need {end}: --embedding-size {end} or more"
            )
        weight[token_ids, start:end] = found
        pieces, means = vectors_of_pieces(vocabulary, found, token_ids)
        weight[pieces, start:end] = means
        start = end


def _build_bundle(
    recipe: Recipe, data: Data, vocabulary: Vocabulary, model: SentimentModel, score: float, dtype: str
) -> Bundle:
    # Fewer bytes on disk for nothing measurable; rounded here, so that what is judged is what is saved.
    if model.integer_names:
        model = model.quantized()
    else:
        model.embedding.weight.data = model.embedding.weight.data.half().float()  # (V, F)
    return Bundle(
        name=recipe.name,
        model=model,
        vocabulary=vocabulary,
        labels=data.labels,
        text_config=recipe.text,
        task=recipe.task,
        metrics={"data": data.report.figures(), "training": {"dev_score": score, "dtype": dtype}},
    )
