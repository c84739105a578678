"""The figures of a model on labelled texts."""

from collections.abc import Sequence
from typing import Any

import torch
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support
from torch import Tensor

from sentiment.classifier import Classifier
from sentiment.errors import DataError
from sentiment.evaluation.calibration import expected_calibration_error


def evaluate(classifier: Classifier, texts: Sequence[str], labels: Sequence[str]) -> dict[str, Any]:
    """The figures of `figures`, from the classifier's own answers.

    Raises DataError for a label that the model doesn't know, TextError for a text that can't be read.
    """
    for row, label in enumerate(labels, start=1):
        if label not in classifier.labels:
            raise DataError(f"row {row} has the label {label!r}; the model knows {', '.join(classifier.labels)}")
    predictions = classifier.predict(texts)
    probabilities = torch.tensor([list(p.probabilities.values()) for p in predictions], dtype=torch.double)  # (N, C)
    targets = torch.tensor([classifier.labels.index(label) for label in labels])  # (N,)
    return figures(probabilities, targets, classifier.labels)


def figures(probabilities: Tensor, targets: Tensor, names: Sequence[str]) -> dict[str, Any]:
    """accuracy, macro_f1, macro_recall, per_class, ece, rows, labels, confusion (a row a true label).

    Where `targets` (N,) hold only some of the classes, the `probabilities` (N, C) are renormalised over those,
    `labels` names them and `renormalized` is true.
    """
    held = sorted(set(targets.tolist()))
    kept = probabilities[:, held]  # (N, C held)
    kept = kept / kept.sum(dim=-1, keepdim=True)  # (N, C held)
    true = torch.searchsorted(torch.tensor(held), targets)  # (N,)
    predicted = kept.argmax(dim=-1)  # (N,)
    labels, classes = [names[index] for index in held], list(range(len(held)))
    precision, recall, f1, support = precision_recall_fscore_support(
        true.numpy(), predicted.numpy(), labels=classes, zero_division=0
    )
    return {
        "accuracy": float((predicted == true).double().mean()),
        "macro_f1": float(f1.mean()),
        "macro_recall": float(recall.mean()),
        "per_class": {
            label: {
                "precision": float(precision[index]),
                "recall": float(recall[index]),
                "f1": float(f1[index]),
                "rows": int(support[index]),
            }
            for index, label in enumerate(labels)
        },
        "ece": expected_calibration_error(kept, true),
        "rows": len(targets),
        "labels": labels,
        "renormalized": len(held) < len(names),
        "confusion": confusion_matrix(true.numpy(), predicted.numpy(), labels=classes).tolist(),
    }
