import pytest

from sentiment.classifier import Classifier, EncodedText, Prediction
from sentiment.scoring.predict.predict import PredictionBySentence, answer

TEXTS = ["good", "", "\ud800", "a film", "bad " * 50, "\ud801"]
REASONS = {
    1: "is empty or blank",
    2: "holds the lone surrogate U+D800 at character 0: it is not valid Unicode",
    5: "holds the lone surrogate U+D801 at character 0: it is not valid Unicode",
}


def test_each_text_has_a_prediction_or_a_reason(tiny_classifier: Classifier) -> None:
    answers = answer(tiny_classifier, TEXTS)
    assert {index: each for index, each in enumerate(answers) if isinstance(each, str)} == REASONS
    assert [answers[index] for index in (0, 3, 4)] == tiny_classifier.predict([TEXTS[0], TEXTS[3], TEXTS[4]])
    assert answer(tiny_classifier, []) == []


def test_a_text_that_makes_the_model_fail_fails_alone(
    tiny_classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [*tiny_classifier.predict(["good"]), *tiny_classifier.predict(["a film"])]
    classify = Classifier.classify

    def fail(self: Classifier, encoded: list[EncodedText]) -> list[Prediction]:
        if any(len(text.token_ids) == 50 for text in encoded):
            raise RuntimeError("could not create a primitive\nand so on")
        return classify(self, encoded)

    monkeypatch.setattr(Classifier, "classify", fail)
    answers = answer(tiny_classifier, TEXTS)
    assert answers[4] == "makes the model fail: RuntimeError: could not create a primitive"
    assert [answers[0], answers[3]] == expected


def test_by_sentence_it_is_what_the_classifier_says(tiny_classifier: Classifier) -> None:
    texts = ["A good film. The film was very bad!", "", "good"]
    two, reason, one = answer(tiny_classifier, texts, sentences=True)
    assert reason == REASONS[1]
    for text, found in ((texts[0], two), (texts[2], one)):
        assert isinstance(found, PredictionBySentence)
        [view] = tiny_classifier.read_sentences([text])
        assert (found.label, found.probabilities) == (
            view.prediction.label,
            view.prediction.probabilities,
        )
        assert found.mixed is view.mixed
        assert [(each["start"], each["end"], each["label"]) for each in found.sentences] == [
            (each.start, each.end, each.label) for each in view.sentences
        ]
        assert [each["probabilities"] for each in found.sentences] == [each.probabilities for each in view.sentences]
    assert [(each["start"], each["end"]) for each in two.sentences] == [(0, 13), (13, 35)]


def test_a_text_that_normalises_to_nothing_is_named_before_and_behind_an_empty_one(tiny_classifier: Classifier) -> None:
    answers = answer(tiny_classifier, ["&nbsp;", "good", "", "<br>", "\u200b"])
    assert [each if isinstance(each, str) else each.label for each in answers] == [
        "is empty or blank",
        tiny_classifier.predict(["good"])[0].label,
        *["is empty or blank"] * 3,
    ]
