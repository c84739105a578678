"""Probabilities that mean what they say."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from sentiment.evaluation.answers import Floats, Integers

ECE_BINS = 15
MAX_TEMPERATURE = 4.0  # that is fitted; the lowest is one over it
DEVIATION_OF_LOG = 0.5  # of the temperature, before any row is seen
FOLDS = 5

LabelledLogits = tuple[Tensor, Tensor]  # of a set: logits (N, C), and targets (N,), which need not hold all classes


def expected_calibration_error(probabilities: Tensor, targets: Tensor) -> float:
    """Return the mean gap between confidence and accuracy, in [0, 1], over 15 equal bins (Guo et al. 2017).

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
    """Return the answers (N, C) in the bins of the expected calibration error, those that hold any."""
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == true  # (N,)
    bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)  # (N,)
    return [
        ConfidenceBin(int(inside.sum()), float(confidence[inside].mean()), float(correct[inside].mean()))
        for inside in (bins == place for place in range(ECE_BINS))
        if inside.any()
    ]


def fit_temperature(sets: Sequence[LabelledLogits]) -> float:
    """Return the temperature of the lowest mean log loss (Guo et al. 2017), each set weighing the same.

    Its logarithm has a normal prior around that of 1, so that few rows move it little.
    """
    rows = len(sets) * min(len(targets) for _, targets in sets)  # as many as count: a small set weighs as a large one
    present = [(present_classes(logits, targets), targets) for logits, targets in sets]  # (N, C), (N,) each
    candidates: list[float] = [MAX_TEMPERATURE ** (step / 200 - 1) for step in range(401)]  # in steps of 0.7 %

    def loss(temperature: float) -> float:
        prior = (math.log(temperature) / DEVIATION_OF_LOG) ** 2 / (2 * rows)
        losses = [float(functional.cross_entropy(logits / temperature, targets)) for logits, targets in present]
        return sum(losses) / len(sets) + prior

    best: float = min(candidates, key=loss)
    return round(best, 4)


@dataclass(frozen=True, slots=True)
class Calibration:
    """A temperature that divides the logits, and a bias (C,) added to them then."""

    temperature: float
    biases: tuple[float, ...]

    def probabilities(self, logits: Tensor) -> Tensor:
        """Return the calibrated probabilities (N, C) of the logits (N, C)."""
        return torch.softmax(logits / self.temperature + logits.new_tensor(self.biases), dim=-1)  # (N, C)


def fit_calibration(sets: Sequence[LabelledLogits]) -> Calibration:
    """Return the temperature and the biases of the lowest mean log loss, each set weighing the same.

    Bias-corrected temperature scaling (Alexandari et al. 2020). The biases and the temperature's logarithm have normal
    priors, so that few rows move them little; the bias of a class which no set holds is 0.
    """
    rows = len(sets) * min(len(targets) for _, targets in sets)  # as many as count: a small set weighs as a large one
    position = torch.zeros((), dtype=torch.double, requires_grad=True)  # of the temperature between its bounds
    biases = torch.zeros(sets[0][0].shape[1], dtype=torch.double, requires_grad=True)  # (C,)
    optimizer = torch.optim.LBFGS(
        [position, biases], max_iter=500, tolerance_grad=1e-9, tolerance_change=1e-14, line_search_fn="strong_wolfe"
    )

    def step() -> Tensor:
        optimizer.zero_grad()
        log_temperature = math.log(MAX_TEMPERATURE) * position.tanh()
        loss = (biases.square().sum() + (log_temperature / DEVIATION_OF_LOG).square()) / (2 * rows)
        for logits, targets in sets:
            scaled = logits / log_temperature.exp() + biases  # (N, C)
            loss = loss + functional.cross_entropy(present_classes(scaled, targets), targets) / len(sets)
        loss.backward()
        return loss

    optimizer.step(step)
    temperature: float = MAX_TEMPERATURE ** float(position.detach().tanh())
    return Calibration(round(temperature, 4), tuple(round(bias, 4) + 0.0 for bias in biases.tolist()))  # no -0


def held_out_probabilities(sets: Sequence[LabelledLogits]) -> list[Tensor]:
    """Return the probabilities (N, C) of each set's rows, a fifth at a time, by a fit to the other four fifths.

    A calibration fits its own rows best, so its figures are computed from these answers.
    """
    shuffle = torch.Generator().manual_seed(0)  # rows may come in an order
    folds = [torch.randperm(len(targets), generator=shuffle) % FOLDS for _, targets in sets]  # (N,) each
    answers = [torch.empty_like(logits) for logits, _ in sets]  # (N, C) each
    for fold in range(FOLDS):
        fitted = fit_calibration(
            [(logits[of != fold], targets[of != fold]) for (logits, targets), of in zip(sets, folds, strict=True)]
        )
        for answer, (logits, _), of in zip(answers, sets, folds, strict=True):
            answer[of == fold] = fitted.probabilities(logits[of == fold])
    return answers


def present_classes(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the logits, minus infinity for classes that `targets` lack, so that the rest are renormalised."""
    absent = torch.ones(logits.shape[1], dtype=torch.bool)  # (C,)
    absent[targets.unique()] = False
    return logits.masked_fill(absent, -torch.inf)  # (N, C)
