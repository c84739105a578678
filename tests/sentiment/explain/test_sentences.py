"""Sentences: their spans rebuild any text, and each has the answer that it would have alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.classifier import Classifier
from sentiment.errors import TextError
from sentiment.explain.sentences import CLEAR, SentenceView
from tests.conftest import MakeBundle

PARTS = st.sampled_from([
    "Good film.", " ", "\r\n", "!!!!!!", "?", "…", "&hellip;", "😀", "👨‍👩‍👧", "👍🏽", "e\u0301", "\u0301\u0302",
    "电影很好。", "不好！", "Dr.", "<br />", "Mr. X", "3.5", "\u200b", "\ufeff", "www.x.org.", "bad", "\t",
    '"No."', "(Yes!)", "&#46;", "。",
])  # fmt: skip
TEXTS = st.one_of(st.lists(PARTS, min_size=1, max_size=20).map("".join), st.text(min_size=1, max_size=60))


def spans_of(view: SentenceView, text: str) -> list[str]:
    return [text[sentence.start : sentence.end] for sentence in view.sentences]


@pytest.fixture(scope="module", params=[{}, {"language": "zh"}, {"max_tokens": 6}], ids=["en", "zh", "truncated"])
def classifier(request: pytest.FixtureRequest, make_bundle: MakeBundle) -> Classifier:
    return Classifier(make_bundle(**request.param))


@given(TEXTS)
def test_the_spans_rebuild_the_text(classifier: Classifier, text: str) -> None:
    try:
        [view] = classifier.read_sentences([text])
    except TextError:
        assert not classifier.tokenizer.tokenize([text])[0].tokens
        return
    assert "".join(spans_of(view, text)) == text
    assert view.sentences[0].start == 0
    assert all(one.end == other.start for one, other in zip(view.sentences, view.sentences[1:], strict=False))
    assert all(sentence.start < sentence.end for sentence in view.sentences)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Good film.  It was great!\r\nNot bad", ["Good film.  ", "It was great!\r\n", "Not bad"]),
        (" A film ", [" A film "]),
        ("Really?!! Yes.", ["Really?!! ", "Yes."]),
        ("Good 😀. Bad e\u0301!", ["Good 😀. ", "Bad e\u0301!"]),
        ("He saw Mr. X at 3.5 stars.", ["He saw Mr. X at 3.5 stars."]),
        ("Good.<br /><br />Bad.", ["Good.<br /><br />", "Bad."]),
    ],
)
def test_where_sentences_end(tiny_classifier: Classifier, text: str, expected: list[str]) -> None:
    [view] = tiny_classifier.read_sentences([text])
    assert spans_of(view, text) == expected


def test_chinese_sentences(make_bundle: MakeBundle) -> None:
    text = "电影很好。不好看！ok"
    [view] = Classifier(make_bundle(language="zh")).read_sentences([text])
    assert spans_of(view, text) == ["电影很好。", "不好看！", "ok"]


def test_each_sentence_is_answered_as_if_alone(tiny_classifier: Classifier) -> None:
    texts = ["A great film! The film was awful. It is okay", "good", "Bad. Bad. Good."]
    views = tiny_classifier.read_sentences(texts)
    for text, view, whole in zip(texts, views, tiny_classifier.predict(texts), strict=True):
        assert view.prediction.label == whole.label
        assert view.prediction.probabilities == pytest.approx(whole.probabilities, abs=1e-6)
        alone = tiny_classifier.predict(spans_of(view, text))
        for sentence, prediction in zip(view.sentences, alone, strict=True):
            assert sentence.label == prediction.label
            assert sentence.probabilities == pytest.approx(prediction.probabilities, abs=1e-6)


def test_mixed_is_both_clearly(make_bundle: MakeBundle) -> None:
    classifier = Classifier(make_bundle(scale=8.0))
    words = ("awful", "bad", "boring", "good", "great", "okay", "film", "not good", "very bad", "it is great")
    texts = [f"{one.capitalize()}. {other.capitalize()}." for one in words for other in words]
    views = classifier.read_sentences(texts)
    for view in views:
        highest = {
            label: max(sentence.probabilities[label] for sentence in view.sentences)
            for label in ("positive", "negative")
        }
        assert view.mixed == (min(highest.values()) >= CLEAR)
    assert {view.mixed for view in views} == {True, False}


def test_nothing_to_read(tiny_classifier: Classifier) -> None:
    assert tiny_classifier.read_sentences([]) == []
    with pytest.raises(TextError, match="text 1: is empty or blank"):
        tiny_classifier.read_sentences(["good", ""])
    [view] = tiny_classifier.read_sentences(["\u200b."])
    assert spans_of(view, "\u200b.") == ["\u200b."]
