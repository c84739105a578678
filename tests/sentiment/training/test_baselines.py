"""Fit what a model of one's own has to beat."""

import numpy as np
import pytest

from sentiment.training.baselines import LinearModel

ENGLISH = ["good soup", "very good tea", "bad soup", "very bad tea", "it came", "it went"]
LABELS = ["positive", "positive", "negative", "negative", "neutral", "neutral"]


def test_words_and_their_pairs_are_learned() -> None:
    answers = LinearModel(ENGLISH, LABELS).probabilities(
        ["good", "bad", "it came"], ["negative", "neutral", "positive"]
    )

    assert answers.argmax(axis=1).tolist() == [2, 0, 1]
    assert answers.sum(axis=1) == pytest.approx(np.ones(3))


def test_a_label_without_rows_has_probability_0() -> None:
    answers = LinearModel(ENGLISH[:4], LABELS[:4]).probabilities(["good"], ["negative", "neutral", "positive"])

    assert answers[0, 1] == 0


def test_characters_are_learned_where_the_script_has_no_spaces() -> None:
    texts = ["很好吃的面", "真的很好吃", "难吃得要命", "太难吃了吧"]
    model = LinearModel(texts, ["positive", "positive", "negative", "negative"])

    assert model.probabilities(["好吃"], ["negative", "positive"])[0, 1] > 0.5
    assert model.probabilities(["难吃"], ["negative", "positive"])[0, 1] < 0.5


def test_numbers_are_learned_by_ridge_regression() -> None:
    model = LinearModel(ENGLISH[:4], [1.0, 1.2, -1.0, -1.2], regression=True)

    low, high = model.values(["bad", "good"])
    assert low < 0 < high
