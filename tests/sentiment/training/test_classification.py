import math

import pytest
import torch

from sentiment.training.data.dataset import LabelledTexts
from sentiment.training.loop import EncodedSet
from sentiment.training.objectives.classification import class_weights, mean_macro_recall, target_probabilities

LABELS = ("negative", "neutral", "positive")


def test_a_row_is_answered_with_its_label_or_as_a_teacher_spreads_it() -> None:
    hard = LabelledTexts(name="a", texts=["bad", "good"], labels=["negative", "positive"])
    assert target_probabilities(hard, LABELS).tolist() == [[1, 0, 0], [0, 0, 1]]
    spread = {"positive": 0.5, "neutral": 0.25, "negative": 0.25}
    soft = LabelledTexts(name="a", texts=["good"], labels=["positive"], probabilities=[spread])
    assert target_probabilities(soft, LABELS).tolist() == [[0.25, 0.25, 0.5]]


def test_class_weights_give_each_class_the_same_share_of_the_loss() -> None:
    targets = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.2, 0.8]])  # (rows, C)
    weighted = targets * class_weights(targets)  # (rows, C)
    assert weighted.sum(dim=0).tolist() == pytest.approx([2.0, 2.0])


def test_each_class_of_each_set_counts_the_same_however_many_rows_it_has() -> None:
    dev = [EncodedSet("a", [[2]] * 5, torch.tensor([2, 2, 2, 2, 0])), EncodedSet("b", [[3]] * 2, torch.tensor([2, 2]))]
    logits = [torch.tensor([[0.0, 0.0, 1.0]] * len(part.token_ids)) for part in dev]  # always positive
    assert mean_macro_recall(logits, dev, LABELS) == pytest.approx((1 / 2 + 1) / 2)
    logits[0][0, 0] = math.nan
    assert math.isnan(mean_macro_recall(logits, dev, LABELS))
