"""Count the answers of a job."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sentiment.classifier import AnyPrediction, ValuePrediction

CONFIDENCE_BINS = 20
LENGTH_BINS = 24  # the last holds all that is longer


@dataclass
class Tally:
    """Counts that are added to, answer by answer."""

    labels: dict[str, int] = field(default_factory=dict)  # rows of each
    tokens: int = 0
    unknown_tokens: int = 0
    truncated: int = 0
    confidences: list[int] = field(default_factory=lambda: [0] * CONFIDENCE_BINS)  # by the highest probability
    lengths: list[int] = field(default_factory=lambda: [0] * LENGTH_BINS)  # rows of 1 token, 2 to 3, 4 to 7, and so on

    def add(self, predictions: Iterable[AnyPrediction]) -> None:
        """Count these in."""
        for prediction in predictions:
            self.tokens += prediction.tokens
            self.unknown_tokens += prediction.unknown_tokens
            self.truncated += prediction.truncated
            self.lengths[min(prediction.tokens.bit_length() - 1, LENGTH_BINS - 1)] += 1
            if isinstance(prediction, ValuePrediction):
                continue
            self.labels[prediction.label] = self.labels.get(prediction.label, 0) + 1
            confidence = max(prediction.probabilities.values())
            self.confidences[min(int(confidence * CONFIDENCE_BINS), CONFIDENCE_BINS - 1)] += 1
