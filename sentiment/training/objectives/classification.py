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
from sentiment.scoring.drift import drift_baseline
from sentiment.training.card import model_card
from sentiment.training.data.dataset import LabelledTexts
from sentiment.training.data.splits import Data
from sentiment.training.golden import golden_predictions
from sentiment.training.loop import EncodedSet, compute_logits
from sentiment.training.optimization import LearnerT
from sentiment.training.recipe import Recipe


def target_probabilities(part: LabelledTexts, labels: Sequence[str]) -> Tensor:
    """Return each row's target probabilities (rows, C): its label, or the teacher's distribution."""
    if part.probabilities is not None:
        return torch.tensor([[row[label] for label in labels] for row in part.probabilities])
    return functional.one_hot(torch.tensor([labels.index(label) for label in part.labels]), len(labels)).float()


def class_weights(targets: Tensor) -> Tensor:
    """Return the factors (C,) that give every class of `targets` (rows, C) the same weight in the loss."""
    shares = targets.mean(dim=0)  # (C,)
    return 1 / (len(shares) * shares.clamp_min(1e-12))  # of a class that no row has, nothing is multiplied


def mean_macro_recall(model: LearnerT, dev: Sequence[EncodedSet], labels: Sequence[str]) -> float:
    """Return the mean macro-recall over the dev sets: no set and no class counts for more by being larger.

    NaN where an answer is, which a recall, counting the largest of each row, would hide.
    """
    recalls = []
    for part in dev:
        probabilities, targets = _answers(model, part, 1.0)  # (N, C), (N,)
        if not probabilities.isfinite().all():
            return math.nan
        recalls.append(figures(probabilities, targets, labels)["macro_recall"])
    return float(sum(recalls) / len(recalls))


def label_bundle(bundle: Bundle, recipe: Recipe, data: Data, dev: Sequence[EncodedSet]) -> Bundle:
    """Return the bundle with its temperature, dev figures, card, golden predictions and drift baseline."""
    model = bundle.model
    targets = [torch.tensor(part.targets) for part in dev]
    logits = [compute_logits(model, part.token_ids) for part in dev]
    temperature = fit_temperature(list(zip(logits, targets, strict=True)))
    answers = {part.name: _answers(model, part, temperature) for part in dev}
    dev_figures = {name: figures(*answered, data.labels) for name, answered in answers.items()}
    tables = {
        name: abstention_table(probabilities.numpy(), true.numpy()).model_dump(mode="json")
        for name, (probabilities, true) in answers.items()
    }
    judged = replace(
        bundle,
        temperature=temperature,
        metrics={"dev": dev_figures, METRIC: tables, **bundle.metrics},
        card=model_card(recipe, data.labels, data.train, dev_figures, model.num_parameters()),
    )
    classifier = Classifier(judged)
    kept = drift_baseline(classifier, {part.name: part.token_ids for part in dev})
    return replace(judged, golden=golden_predictions(classifier), metrics=judged.metrics | kept)


def _answers(model: LearnerT, part: EncodedSet, temperature: float) -> tuple[Tensor, Tensor]:
    logits = compute_logits(model, part.token_ids).double()  # (N, C)
    return torch.softmax(logits / temperature, dim=-1), torch.tensor(part.targets)  # (N, C), (N,)
