"""Probabilities that mean what they say."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from sentiment.evaluation.answers import Floats, Integers

ECE_BINS = 15
WIDEST = 4.0  # the highest temperature that is fitted, and one over the lowest

LabelledLogits = tuple[Tensor, Tensor]  # (N, C), minus infinity for a class that the set never holds, and targets (N,)


def expected_calibration_error(probabilities: Tensor, targets: Tensor) -> float:
    """The mean gap between confidence and accuracy, in [0, 1], over 15 equal bins of confidence (Guo et al. 2017).

    `probabilities` is (N, C), `targets` (N,).
    """
    confidence, predicted = probabilities.max(dim=-1)  # (N,)
    correct = (predicted == targets).double()  # (N,)
    bins = (confidence * ECE_BINS).long().clamp(max=ECE_BINS - 1)  # (N,)
    gap = torch.zeros(ECE_BINS, dtype=torch.double).index_add_(0, bins, confidence.double() - correct)  # (bins,)
    return float(gap.abs().sum() / len(targets))


@dataclass(frozen=True, slots=True)
class ConfidenceBin:
    """The answers of nearly one confidence: an honest model is right about as often as it is sure."""

    rows: int
    confidence: float
    accuracy: float


def reliability(probabilities: Floats, true: Integers) -> list[ConfidenceBin]:
    """The answers (N, C) in the bins of the expected calibration error, those that hold any."""
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == true  # (N,)
    bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)  # (N,)
    return [
        ConfidenceBin(int(inside.sum()), float(confidence[inside].mean()), float(correct[inside].mean()))
        for inside in (bins == place for place in range(ECE_BINS))
        if inside.any()
    ]


def held_logits(logits: Tensor, targets: Tensor) -> Tensor:
    """The logits (N, C), minus infinity for the classes that `targets` (N,) never hold: the rest are renormalised."""
    absent = torch.ones(logits.shape[1], dtype=torch.bool)  # (C,)
    absent[targets.unique()] = False
    return logits.masked_fill(absent, -torch.inf)  # (N, C)


def fit_temperature(sets: Sequence[LabelledLogits]) -> float:
    """The temperature of the lowest mean log loss (Guo et al. 2017), each set weighing the same."""
    candidates: list[float] = [WIDEST ** (step / 200 - 1) for step in range(401)]  # 0.25 to 4, in steps of 0.7 %

    def loss(temperature: float) -> float:
        return sum(float(functional.cross_entropy(logits / temperature, targets)) for logits, targets in sets)

    best: float = min(candidates, key=loss)
    return round(best, 4)


def fit_temperature_and_biases(sets: Sequence[LabelledLogits]) -> tuple[float, list[float]]:
    """The temperature, 0.25 to 4, and what to add to each logit divided by it, (C,), of the lowest mean log loss.

    Bias-corrected temperature scaling (Alexandari et al. 2020), each set weighing the same. The biases have a normal
    prior, so that few rows move them little; that of a class which no set holds is 0.
    """
    rows, classes = sum(len(targets) for _, targets in sets), sets[0][0].shape[1]
    place = torch.zeros((), dtype=torch.double, requires_grad=True)  # between the lowest temperature and the highest
    biases = torch.zeros(classes, dtype=torch.double, requires_grad=True)  # (C,)
    optimizer = torch.optim.LBFGS([place, biases], max_iter=200, line_search_fn="strong_wolfe")

    def step() -> Tensor:
        optimizer.zero_grad()
        loss = biases.square().sum() / (2 * rows)
        for logits, targets in sets:
            absent = logits.isneginf()  # (N, C): the gradient of infinity divided is no number
            scaled = logits.masked_fill(absent, 0.0) / WIDEST ** place.tanh() + biases  # (N, C)
            loss = loss + functional.cross_entropy(scaled.masked_fill(absent, -torch.inf), targets) / len(sets)
        loss.backward()
        return loss

    optimizer.step(step)
    temperature: float = WIDEST ** float(place.detach().tanh())
    return round(temperature, 4), [round(bias, 4) for bias in biases.tolist()]
