from sentiment.classifier import Classifier
from sentiment.scoring.answers import AnswerColumns


def test_the_columns_are_in_the_order_and_of_the_types_promised(tiny_classifier: Classifier) -> None:
    assert AnswerColumns(tiny_classifier).types == {
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
    columns = AnswerColumns(tiny_classifier)
    [prediction] = tiny_classifier.predict(["A good film, zyzzyva."])
    values = columns.values(prediction)
    assert list(values) == list(columns.types)
    assert all(type(value) is columns.types[name] for name, value in values.items())
    assert values["label"] == prediction.label
    assert values["probability_positive"] == prediction.probabilities["positive"]
    assert (values["tokens"], values["unknown_tokens"], values["truncated"]) == (6, 1, False)
    assert values["model_version"] == tiny_classifier.version != ""


def test_the_label_and_its_probability_alone(tiny_classifier: Classifier) -> None:
    columns = AnswerColumns(tiny_classifier, top_only=True)
    [prediction] = tiny_classifier.predict(["A good film."])
    assert columns.types == {"label": str, "probability": float}
    assert columns.values(prediction) == {
        "label": prediction.label,
        "probability": max(prediction.probabilities.values()),
    }
