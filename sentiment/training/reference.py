"""What a model says of its dev sets, kept with it, so that a scoring job can tell how far its texts are from those."""

from collections.abc import Mapping, Sequence
from typing import Any

from sentiment.classifier import AnyModel, AnyPrediction, EncodedText
from sentiment.scoring.drift import METRIC, reference_of


def reference(model: AnyModel, sets: Mapping[str, Sequence[list[int]]]) -> dict[str, Any]:
    """What is kept of the token ids of each set, in the form of a bundle's metrics."""
    kept = {}
    for name, token_ids in sets.items():
        predictions: Sequence[AnyPrediction] = model.classify([EncodedText(ids, truncated=False) for ids in token_ids])
        kept[name] = reference_of(predictions)
    return {METRIC: kept}
