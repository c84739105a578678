"""The figures of a model on labelled texts."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from sentiment.evaluation.answers import Answers, over_held
from sentiment.evaluation.calibration import expected_calibration_error


def evaluate(answers: Answers) -> dict[str, Any]:
    """Return the figures of `figures`, of a classifier's answers."""
    measured = figures(torch.from_numpy(answers.probabilities), torch.from_numpy(answers.true), answers.labels)
    return measured | {"renormalized": answers.renormalized}


def figures(probabilities: Tensor, targets: Tensor, names: Sequence[str]) -> dict[str, Any]:
    """Return accuracy, macro_f1, macro_recall, per_class, ece, rows, labels, confusion (a row a true label).

    Where `targets` (N,) hold only some of the classes, the `probabilities` (N, C) are renormalised over those,
    `labels` names them and `renormalized` is true.
    """
    kept, true, held = over_held(probabilities, targets)  # (N, C held), (N,)
    predicted = kept.argmax(dim=-1)  # (N,)
    labels = [names[index] for index in held]
    confusion = torch.bincount(true * len(held) + predicted, minlength=len(held) ** 2).unflatten(0, (len(held), -1))
    right, support, said = confusion.diagonal().double(), confusion.sum(dim=1), confusion.sum(dim=0)  # (C held,) each
    precision, recall, f1 = right / said.clamp_min(1), right / support, 2 * right / (support + said)  # (C held,) each
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
        "confusion": confusion.tolist(),
    }
