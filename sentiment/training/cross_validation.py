"""Judge the training of a small table by cross-validation: each row is answered by a model that didn't learn it."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count

import torch
from torch import Tensor

from sentiment.nn.model import SentimentModel
from sentiment.training.data.dataset import LabelledTexts, exclude_texts, plain, select
from sentiment.training.data.splits import Data
from sentiment.training.loop import Progress, Report, fit
from sentiment.training.preparation import START, Preparation, Stage
from sentiment.training.recipe import Recipe

FOLDS = 4


@dataclass(frozen=True)
class Fold:
    """Training rows and held-out rows, and which rows of each of all sets are held out."""

    data: Data
    rows: list[list[int]]

    @classmethod
    def of_dev(cls, data: Data) -> "Fold":
        """Return the one of data with dev sets."""
        return cls(data, [list(range(len(part.texts))) for part in data.dev])


@dataclass(frozen=True)
class Judgement:
    """The answers to held-out rows at each stage of training, and the best stage."""

    stage: Stage
    scores: dict[Stage, float]
    answers: dict[Stage, list[Tensor]]  # (N, C), or (N,) of numbers, for each set


def split_into_folds(data: Data, seed: int) -> list[Fold]:
    """Split the training rows, each label, or size of numbers, in equal shares, and equal texts into one fold."""
    places = [_fold_of_rows(part, seed) for part in data.train]
    folds = []
    for fold in sorted({place for of_part in places for place in of_part}):
        rows = [[row for row, place in enumerate(of_part) if place == fold] for of_part in places]
        held_out = [select(part, part.name, set(own), True) for part, own in zip(data.train, rows, strict=True)]
        kept = [
            exclude_texts(select(part, part.name, set(own), False), held_out)
            for part, own in zip(data.train, rows, strict=True)
        ]
        folds.append(Fold(replace(data, train=tuple(kept), dev=tuple(held_out)), rows))
    return folds


def cross_validate(
    recipe: Recipe,
    folds: Sequence[Fold],
    whole: Preparation,
    prepare: Callable[[Recipe, Data], Preparation],
    report: Report,
) -> Judgement:
    """Train on each fold for all epochs, and choose the stage of the lowest loss on the rows held out."""
    config = recipe.training
    answers: dict[Stage, list[Tensor]] = {}
    for number, fold in enumerate(folds, start=1):
        prepared = prepare(recipe, fold.data)

        def record(stage: Stage, model: SentimentModel, prepared: Preparation = prepared, fold: Fold = fold) -> None:
            for own, rows, found in zip(_empty(answers, stage, whole), fold.rows, prepared.answers(model), strict=True):
                own[rows] = found.to(own.dtype)

        for name, network in prepared.starts.items():
            record(name, network.quantized())
        epochs = count(1)

        def score(average: SentimentModel, epochs: "count[int]" = epochs, record=record) -> float:  # type: ignore[no-untyped-def]
            record(next(epochs), average.quantized())
            return 0.0  # no fold stops early: all are judged at each epoch

        def report_fold(progress: Progress, number: int = number) -> None:
            report(replace(progress, dev_score=None, fold=number))

        fit(
            prepared.model,
            prepared.token_ids,
            prepared.targets,
            score,
            config,
            report_fold,
            criterion=prepared.objective.criterion,
            keep=prepared.keep,
            last_epoch=config.epochs,
            rewrite=prepared.rewrite,
        )
    scores = {stage: whole.objective.score(found, whole.dev) for stage, found in answers.items()}
    losses = {stage: whole.objective.losses(found, whole.dev) for stage, found in answers.items()}
    return Judgement(choose_stage(losses), scores, answers)


def choose_stage(losses: dict[Stage, Tensor]) -> Stage:
    """Return the first stage whose loss is about the lowest: the lower losses of later ones may be luck.

    `losses` are those of the same held-out rows, (rows,), at each stage. A stage may be half a standard error above the
    lowest; what was there before the training, a whole one (Breiman et al. 1984).
    """
    best = min(losses, key=lambda stage: float(losses[stage].mean()))
    for stage, own in losses.items():
        difference = own - losses[best]  # (rows,)
        standard_error = float(difference.std(correction=0)) / len(difference) ** 0.5
        if float(difference.mean()) <= (1 if stage == START else 0.5) * standard_error:
            return stage
    return best


def _empty(answers: dict[Stage, list[Tensor]], stage: Stage, whole: Preparation) -> list[Tensor]:
    """Return the stage's answers to all rows of each set, zeros where no fold has answered yet."""
    width = (whole.objective.outputs_per_row,) if whole.recipe.task == "classification" else ()
    return answers.setdefault(
        stage, [torch.zeros(len(part.token_ids), *width, dtype=torch.double) for part in whole.dev]
    )


def _fold_of_rows(part: LabelledTexts, seed: int) -> list[int]:
    """Return the fold of each row."""
    groups: dict[str, list[int]] = {}
    for row, text in enumerate(part.texts):
        groups.setdefault(plain(text), []).append(row)
    drawn = list(groups.values())
    random.Random(seed).shuffle(drawn)
    drawn.sort(key=lambda rows: part.values[rows[0]] if part.values is not None else part.labels[rows[0]])
    places = [0] * len(part.texts)
    for index, rows in enumerate(drawn):
        for row in rows:
            places[row] = index % FOLDS
    return places
