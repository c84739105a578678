"""Prepare a training: read its texts as token ids, and build its network and targets."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from sentiment.bundle import Bundle
from sentiment.config import TrainingConfig, VocabularyConfig
from sentiment.errors import ConfigError, DataError
from sentiment.nn.model import SentimentModel
from sentiment.text.tokenizer import Tokenizer
from sentiment.text.vocabulary import UNK_ID, Vocabulary
from sentiment.training.data.misspelling import Misspelling
from sentiment.training.data.splits import Data
from sentiment.training.distillation.token_states import StateReader, StateTargets, can_learn_states, read_states
from sentiment.training.linear_probe import fit_classifier
from sentiment.training.linear_start import LinearTeacher, is_small, mixed_targets, start_from, transfer_rows
from sentiment.training.loop import EncodedSet, unchanged_model
from sentiment.training.objectives.classification import LabelObjective
from sentiment.training.objectives.regression import ValueObjective
from sentiment.training.optimization import Rewrite, unchanged_rows
from sentiment.training.pretrained import copy_pretrained, interpolate_towards, known_labels
from sentiment.training.recipe import Recipe
from sentiment.training.vectors import WordVectors, load_vectors, vectors_of_pieces

Stage = str | int  # of a training: a start by its name, or the number of epochs after it
START, PROBE = "start", "probe"  # the pretrained network untouched, and with a classifier fitted to the rows


@dataclass(frozen=True)
class Preparation:
    """All that a training needs before its first step."""

    recipe: Recipe
    vocabulary: Vocabulary
    objective: LabelObjective | ValueObjective
    model: SentimentModel  # to be trained
    token_ids: list[list[int]]  # of the rows that an epoch reads, and of texts made of them
    targets: Tensor | StateTargets  # (rows, C)
    dev: list[EncodedSet]  # where the data has none, its training rows
    starts: dict[Stage, SentimentModel]  # networks that an epoch has to beat; none without a pretrained one
    keep: Callable[[SentimentModel], SentimentModel]
    rewrite: Rewrite

    def answers(self, model: SentimentModel) -> list[Tensor]:
        """Return the model's answers to each dev set: logits (N, C), or numbers (N,)."""
        return [self.objective.answers(model, part.token_ids) for part in self.dev]


def prepare(
    recipe: Recipe,
    data: Data,
    pretrained: Bundle | None,
    *,
    vocabulary: Vocabulary | None = None,
    vectors: Sequence[WordVectors] = (),
) -> Preparation:
    """Prepare the training of these rows, which continues from `pretrained` if there is one.

    Raises ConfigError for settings that can't go together, DataError for states of other texts.
    """
    starts_linear = pretrained is None and vocabulary is None and is_small(recipe, data)
    tokenizer = Tokenizer(recipe.text)
    tokens = [[text.tokens for text in tokenizer.tokenize(part.texts)] for part in data.train]
    unlabelled = [text.tokens for text in tokenizer.tokenize(data.unlabelled)]
    if pretrained is not None:
        vocabulary = pretrained.vocabulary
    elif vocabulary is None:
        vocabulary = _vocabulary([*tokens, unlabelled], recipe.vocabulary)
    token_ids = [_encode(vocabulary, row) for part, n in zip(tokens, data.repeats, strict=True) for row in part * n]
    objective = (ValueObjective if recipe.task == "regression" else LabelObjective)(recipe, data)
    dev = [
        objective.encoded(
            part.name, [_encode(vocabulary, text.tokens) for text in tokenizer.tokenize(part.texts)], part
        )
        for part in data.dev or [replace(part, name=f"cross-validation of {part.name}") for part in data.train]
    ]
    targets = objective.targets  # (rows, C)
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
    model = _network(recipe, len(vocabulary), objective.outputs_per_row, states)
    starts: dict[Stage, SentimentModel] = {}
    keep: Callable[[SentimentModel], SentimentModel] = unchanged_model
    if pretrained is not None:
        starts = _start_network(model, token_ids, objective, data, pretrained)
        keep = interpolate_towards(model, data.labels, pretrained, recipe.training.start_share)
    else:
        sources: tuple[str | WordVectors, ...] = (*recipe.training.vectors, *vectors)
        _start_embedding(model, vocabulary, sources)
        if starts_linear and vocabulary.words:
            teacher = LinearTeacher(tokens[0], objective.unweighted)
            made = transfer_rows(tokens[0], unlabelled, recipe.training.seed)
            token_ids += [_encode(vocabulary, row) for row in made]
            targets = objective.weigh(mixed_targets(teacher, tokens[0], objective.unweighted, made))  # (rows + made, C)
            mean_length = sum(map(len, tokens[0])) / len(tokens[0])
            start_from(model, vocabulary, teacher, mean_length=mean_length, keep_vectors=bool(sources))
    return Preparation(
        recipe=recipe,
        vocabulary=vocabulary,
        objective=objective,
        model=model,
        token_ids=token_ids,
        targets=StateTargets(targets, states) if isinstance(model, StateReader) else targets,
        dev=dev,
        starts=starts,
        keep=keep,
        rewrite=_rewrite(recipe.training, vocabulary),
    )


def _start_network(
    model: SentimentModel,
    token_ids: list[list[int]],
    objective: LabelObjective | ValueObjective,
    data: Data,
    pretrained: Bundle,
) -> dict[Stage, SentimentModel]:
    """Give the network the pretrained weights and a classifier fitted to the rows. Return what it could answer with."""
    copy_pretrained(model, data.labels, pretrained)
    known = known_labels(data.labels, pretrained)
    weight, bias = (each.detach() / pretrained.temperature for each in pretrained.model.classifier.parameters())
    starts: dict[Stage, SentimentModel] = {}
    if None not in known:
        if isinstance(objective, ValueObjective):
            objective.start_from(model)
            weight, bias = (each.detach().clone() for each in model.classifier.parameters())
        starts[START] = _frozen_copy(model)
    fit_classifier(model, token_ids, objective.targets, (weight, bias), known, objective.criterion)
    starts[PROBE] = _frozen_copy(model)
    return starts


def _frozen_copy(model: SentimentModel) -> SentimentModel:
    return copy.deepcopy(model).eval().requires_grad_(False)


def _network(recipe: Recipe, words: int, classes: int, states: Sequence[Tensor | None]) -> SentimentModel:
    """Build the recipe's network, which also learns the rows' states, if there are any and its kind can."""
    sizes = {each.shape[1] for each in states if each is not None}
    if len(sizes) > 1:
        numbers = " and ".join(map(str, sorted(sizes)))
        raise DataError(f"the states of the soft labels have {numbers} numbers a token: have one teacher label all")
    if sizes and can_learn_states(recipe.model):
        return StateReader(recipe.model, state_size=sizes.pop(), vocabulary_size=words, num_classes=classes)
    return SentimentModel(recipe.model, vocabulary_size=words, num_classes=classes)


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
