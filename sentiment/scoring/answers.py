"""What is added to a row: columns, and their values from a prediction."""

from sentiment.classifier import Classifier, Prediction
from sentiment.scoring.rows import Values


class AnswerColumns:
    """The columns a classifier adds, in order: `types` has the type of each one's values.

    With `top_only` these are the label and its probability.
    """

    def __init__(self, classifier: Classifier, *, top_only: bool = False) -> None:
        self._model_version = classifier.version
        self._top_only = top_only
        self._probabilities = {label: f"probability_{label}" for label in classifier.labels}
        self.types: dict[str, type] = (
            {"label": str, "probability": float}
            if top_only
            else {
                "label": str,
                **dict.fromkeys(self._probabilities.values(), float),
                "tokens": int,
                "unknown_tokens": int,
                "truncated": bool,
                "model_version": str,
            }
        )

    def values(self, prediction: Prediction) -> Values:
        """The value of each added column."""
        if self._top_only:
            return {"label": prediction.label, "probability": prediction.probabilities[prediction.label]}
        return {
            "label": prediction.label,
            **{self._probabilities[label]: value for label, value in prediction.probabilities.items()},
            "tokens": prediction.tokens,
            "unknown_tokens": prediction.unknown_tokens,
            "truncated": prediction.truncated,
            "model_version": self._model_version,
        }
