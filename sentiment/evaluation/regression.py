"""Measure how far a model's numbers are from the true ones."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from sentiment.classifier import Regressor
from sentiment.errors import DataError
from sentiment.evaluation.answers import Floats
from sentiment.evaluation.intervals import resampled
from sentiment.evaluation.metrics import unknown_share

FIGURES = ("pearson_r", "mae", "rmse")


def value_figures(predicted: Floats, true: Floats) -> dict[str, Any]:
    """Return pearson_r, mae, rmse and rows of the predicted and the true numbers, (N,) each.

    Pearson's r is 0 if one of the two is constant.
    """
    return dict(zip(FIGURES, _measured(predicted, true), strict=True)) | {"rows": len(true)}


def evaluate_values(regressor: Regressor, texts: Sequence[str], values: Sequence[float]) -> dict[str, Any]:
    """Return `value_figures` of the regressor's answers to the texts, with the 95 % `intervals` of each.

    `unknown_tokens` is the share of tokens that the model doesn't know.

    Raises DataError if all texts have one number, TextError for a text that can't be read.
    """
    true = np.array(values)  # (N,)
    if len(set(values)) < 2:
        raise DataError(f"every row has the number {values[0]:g}; evaluation needs at least two different ones")
    predictions = regressor.predict(texts)
    predicted = np.array([each.value for each in predictions])  # (N,)
    estimates = resampled(lambda rows: np.array(_measured(predicted[rows], true[rows])), len(true))
    return value_figures(predicted, true) | {
        "intervals": {name: asdict(each) for name, each in zip(FIGURES, estimates, strict=True)},
        "unknown_tokens": unknown_share(predictions),
    }


def _measured(predicted: Floats, true: Floats) -> tuple[float, float, float]:
    errors = predicted - true  # (N,)
    changes = predicted.std() > 0 and true.std() > 0
    r = float(np.corrcoef(predicted, true)[0, 1]) if changes else 0.0
    return r, float(np.abs(errors).mean()), float(np.sqrt((errors**2).mean()))
