"""Count a model's answers to its dev sets, as the baseline for the drift of a scoring job."""

from collections.abc import Mapping, Sequence
from typing import Any

from sentiment.classifier import AnyModel, AnyPrediction, EncodedText
from sentiment.scoring.drift import METRIC, reference_of


def drift_baseline(model: AnyModel, sets: Mapping[str, Sequence[list[int]]]) -> dict[str, Any]:
    """Return the counts of each set's token ids and answers, in the form of a bundle's metrics."""
    kept = {}
    for name, token_ids in sets.items():
        predictions: Sequence[AnyPrediction] = model.classify([EncodedText(ids, truncated=False) for ids in token_ids])
        kept[name] = reference_of(predictions)
    return {METRIC: kept}
