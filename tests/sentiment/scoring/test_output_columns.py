from pathlib import Path
from typing import Any

import pytest

from sentiment.classifier import Classifier, Prediction, Regressor, ValuePrediction, load
from sentiment.errors import ConfigError
from sentiment.scoring.formats.rows import SentenceList
from sentiment.scoring.predict.output_columns import OutputColumns
from sentiment.scoring.predict.predict import PredictionBySentence, answer
from sentiment.scoring.settings import ScoringSettings

PROBABILITIES = {"probability_negative": float, "probability_neutral": float, "probability_positive": float}
READING = {"tokens": int, "unknown_tokens": int, "truncated": bool, "model_version": str}


@pytest.mark.parametrize(
    ("settings", "types"),
    [
        ({}, {"label": str, **PROBABILITIES, **READING}),
        ({"top_only": True}, {"label": str, "probability": float}),
        ({"top_only": True, "prefix": "predicted_"}, {"predicted_label": str, "predicted_probability": float}),
    ],
)
def test_values_are_the_predictions_in_the_order_and_of_the_types_promised(
    tiny_classifier: Classifier, settings: dict[str, Any], types: dict[str, type]
) -> None:
    columns = OutputColumns(tiny_classifier, ScoringSettings(**settings))
    [prediction] = tiny_classifier.predict(["A good film, zyzzyva."])
    values = columns.values(prediction)
    assert list(columns.types.items()) == [(name, type(value)) for name, value in values.items()] == list(types.items())
    probabilities = {f"probability_{label}": value for label, value in prediction.probabilities.items()}
    reading = {"tokens": 6, "unknown_tokens": 1, "truncated": False, "model_version": tiny_classifier.version}
    top = {"label": prediction.label, "probability": max(prediction.probabilities.values())}
    expected = {**top, **probabilities, **reading}
    assert values == {name: expected[name.removeprefix("predicted_")] for name in types}


def test_not_sure_enough_is_uncertain_and_too_long_is_put_aside(tiny_classifier: Classifier) -> None:
    def said(probability: float, *, truncated: bool = False) -> Prediction:
        return Prediction("negative", {"negative": probability, "positive": 1 - probability}, 9, 0, truncated)

    predictions = {1: said(0.7), 4: said(0.69), 5: said(0.9, truncated=True)}
    columns = OutputColumns(tiny_classifier, ScoringSettings(strict=True, threshold=0.7))
    kept, refused = columns.judge(predictions)
    assert {index: prediction.label for index, prediction in kept.items()} == {1: "negative", 4: "uncertain"}
    assert kept[4].probabilities["negative"] == 0.69
    assert refused == {5: "is too long to be read in full: the limit is 9 tokens"}
    assert columns.labels == ("negative", "neutral", "positive", "uncertain")
    assert OutputColumns(tiny_classifier, ScoringSettings()).judge(predictions) == (predictions, {})


def test_a_model_with_a_label_of_that_name_cannot_abstain() -> None:
    class Uncertain:
        task = "classification"
        labels = ("uncertain", "sure")
        version = "1"

    with pytest.raises(ConfigError, match="threshold: the model has a label 'uncertain' of its own"):
        OutputColumns(Uncertain(), ScoringSettings(threshold=0.5))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def regressor(value_bundle: Path) -> Regressor:
    return load(value_bundle, task="regression")


def test_a_model_of_numbers_adds_its_value(regressor: Regressor) -> None:
    columns = OutputColumns(regressor, ScoringSettings())
    prediction = ValuePrediction(1.5, 9, 2, truncated=False)
    assert columns.values(prediction) == {
        "value": 1.5, "tokens": 9, "unknown_tokens": 2, "truncated": False, "model_version": regressor.version,
    }  # fmt: skip
    assert {name: type(value) for name, value in columns.values(prediction).items()} == columns.types
    assert columns.labels == ()
    alone = OutputColumns(regressor, ScoringSettings(top_only=True))
    assert (alone.types, alone.values(prediction)) == ({"value": float}, {"value": 1.5})


def test_a_number_too_long_to_read_is_put_aside_and_none_is_uncertain(regressor: Regressor) -> None:
    predictions = {0: ValuePrediction(1.5, 9, 2, truncated=True), 1: ValuePrediction(0.1, 9, 2, truncated=False)}
    kept, refused = OutputColumns(regressor, ScoringSettings(strict=True)).judge(predictions)
    assert (kept, refused) == ({1: predictions[1]}, {0: "is too long to be read in full: the limit is 9 tokens"})
    with pytest.raises(ConfigError, match="threshold is for models of labels; 'value' answers with a number"):
        OutputColumns(regressor, ScoringSettings(threshold=0.5))


def test_sentences_follow_the_probabilities(tiny_classifier: Classifier) -> None:
    columns = OutputColumns(tiny_classifier, ScoringSettings(sentences=True))
    [prediction] = answer(tiny_classifier, ["A good film. It is very bad!"], sentences=True)
    assert isinstance(prediction, PredictionBySentence)
    values = columns.values(prediction)
    assert list(values) == list(columns.types)
    assert list(columns.types)[4:6] == ["sentences", "mixed"]
    assert columns.types["sentences"] == SentenceList(tiny_classifier.labels)
    assert (values["sentences"], values["mixed"]) == (prediction.sentences, prediction.mixed)
    with pytest.raises(ConfigError, match="^sentences and top_only: one adds columns, the other leaves them out; give"):
        ScoringSettings(sentences=True, top_only=True)
