"""Turn a prediction into the columns that are added to a row."""

from collections.abc import Mapping
from dataclasses import replace

from sentiment.abstention import UNCERTAIN
from sentiment.classifier import AnyModel, AnyPrediction, ValuePrediction
from sentiment.errors import ConfigError
from sentiment.predictor import PROBABILITY
from sentiment.scoring.formats.rows import ColumnType, SentenceList, Values
from sentiment.scoring.predict.predict import PredictionBySentence
from sentiment.scoring.settings import ScoringSettings


class OutputColumns:
    """The columns a model adds, in order: `types` has the type of each one's values.

    With `top_only` these are the label and its probability, or the value alone. Each name has the `prefix`. Raises
    ConfigError for `sentences` or a `threshold` where the model has no labels, or one of the name that it would give.
    """

    def __init__(self, classifier: AnyModel, settings: ScoringSettings) -> None:
        labels = () if classifier.task == "regression" else classifier.labels
        if settings.threshold and not labels:
            raise ConfigError(f"threshold is for models of labels; {classifier.name!r} answers with a number")
        if settings.sentences and not labels:
            raise ConfigError(f"sentences are of models of labels; {classifier.name!r} answers with a number")
        if settings.threshold and UNCERTAIN in labels:
            raise ConfigError(f"threshold: the model has a label {UNCERTAIN!r} of its own")
        self.labels = (*labels, UNCERTAIN) if settings.threshold else labels
        self._model_version = classifier.version
        self._settings = settings
        self._probabilities = {label: f"{PROBABILITY}{label}" for label in labels}
        answer: dict[str, ColumnType] = {"label": str, **dict.fromkeys(self._probabilities.values(), float)}
        if not labels:
            answer = {"value": float}
        elif settings.top_only:
            answer = {"label": str, "probability": float}
        if settings.sentences:
            answer |= {"sentences": SentenceList(labels), "mixed": bool}
        reading: dict[str, ColumnType] = {"tokens": int, "unknown_tokens": int, "truncated": bool, "model_version": str}
        types = answer if settings.top_only else answer | reading
        self.types: dict[str, ColumnType] = {f"{settings.prefix}{name}": kind for name, kind in types.items()}

    def judge(self, predictions: Mapping[int, AnyPrediction]) -> tuple[dict[int, AnyPrediction], dict[int, str]]:
        """Return the predictions kept, and why the others are rejected, by index."""
        judged = {index: self._judge(prediction) for index, prediction in predictions.items()}
        return (
            {index: verdict for index, verdict in judged.items() if not isinstance(verdict, str)},
            {index: verdict for index, verdict in judged.items() if isinstance(verdict, str)},
        )

    def _judge(self, prediction: AnyPrediction) -> AnyPrediction | str:
        if self._settings.strict and prediction.truncated:
            return f"is too long to be read in full: the limit is {prediction.tokens} tokens"
        if isinstance(prediction, ValuePrediction):
            return prediction
        if max(prediction.probabilities.values()) < self._settings.threshold:
            return replace(prediction, label=UNCERTAIN)
        return prediction

    def values(self, prediction: AnyPrediction) -> Values:
        """Return the value of each added column."""
        return dict(zip(self.types, self._values(prediction).values(), strict=True))

    def _values(self, prediction: AnyPrediction) -> Values:
        """Return the values in the order of their columns, by names without the prefix."""
        if isinstance(prediction, ValuePrediction):
            answer: Values = {"value": prediction.value}
        elif self._settings.top_only:
            answer = {"label": prediction.label, "probability": max(prediction.probabilities.values())}
        else:
            shares = {self._probabilities[label]: value for label, value in prediction.probabilities.items()}
            answer = {"label": prediction.label, **shares}
            if isinstance(prediction, PredictionBySentence):
                answer |= {"sentences": prediction.sentences, "mixed": prediction.mixed}
        if self._settings.top_only:
            return answer
        return {
            **answer,
            "tokens": prediction.tokens,
            "unknown_tokens": prediction.unknown_tokens,
            "truncated": prediction.truncated,
            "model_version": self._model_version,
        }
