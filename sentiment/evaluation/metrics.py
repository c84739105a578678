"""The figures of a model on labelled texts."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from sentiment.classifier import AnyPrediction
from sentiment.evaluation.answers import Answers, over_present_classes
from sentiment.evaluation.calibration import expected_calibration_error


def evaluate(answers: Answers) -> dict[str, Any]:
    """Return the figures of `figures`, of a classifier's answers, and which share of the tokens is unknown."""
    measured = figures(torch.from_numpy(answers.probabilities), torch.from_numpy(answers.true), answers.labels)
    return measured | {
        "renormalized": answers.renormalized,
        "unknown_tokens": unknown_share(answers.predictions),
    }


def unknown_share(predictions: Sequence[AnyPrediction]) -> float:
    """Return which share of the texts' tokens the model doesn't know."""
    return sum(each.unknown_tokens for each in predictions) / sum(each.tokens for each in predictions)


def figures(probabilities: Tensor, targets: Tensor, names: Sequence[str]) -> dict[str, Any]:
    """Return accuracy, macro_f1, macro_recall, per_class, ece, rows, labels, confusion (a row a true label).

    Where `targets` (N,) hold only some of the classes, the `probabilities` (N, C) are renormalised over those,
    `labels` names them and `renormalized` is true.
    """
    kept, true, present = over_present_classes(probabilities, targets)  # (N, C present), (N,)
    predicted = kept.argmax(dim=-1)  # (N,)
    labels = [names[index] for index in present]
    count = len(present)
    confusion = torch.bincount(true * count + predicted, minlength=count**2).unflatten(0, (count, count))
    right, support, pred_sum = confusion.diagonal().double(), confusion.sum(dim=1), confusion.sum(dim=0)  # (C present,)
    precision, recall = right / pred_sum.clamp_min(1), right / support  # (C present,) each
    f1 = 2 * right / (support + pred_sum)  # (C present,)
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
        "renormalized": len(present) < len(names),
        "confusion": confusion.tolist(),
    }
