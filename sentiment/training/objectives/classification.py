"""Compute targets, dev score and bundle of a classification."""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from sentiment.abstention import METRIC
from sentiment.bundle import Bundle
from sentiment.classifier import Classifier
from sentiment.evaluation.abstention import abstention_table
from sentiment.evaluation.calibration import fit_temperature
from sentiment.evaluation.metrics import figures
from sentiment.nn.model import SentimentModel
from sentiment.scoring.drift import drift_baseline
from sentiment.training.card import model_card
from sentiment.training.data.dataset import LabelledTexts
from sentiment.training.data.splits import Data
from sentiment.training.golden import golden_predictions
from sentiment.training.loop import EncodedSet, compute_logits
from sentiment.training.recipe import Recipe


class LabelObjective:
    """Learn labels, by cross entropy."""

    criterion = staticmethod(functional.cross_entropy)

    def __init__(self, recipe: Recipe, data: Data) -> None:
        self._recipe = recipe
        self._data = data
        self._labels = data.labels
        self.outputs_per_row = len(data.labels)
        parts = [
            (target_probabilities(part, data.labels) * row_weights(part)).repeat(n, 1)
            for part, n in zip(data.train, data.repeats, strict=True)
        ]
        self.unweighted = torch.cat(parts)  # (rows, C)
        self.targets = self.weigh(self.unweighted)  # (rows, C)

    def weigh(self, targets: Tensor) -> Tensor:
        """Return the targets (rows, C), of equal weight for each class if the settings say so."""
        return targets * class_weights(targets) if self._recipe.training.balanced else targets  # (rows, C)

    def encoded(self, name: str, token_ids: list[list[int]], part: LabelledTexts) -> EncodedSet:
        """Return the set with the places of its labels."""
        return EncodedSet(name, token_ids, torch.tensor([self._labels.index(label) for label in part.labels]))

    def answers(self, model: SentimentModel, token_ids: Sequence[list[int]]) -> Tensor:
        """Return the logits of each row: (N, C)."""
        return compute_logits(model, token_ids)

    def score(self, answers: Sequence[Tensor], dev: Sequence[EncodedSet]) -> float:
        """Return the mean macro-recall over the dev sets: no set and no class counts for more by being larger."""
        return mean_macro_recall(answers, dev, self._labels)

    def losses(self, answers: Sequence[Tensor], dev: Sequence[EncodedSet]) -> Tensor:
        """Return the log loss of each row of all sets, after the temperature that fits them best: (rows,).

        Rows weigh what they weigh in training.
        """
        sets = [(own.double(), part.targets) for own, part in zip(answers, dev, strict=True)]  # (N, C), (N,) each
        temperature = fit_temperature(sets)
        logits, true = map(torch.cat, zip(*sets, strict=True))  # (rows, C), (rows,)
        found = functional.cross_entropy(logits / temperature, true, reduction="none")  # (rows,)
        weights = self.weigh(functional.one_hot(true, len(self._labels)).double()).amax(dim=1)  # (rows,)
        return found * weights  # (rows,)

    def start_from(self, model: SentimentModel) -> None:
        """Leave the pretrained network as it is: its logits are of the same kind."""

    def finish(self, model: SentimentModel) -> None:
        """Leave the network as it is: its logits are its answers."""

    def judge(self, bundle: Bundle, answers: Sequence[Tensor], dev: Sequence[EncodedSet]) -> Bundle:
        """Return the bundle with its temperature, dev figures, card, golden predictions and drift baseline.

        `answers` are the logits (N, C) of each dev set.
        """
        temperature = fit_temperature([(own, part.targets) for own, part in zip(answers, dev, strict=True)])
        answered = {
            part.name: (torch.softmax(own.double() / temperature, dim=-1), part.targets)
            for own, part in zip(answers, dev, strict=True)
        }
        dev_figures = {name: figures(*each, self._labels) for name, each in answered.items()}
        tables = {
            name: abstention_table(probabilities.numpy(), true.numpy()).model_dump(mode="json")
            for name, (probabilities, true) in answered.items()
        }
        parameters = bundle.model.num_parameters()
        judged = replace(
            bundle,
            temperature=temperature,
            metrics={"dev": dev_figures, METRIC: tables, **bundle.metrics},
            card=model_card(self._recipe, self._labels, self._data.train, dev_figures, parameters),
        )
        classifier = Classifier(judged)
        kept = drift_baseline(classifier, {part.name: part.token_ids for part in dev})
        return replace(judged, golden=golden_predictions(classifier), metrics=judged.metrics | kept)


def target_probabilities(part: LabelledTexts, labels: Sequence[str]) -> Tensor:
    """Return each row's target probabilities (rows, C): its label, or the teacher's distribution."""
    if part.probabilities is not None:
        return torch.tensor([[row[label] for label in labels] for row in part.probabilities])
    return functional.one_hot(torch.tensor([labels.index(label) for label in part.labels]), len(labels)).float()


def row_weights(part: LabelledTexts) -> Tensor:
    """Return the factor (rows, 1) of each row's loss, 1 on average."""
    weights = torch.tensor(part.weights or [1.0] * len(part.texts)).unsqueeze(1)  # (rows, 1)
    return weights / weights.mean()


def class_weights(targets: Tensor) -> Tensor:
    """Return the factors (C,) that give every class of `targets` (rows, C) the same weight in the loss."""
    shares = targets.mean(dim=0)  # (C,)
    return 1 / (len(shares) * shares.clamp_min(1e-12))  # of a class that no row has, nothing is multiplied


def mean_macro_recall(answers: Sequence[Tensor], dev: Sequence[EncodedSet], labels: Sequence[str]) -> float:
    """Return the mean macro-recall of the logits (N, C) of each dev set.

    NaN where an answer is, which a recall, counting the largest of each row, would hide.
    """
    recalls = []
    for logits, part in zip(answers, dev, strict=True):
        if not logits.isfinite().all():
            return math.nan
        recalls.append(figures(torch.softmax(logits.double(), dim=-1), part.targets, labels)["macro_recall"])
    return float(sum(recalls) / len(recalls))
