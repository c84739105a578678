"""Collect a model's answers to labelled texts, from which every figure is computed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sentiment.classifier import Classifier, Prediction
from sentiment.errors import DataError
from sentiment.scoring.formats.rows import Origin

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True)
class Answers:
    """The answers to labelled texts, over the labels that these hold: in every array, a row a text."""

    texts: Sequence[str]
    predictions: Sequence[Prediction]  # as anybody gets them, over all labels of the model
    labels: tuple[str, ...]  # that the texts hold
    renormalized: bool  # whether the model knows others
    true: Integers  # (N,), places in `labels`
    probabilities: Floats  # (N, C), of `labels`
    origins: Sequence[Origin] = ()  # of each text; none of texts in memory

    def row(self, place: int) -> int:
        """Return the number of a text's row in its file, from 1."""
        return self.origins[place].row if self.origins else place + 1

    @property
    def predicted(self) -> Integers:
        """Return the most probable label of each text: (N,)."""
        return self.probabilities.argmax(axis=1)

    @property
    def confidence(self) -> Floats:
        """Return the probability of that label: (N,)."""
        return self.probabilities.max(axis=1)

    @property
    def correct(self) -> Booleans:
        """Return whether it is the true one: (N,)."""
        return self.predicted == self.true

    def over_all(self, labels: Sequence[str]) -> tuple[Floats, Integers]:
        """Return the probabilities (N, C) over all `labels` of the model, and the indices of the true ones."""
        probabilities = np.array([[each.probabilities[label] for label in labels] for each in self.predictions])
        return probabilities, np.array([labels.index(label) for label in self.labels])[self.true]

    def at_temperature(self, temperature: float) -> Floats:
        """Return the probabilities (N, C) at `temperature` times the model's own."""
        logits = (
            np.log(np.maximum(self.probabilities, np.finfo(float).tiny)) / temperature
        )  # (N, C), but for a constant
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))  # (N, C)
        return shares / shares.sum(axis=1, keepdims=True)


def answer(
    classifier: Classifier, texts: Sequence[str], labels: Sequence[str], origins: Sequence[Origin] = ()
) -> Answers:
    """Return the classifier's answers to the texts, which came from these rows.

    Raises DataError for a label that the model doesn't know and where all texts have one, TextError for a text that
    can't be read.
    """
    for place, label in enumerate(labels):
        if label not in classifier.labels:
            row = origins[place] if origins else f"row {place + 1}"
            raise DataError(f"{row} has the label {label!r:.60}; the model knows {', '.join(classifier.labels)}")
    if len(set(labels)) < 2:
        raise DataError(f"every row has the label {labels[0]!r:.60}; evaluation needs rows of two or more")
    predictions = classifier.predict(texts)
    probabilities = torch.tensor([list(p.probabilities.values()) for p in predictions], dtype=torch.double)  # (N, C)
    targets = torch.tensor([classifier.labels.index(label) for label in labels])  # (N,)
    kept, true, present = over_present_classes(probabilities, targets)
    return Answers(
        texts=texts,
        predictions=predictions,
        labels=tuple(classifier.labels[index] for index in present),
        renormalized=len(present) < len(classifier.labels),
        true=true.numpy(),
        probabilities=kept.numpy(),
        origins=origins,
    )


def over_present_classes(probabilities: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, list[int]]:
    """Return the probabilities over the classes in `targets`, (N, C present), the targets among these, and these."""
    present = sorted(set(targets.tolist()))
    kept = probabilities[:, present]  # (N, C present)
    true = torch.searchsorted(torch.tensor(present), targets)  # (N,)
    return kept / kept.sum(dim=-1, keepdim=True), true, present
