"""What is added to a row: columns, and their values from a prediction."""

from collections.abc import Mapping
from dataclasses import replace

from sentiment.abstention import UNCERTAIN
from sentiment.classifier import Classifier, Prediction
from sentiment.errors import ConfigError
from sentiment.scoring.rows import Values
from sentiment.scoring.settings import ScoringSettings


class AnswerColumns:
    """The columns a classifier adds, in order: `types` has the type of each one's values.

    With `top_only` these are the label and its probability. Raises ConfigError where the model has a label that
    `threshold` would give.
    """

    def __init__(self, classifier: Classifier, settings: ScoringSettings) -> None:
        if settings.threshold and UNCERTAIN in classifier.labels:
            raise ConfigError(f"threshold: the model has a label {UNCERTAIN!r} of its own")
        self.labels = (*classifier.labels, UNCERTAIN) if settings.threshold else classifier.labels
        self._model_version = classifier.version
        self._settings = settings
        self._probabilities = {label: f"probability_{label}" for label in classifier.labels}
        self.types: dict[str, type] = (
            {"label": str, "probability": float}
            if settings.top_only
            else {
                "label": str,
                **dict.fromkeys(self._probabilities.values(), float),
                "tokens": int,
                "unknown_tokens": int,
                "truncated": bool,
                "model_version": str,
            }
        )

    def judge(self, predictions: Mapping[int, Prediction]) -> tuple[dict[int, Prediction], dict[int, str]]:
        """By place, the predictions kept, and why the others are put aside."""
        judged = {place: self._judge(prediction) for place, prediction in predictions.items()}
        return (
            {place: verdict for place, verdict in judged.items() if not isinstance(verdict, str)},
            {place: verdict for place, verdict in judged.items() if isinstance(verdict, str)},
        )

    def _judge(self, prediction: Prediction) -> Prediction | str:
        if self._settings.strict and prediction.truncated:
            return f"is too long to be read in full: the limit is {prediction.tokens} tokens"
        if max(prediction.probabilities.values()) < self._settings.threshold:
            return replace(prediction, label=UNCERTAIN)
        return prediction

    def values(self, prediction: Prediction) -> Values:
        """The value of each added column."""
        if self._settings.top_only:
            return {"label": prediction.label, "probability": max(prediction.probabilities.values())}
        return {
            "label": prediction.label,
            **{self._probabilities[label]: value for label, value in prediction.probabilities.items()},
            "tokens": prediction.tokens,
            "unknown_tokens": prediction.unknown_tokens,
            "truncated": prediction.truncated,
            "model_version": self._model_version,
        }
