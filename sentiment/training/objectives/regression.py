"""Scale targets, and compute dev score and bundle, of a regression."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from sentiment.bundle import Bundle
from sentiment.classifier import Regressor
from sentiment.evaluation.regression import value_figures
from sentiment.nn.model import SentimentModel
from sentiment.scoring.drift import drift_baseline
from sentiment.training.card import model_card
from sentiment.training.data.dataset import LabelledTexts
from sentiment.training.data.splits import Data
from sentiment.training.golden import golden_predictions
from sentiment.training.loop import EncodedSet, compute_logits
from sentiment.training.recipe import Recipe


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


class ValueObjective:
    """Learn numbers, by the squared error of their standardized values."""

    outputs_per_row = 1
    criterion = staticmethod(functional.mse_loss)

    def __init__(self, recipe: Recipe, data: Data) -> None:
        self._recipe = recipe
        self._data = data
        numbers = torch.cat([each.repeat(n) for each, n in zip(_values_of(data.train), data.repeats, strict=True)])
        self.scale = Scale.of(numbers)
        self.targets = self.unweighted = self.scale.apply(numbers)  # (rows, 1)

    def weigh(self, targets: Tensor) -> Tensor:
        """Return the targets themselves: there are no classes to weigh."""
        return targets

    def encoded(self, name: str, token_ids: list[list[int]], part: LabelledTexts) -> EncodedSet:
        """Return the set with its numbers."""
        return EncodedSet(name, token_ids, torch.tensor(part.values, dtype=torch.double))

    def answers(self, model: SentimentModel, token_ids: Sequence[list[int]]) -> Tensor:
        """Return the number predicted for each row: (N,)."""
        return self.scale.invert(compute_logits(model, token_ids))

    def score(self, answers: Sequence[Tensor], dev: Sequence[EncodedSet]) -> float:
        """Return minus the root mean squared error, averaged over the dev sets, in the numbers' own unit."""
        errors = [own - part.targets for own, part in zip(answers, dev, strict=True)]  # (N,) each
        return -float(sum(each.square().mean().sqrt() for each in errors) / len(dev))

    def losses(self, answers: Sequence[Tensor], dev: Sequence[EncodedSet]) -> Tensor:
        """Return the squared error of each row of all sets: (rows,)."""
        return torch.cat([(own - part.targets).square() for own, part in zip(answers, dev, strict=True)])  # (rows,)

    def start_from(self, model: SentimentModel) -> None:
        """Make a pretrained network of numbers give standardized ones."""
        self.scale.unfold_from(model)

    def finish(self, model: SentimentModel) -> None:
        """Make the network give the numbers themselves."""
        self.scale.fold_into(model)

    def judge(self, bundle: Bundle, answers: Sequence[Tensor], dev: Sequence[EncodedSet]) -> Bundle:
        """Return the bundle with its dev figures, its card, its golden predictions and its drift baseline."""
        figures = {
            part.name: value_figures(own.numpy(), part.targets.numpy()) for own, part in zip(answers, dev, strict=True)
        }
        judged = replace(
            bundle,
            metrics={"dev": figures, **bundle.metrics},
            card=model_card(self._recipe, (), self._data.train, figures, bundle.model.num_parameters()),
        )
        regressor = Regressor(judged)
        kept = drift_baseline(regressor, {part.name: part.token_ids for part in dev})
        return replace(judged, golden=golden_predictions(regressor), metrics=judged.metrics | kept)


def _values_of(sets: Sequence[LabelledTexts]) -> list[Tensor]:
    """Return the numbers (N,) of each set, float64."""
    return [torch.tensor(part.values, dtype=torch.double) for part in sets]
