"""Compare a new model with what one would use instead: the model it started from, a linear model, the majority."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sentiment.bundle import Bundle
from sentiment.evaluation.answers import Floats, Integers
from sentiment.evaluation.calibration import expected_calibration_error, present_classes
from sentiment.evaluation.intervals import Estimate, resampled, share
from sentiment.evaluation.regression import value_figures
from sentiment.training.baselines import MAX_ROWS, LinearModel
from sentiment.training.cross_validation import Fold
from sentiment.training.loop import EncodedSet
from sentiment.training.recipe import Recipe

METRIC = "comparison"
MODEL, START, LINEAR, MAJORITY = "model", "start", "linear", "majority"  # in the order that decides a tie
# An ECE says whether probabilities are honest: not one of few rows, nor one whose interval is wide.
MIN_ROWS_OF_ECE = 200
WIDEST_ECE = 0.05
FIGURES = {"classification": ("accuracy", "macro_recall", "ece"), "regression": ("pearson_r", "mae")}


@dataclass(frozen=True)
class Comparison:
    """The figures of each candidate on the same rows, which none of them learned from."""

    method: str
    rows: int
    candidates: Mapping[str, Mapping[str, Estimate | None]]  # each figure with its interval; None: too few rows

    @classmethod
    def of(cls, metrics: Mapping[str, Any]) -> "Comparison | None":
        """Return that of a bundle's metrics; None where there is none."""
        found = metrics.get(METRIC)
        if found is None:
            return None
        candidates = {
            name: {figure: Estimate(**each) if each else None for figure, each in figures.items()}
            for name, figures in found["candidates"].items()
        }
        return cls(found["method"], found["rows"], candidates)

    @property
    def main_figure(self) -> str:
        """Return the name of the figure that decides."""
        return next(iter(self.candidates[MODEL]))

    @property
    def best(self) -> str:
        """Return the candidate with the highest main figure; the model's own where it is as good as another."""
        order = [name for name in (MODEL, START, LINEAR, MAJORITY) if name in self.candidates]
        return max(order, key=self.main)

    def shown(self, name: str) -> str:
        """Return a candidate's main figure in words."""
        return f"{self.main(name):.1%} right" if self.main_figure == "accuracy" else f"r {self.main(name):.2f}"

    def main(self, name: str) -> float:
        """Return a candidate's main figure."""
        estimate = self.candidates[name][self.main_figure]
        assert estimate is not None  # any number of rows has one
        return estimate.value


def compare(
    bundle: Bundle,
    recipe: Recipe,
    folds: Sequence[Fold],
    dev: Sequence[EncodedSet],
    answers: Sequence[Tensor],  # of the model: logits (N, C) of each dev set, or numbers (N,)
    start_answers: Sequence[Tensor] | None,  # of the model that it started from
) -> Bundle:
    """Return the bundle with the comparison in its metrics; itself where a linear model has nothing to learn from.

    That is of soft labels, and of more than 50,000 rows.
    """
    train = [part for fold in folds for part in fold.data.train]
    if any(part.probabilities is not None for part in train) or sum(len(part.texts) for part in train) > MAX_ROWS:
        return bundle
    method = "cross-validation" if len(folds) > 1 else "dev data" if recipe.dev else "held-out rows"
    true = np.concatenate([part.targets.numpy() for part in dev])  # (rows,)
    if recipe.task == "regression":
        found = {MODEL: torch.cat(list(answers)).numpy()}
        if start_answers is not None:
            found[START] = torch.cat(list(start_answers)).numpy()
        found |= _baseline_values(folds, dev)
        measured = _measure({name: _value_figures(own, true) for name, own in found.items()}, len(true), recipe.task)
    else:
        found = {MODEL: _probabilities(answers, dev, bundle.temperature)}
        if start_answers is not None:
            found[START] = _probabilities(start_answers, dev, 1.0)
        found |= _baseline_probabilities(folds, dev, bundle.labels)
        measured = _measure({name: _label_figures(own, true) for name, own in found.items()}, len(true), recipe.task)
    comparison = Comparison(method, len(true), measured)
    return replace(bundle, metrics={**bundle.metrics, METRIC: asdict(comparison) | {"best": comparison.best}})


def _measure(statistics: Mapping[str, Any], rows: int, task: str) -> dict[str, dict[str, Estimate | None]]:
    """Return each candidate's figures, all from the same resamples."""
    names = FIGURES[task]
    estimates = iter(resampled(lambda drawn: np.concatenate([each(drawn) for each in statistics.values()]), rows))
    measured: dict[str, dict[str, Estimate | None]] = {
        name: {figure: next(estimates) for figure in names} for name in statistics
    }
    for figures in measured.values():
        accuracy, ece = figures.get("accuracy"), figures.get("ece")
        if accuracy is not None:  # resamples of answers that are all right would say that it is certain
            figures["accuracy"] = share(round(accuracy.value * rows), rows)
        if ece is not None and (rows < MIN_ROWS_OF_ECE or ece.high - ece.low > WIDEST_ECE):
            figures["ece"] = None
    return measured


def _label_figures(probabilities: Floats, true: Integers) -> Any:
    predicted = probabilities.argmax(axis=1)  # (rows,)
    right = predicted == true  # (rows,)
    tensors = torch.from_numpy(probabilities), torch.from_numpy(true)

    def measure(rows: Integers) -> Floats:
        support = np.bincount(true[rows], minlength=probabilities.shape[1])  # (C,)
        hits = np.bincount(true[rows], weights=right[rows], minlength=probabilities.shape[1])  # (C,)
        recall = (hits[support > 0] / support[support > 0]).mean()
        drawn = torch.from_numpy(rows)
        ece = expected_calibration_error(tensors[0][drawn], tensors[1][drawn])
        return np.array([right[rows].mean(), recall, ece])

    return measure


def _value_figures(predicted: Floats, true: Floats) -> Any:
    def measure(rows: Integers) -> Floats:
        found = value_figures(predicted[rows], true[rows])
        return np.array([found[name] for name in FIGURES["regression"]])

    return measure


def _probabilities(answers: Sequence[Tensor], dev: Sequence[EncodedSet], temperature: float) -> Floats:
    """Return the probabilities of all sets' rows: (rows, C). In a set that lacks a class, it has none."""
    parts = [
        torch.softmax(present_classes(logits.double() / temperature, part.targets), dim=-1)  # (N, C)
        for logits, part in zip(answers, dev, strict=True)
    ]
    return torch.cat(parts).numpy()


def _baseline_probabilities(
    folds: Sequence[Fold], dev: Sequence[EncodedSet], labels: Sequence[str]
) -> dict[str, Floats]:
    linear = [torch.zeros(len(part.token_ids), len(labels), dtype=torch.double) for part in dev]  # (N, C) each
    majority = [torch.zeros_like(each) for each in linear]
    for fold in folds:
        texts = [text for part in fold.data.train for text in part.texts]
        given = [label for part in fold.data.train for label in part.labels]
        model = LinearModel(texts, given)
        shares = torch.tensor([given.count(label) / len(given) for label in labels], dtype=torch.double)  # (C,)
        for own, most, rows, part in zip(linear, majority, fold.rows, fold.data.dev, strict=True):
            if rows:
                own[rows] = torch.from_numpy(model.probabilities(part.texts, labels))
                most[rows] = shares
    log = [[each.clamp_min(1e-12).log() for each in found] for found in (linear, majority)]
    return {LINEAR: _probabilities(log[0], dev, 1.0), MAJORITY: _probabilities(log[1], dev, 1.0)}


def _baseline_values(folds: Sequence[Fold], dev: Sequence[EncodedSet]) -> dict[str, Floats]:
    linear = [torch.zeros(len(part.token_ids), dtype=torch.double) for part in dev]  # (N,) each
    majority = [torch.zeros_like(each) for each in linear]
    for fold in folds:
        texts = [text for part in fold.data.train for text in part.texts]
        given = [value for part in fold.data.train for value in part.values or ()]
        model = LinearModel(texts, given, regression=True)
        for own, most, rows, part in zip(linear, majority, fold.rows, fold.data.dev, strict=True):
            if rows:
                own[rows] = torch.from_numpy(model.values(part.texts))
                most[rows] = float(np.mean(given))
    return {LINEAR: torch.cat(linear).numpy(), MAJORITY: torch.cat(majority).numpy()}
