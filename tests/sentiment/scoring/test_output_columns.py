from pathlib import Path

import pytest

from sentiment.classifier import Classifier, Prediction, Regressor, ValuePrediction, load
from sentiment.errors import ConfigError
from sentiment.scoring.formats.rows import SentenceList
from sentiment.scoring.predict.output_columns import OutputColumns
from sentiment.scoring.predict.predict import PredictionBySentence, answer
from sentiment.scoring.settings import ScoringSettings


def test_the_columns_are_in_the_order_and_of_the_types_promised(tiny_classifier: Classifier) -> None:
    assert OutputColumns(tiny_classifier, ScoringSettings()).types == {
        "label": str,
        "probability_negative": float,
        "probability_neutral": float,
        "probability_positive": float,
        "tokens": int,
        "unknown_tokens": int,
        "truncated": bool,
        "model_version": str,
    }


def test_values_are_the_predictions(tiny_classifier: Classifier) -> None:
    columns = OutputColumns(tiny_classifier, ScoringSettings())
    [prediction] = tiny_classifier.predict(["A good film, zyzzyva."])
    values = columns.values(prediction)
    assert list(values) == list(columns.types)
    assert all(type(value) is columns.types[name] for name, value in values.items())
    assert values["label"] == prediction.label
    assert values["probability_positive"] == prediction.probabilities["positive"]
    assert (values["tokens"], values["unknown_tokens"], values["truncated"]) == (6, 1, False)
    assert values["model_version"] == tiny_classifier.version != ""


def test_a_prefix_is_before_each_name(tiny_classifier: Classifier) -> None:
    columns = OutputColumns(tiny_classifier, ScoringSettings(top_only=True, prefix="predicted_"))
    [prediction] = tiny_classifier.predict(["A good film."])
    assert columns.types == {"predicted_label": str, "predicted_probability": float}
    assert columns.values(prediction)["predicted_label"] == prediction.label


def test_the_label_and_its_probability_alone(tiny_classifier: Classifier) -> None:
    columns = OutputColumns(tiny_classifier, ScoringSettings(top_only=True))
    [prediction] = tiny_classifier.predict(["A good film."])
    assert columns.types == {"label": str, "probability": float}
    assert columns.values(prediction) == {
        "label": prediction.label,
        "probability": max(prediction.probabilities.values()),
    }


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
