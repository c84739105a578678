from collections.abc import Sequence

import numpy as np
import pytest

from sentiment.evaluation.answers import Answers
from sentiment.evaluation.groups import by_column, by_length, by_unknown_share
from sentiment.predictor import Prediction


def answers(tokens: Sequence[int], unknown: Sequence[int], correct: Sequence[bool]) -> Answers:
    predictions = [Prediction("a", {}, some, none, False) for some, none in zip(tokens, unknown, strict=True)]
    probabilities = np.tile([0.8, 0.2], (len(tokens), 1))
    return Answers(
        [], predictions, ("a", "b"), False, np.array([0 if right else 1 for right in correct]), probabilities
    )


def test_lengths_double() -> None:
    groups = by_length(answers([1, 2, 3, 4, 5, 8, 9, 1025], [0] * 8, [True] * 4 + [False] * 4))
    assert [(group.name, group.rows, group.accuracy.value) for group in groups] == [
        ("1", 1, 1.0), ("2", 1, 1.0), ("3 to 4", 2, 1.0), ("5 to 8", 2, 0.0),
        ("9 to 16", 1, 0.0), ("1,025 to 2,048", 1, 0.0)
    ]  # fmt: skip
    assert groups[0].confidence == 0.8


def test_unknown_shares() -> None:
    groups = by_unknown_share(answers([100] * 6, [0, 1, 5, 6, 20, 21], [True] * 6))
    assert [(group.name, group.rows) for group in groups] == [
        ("none", 1), ("over 0 to 5 %", 2), ("over 5 to 10 %", 1), ("over 10 to 20 %", 1), ("over 20 %", 1)
    ]  # fmt: skip


def test_columns_show_the_frequent_values_and_the_rest_together() -> None:
    values = ["shop"] * 3 + [""] * 2 + [f"rare {place}" for place in range(25)]
    groups = by_column(answers([1] * 30, [0] * 30, [True] * 3 + [False] * 27), values)
    assert [(group.name, group.rows) for group in groups[:2]] == [("shop", 3), ("(empty)", 2)]
    assert (groups[-1].name, groups[-1].rows, len(groups)) == ("7 other values", 7, 21)
    assert groups[0].accuracy.low == pytest.approx(0.4385, abs=1e-4)
