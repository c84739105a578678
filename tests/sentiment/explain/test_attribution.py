"""Weights that sum to what they explain, alone as in company."""

import math
from typing import Any

import pytest
import torch
from captum.attr import IntegratedGradients
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment.classifier import Classifier
from sentiment.errors import ConfigError, TextError
from sentiment.explain.attribution import MAX_GAP, NEGLIGIBLE_GAP, Explanation, Line, LogOdds, integrated_gradients
from tests.conftest import WORDS, MakeBundle

TEXTS = st.lists(st.lists(st.sampled_from([*WORDS, "zyzzyva"]), min_size=1, max_size=25).map(" ".join), max_size=6)


def assert_complete(explanation: Explanation) -> None:
    change = explanation.log_odds - explanation.baseline_log_odds
    total = sum(token.weight for token in explanation.tokens)
    assert explanation.gap == pytest.approx(abs(total - change), abs=1e-9)
    assert explanation.gap <= max(MAX_GAP * abs(change), NEGLIGIBLE_GAP)


@settings(max_examples=20)
@given(TEXTS)
def test_the_weights_sum_to_the_change(tiny_classifier: Classifier, texts: list[str]) -> None:
    explanations = tiny_classifier.explain(texts)
    assert len(explanations) == len(texts)
    for explanation, prediction in zip(explanations, tiny_classifier.predict(texts), strict=True):
        assert explanation.prediction.label == prediction.label
        assert explanation.prediction == prediction
        assert_complete(explanation)
    for explanation, prediction in zip(explanations, tiny_classifier.in_float32().predict(texts), strict=True):
        p = prediction.probabilities[explanation.prediction.label]
        assert explanation.log_odds == pytest.approx(math.log(p / (1 - p)), abs=1e-4)


@pytest.mark.parametrize("options", [{"num_layers": 2}, {"bidirectional": False}, {"seed": 3, "scale": 6.0}])
def test_other_networks_too(make_bundle: MakeBundle, options: dict[str, Any]) -> None:
    classifier = Classifier(make_bundle(**options))
    for explanation in classifier.explain(["A great film.", "not good", "The film was very boring, and it was bad!"]):
        assert_complete(explanation)


def test_an_explanation_alone_is_the_one_in_a_batch(tiny_classifier: Classifier) -> None:
    texts = ["good", "The film was not good!", "very " * 40 + "bad", "zyzzyva film", "It is okay :)"]
    for text, together in zip(texts, tiny_classifier.explain(texts), strict=True):
        [alone] = tiny_classifier.explain([text])
        assert alone.points == together.points
        assert [token.text for token in alone.tokens] == [token.text for token in together.tokens]
        for one, other in zip(alone.tokens, together.tokens, strict=True):
            assert one.weight == pytest.approx(other.weight, abs=1e-4)


def test_more_points_are_taken_until_the_sum_is_right(make_bundle: MakeBundle) -> None:
    classifier = Classifier(make_bundle(scale=8.0))
    explanations = classifier.explain([f"{word} film was very {word} and not {word}" for word in WORDS])
    assert len({explanation.points for explanation in explanations}) > 1
    for explanation in explanations:
        if explanation.points < 256:
            assert_complete(explanation)


def test_the_tokens_are_where_they_stand(tiny_classifier: Classifier) -> None:
    text = "A GREAT film&#33; Zyzzyva"
    [explanation] = tiny_classifier.explain([text])
    assert [token.text for token in explanation.tokens] == ["A", "GREAT", "film", "&#33;", "Zyzzyva"]
    assert all(text[token.start : token.end] == token.text for token in explanation.tokens)
    assert [token.text for token in explanation.tokens if token.unknown] == ["Zyzzyva"]
    assert explanation.omitted == []


def test_what_was_not_read_is_said(make_bundle: MakeBundle) -> None:
    text = "good film very bad it is"
    [explanation] = Classifier(make_bundle(max_tokens=4)).explain([text])
    assert [token.text for token in explanation.tokens] == ["good", "film", "it", "is"]
    assert [text[gap.start : gap.end] for gap in explanation.omitted] == ["very bad"]
    assert explanation.prediction.truncated


def test_the_heaviest_word_is_the_one_that_moves_the_answer(tiny_classifier: Classifier) -> None:
    fell = []
    for text in ("the film was awful and it is okay", "a great film and a very boring , bad film"):
        [explanation] = tiny_classifier.explain([text])
        ranked = sorted(explanation.tokens, key=lambda token: token.weight)
        label = explanation.prediction.label
        shorter = [text[: token.start] + text[token.end :] for token in (ranked[-1], ranked[0])]
        without_heaviest, without_lightest = tiny_classifier.predict(shorter)
        fell.append(without_lightest.probabilities[label] - without_heaviest.probabilities[label])
    assert min(fell) > 0


def test_what_has_no_explanation(tiny_classifier: Classifier, make_bundle: MakeBundle) -> None:
    assert tiny_classifier.explain([]) == []
    with pytest.raises(TextError, match="text 1: is empty or blank"):
        tiny_classifier.explain(["good", " "])
    with pytest.raises(ConfigError, match="computed in float32: the classifier's dtype is 'bfloat16'"):
        Classifier(make_bundle(), dtype="bfloat16").explain(["good"])


@pytest.mark.parametrize("points", [8, 20])
@pytest.mark.parametrize(
    "settings",
    [
        {}, {"bidirectional": False}, {"bias": False}, {"bidirectional": False, "bias": False},  # by lstm_gradients.py
        {"pooling": "max"}, {"num_layers": 2},
    ],
    ids=str,
)  # fmt: skip
def test_the_weights_are_those_of_captum(make_bundle: MakeBundle, settings: dict[str, Any], points: int) -> None:
    log_odds = LogOdds(make_bundle(**settings).model, 1.2)
    rng = torch.Generator().manual_seed(0)
    baseline, embedded = torch.randn(2, 5, 400, 8, generator=rng)  # more than one batch of points
    lengths, labels = torch.tensor([396, 3, 77, 1, 120]), torch.tensor([0, 2, 1, 1, 0])  # and more padding
    expected = IntegratedGradients(log_odds).attribute(
        embedded, baseline, additional_forward_args=(lengths, labels), n_steps=points, internal_batch_size=100
    )
    found = integrated_gradients(log_odds, Line(baseline, embedded, lengths, labels), points)
    torch.testing.assert_close(found, expected.sum(dim=-1), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("settings", [{"encoder": "bow"}, {"encoder": "cnn"}, {"pooling": "attention"}])
def test_the_words_of_every_network_can_be_weighed(make_bundle: MakeBundle, settings: dict[str, str]) -> None:
    [explanation] = Classifier(make_bundle(**settings, scale=1.5)).explain(["The film was not good"])
    assert explanation.gap < 0.02 * abs(explanation.log_odds - explanation.baseline_log_odds) + 2e-3
    assert max(abs(token.weight) for token in explanation.tokens) > 1e-3
