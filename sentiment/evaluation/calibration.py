"""Probabilities that mean what they say."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from sentiment.evaluation.answers import Floats, Integers

ECE_BINS = 15


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


def fit_temperature(sets: Sequence[tuple[Tensor, Tensor]]) -> float:
    """The temperature of the lowest mean log loss (Guo et al. 2017), each set weighing the same.

    A set is its logits (N, C), minus infinity for a class the set never holds, and its targets (N,).
    """
    candidates: list[float] = [4.0 ** (step / 200 - 1) for step in range(401)]  # 0.25 to 4, in steps of 0.7 %

    def loss(temperature: float) -> float:
        return sum(float(functional.cross_entropy(logits / temperature, targets)) for logits, targets in sets)

    best: float = min(candidates, key=loss)
    return round(best, 4)
