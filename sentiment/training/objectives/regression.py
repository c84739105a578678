"""Scale targets, and compute dev score and bundle, of a regression."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from sentiment.bundle import Bundle
from sentiment.classifier import Regressor
from sentiment.config import TrainingConfig
from sentiment.evaluation.regression import value_figures
from sentiment.nn.model import SentimentModel
from sentiment.scoring.drift import drift_baseline
from sentiment.training.card import model_card
from sentiment.training.data.dataset import LabelledTexts
from sentiment.training.golden import golden_predictions
from sentiment.training.loop import Report, compute_logits, fit
from sentiment.training.optimization import Rewrite, unchanged_rows
from sentiment.training.processes import ALONE, Processes
from sentiment.training.recipe import Recipe
from sentiment.training.resume.checkpoint import Checkpoint


@dataclass(frozen=True)
class ValueSet:
    """A labelled set of numbers, encoded for the network."""

    name: str
    token_ids: list[list[int]]
    values: Tensor  # (N,), float64


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation of the target numbers, which are standardized for training."""

    mean: float
    deviation: float

    @classmethod
    def of(cls, values: Tensor) -> "Scale":
        """Return the scale of numbers (N,), not all the same."""
        return cls(float(values.mean()), float(values.std(correction=0)))

    def apply(self, values: Tensor) -> Tensor:
        """Return the targets (N, 1) of numbers (N,)."""
        return ((values - self.mean) / self.deviation).float().unsqueeze(1)

    def invert(self, outputs: Tensor) -> Tensor:
        """Return the numbers (N,), float64, of the outputs (N, 1)."""
        return outputs.squeeze(1).double() * self.deviation + self.mean

    def unfold_from(self, model: SentimentModel) -> None:
        """Undo `fold_into`: make the last layer give scaled targets again."""
        last = model.classifier
        with torch.no_grad():
            last.weight.div_(self.deviation)
            last.bias.sub_(self.mean).div_(self.deviation)

    def fold_into(self, model: SentimentModel) -> None:
        """Make the network's last layer give unscaled numbers."""
        last = model.classifier
        with torch.no_grad():
            last.weight.mul_(self.deviation)
            last.bias.mul_(self.deviation).add_(self.mean)


def values_of(sets: Sequence[LabelledTexts]) -> list[Tensor]:
    """Return the numbers (N,) of each set, float64."""
    return [torch.tensor(part.values, dtype=torch.double) for part in sets]


def mean_rmse(model: SentimentModel, dev: Sequence[ValueSet], scale: Scale) -> float:
    """Return the root mean squared error, averaged over the dev sets, in the numbers' own unit."""
    errors = [scale.invert(compute_logits(model, part.token_ids)) - part.values for part in dev]  # (N,)
    return float(sum(each.square().mean().sqrt() for each in errors) / len(dev))


def fit_values(
    model: SentimentModel,
    token_ids: Sequence[list[int]],
    values: Tensor,  # (rows,)
    dev: Sequence[ValueSet],
    config: TrainingConfig,
    report: Report,
    checkpoint: Checkpoint | None,
    keep: Callable[[SentimentModel], SentimentModel],
    processes: Processes = ALONE,
    rewrite: Rewrite = unchanged_rows,
) -> tuple[SentimentModel, float]:
    """Train with `fit` on the squared error of numbers; the model returns the numbers, the score is -RMSE."""
    scale = Scale.of(values)
    best, score = fit(
        model,
        token_ids,
        scale.apply(values),
        lambda average: -mean_rmse(average.quantized(), dev, scale),
        config,
        report,
        checkpoint,
        criterion=functional.mse_loss,
        keep=keep,
        processes=processes,
        rewrite=rewrite,
    )
    scale.fold_into(best)
    return best, score


def value_bundle(bundle: Bundle, recipe: Recipe, train: Sequence[LabelledTexts], dev: Sequence[ValueSet]) -> Bundle:
    """Return the bundle with its dev figures, its card, its golden predictions and its drift baseline on dev data."""
    figures = {}
    for part in dev:
        predicted = compute_logits(bundle.model, part.token_ids).squeeze(1).double()  # (N,)
        figures[part.name] = value_figures(predicted.numpy(), part.values.numpy())
    judged = replace(
        bundle,
        metrics={"dev": figures, **bundle.metrics},
        card=model_card(recipe, (), train, figures, bundle.model.num_parameters()),
    )
    regressor = Regressor(judged)
    kept = drift_baseline(regressor, {part.name: part.token_ids for part in dev})
    return replace(judged, golden=golden_predictions(regressor), metrics=judged.metrics | kept)
