import pytest
import torch
from sklearn.metrics import precision_recall_fscore_support

from sentiment.evaluation.metrics import figures

NAMES = ("negative", "neutral", "positive")


def test_figures_by_hand() -> None:
    probabilities = torch.tensor(
        [[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7], [0.6, 0.3, 0.1]], dtype=torch.double
    )
    measured = figures(probabilities, torch.tensor([0, 1, 2, 2]), NAMES)
    assert measured["accuracy"] == 0.75
    assert measured["confusion"] == [[1, 0, 0], [0, 1, 0], [1, 0, 1]]
    assert measured["macro_recall"] == pytest.approx((1 + 1 + 0.5) / 3)
    assert measured["macro_f1"] == pytest.approx((2 / 3 + 1 + 2 / 3) / 3)
    assert measured["per_class"]["negative"] == {"precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3), "rows": 1}
    assert (measured["rows"], measured["labels"], measured["renormalized"]) == (4, list(NAMES), False)


def test_probabilities_are_renormalised_over_the_labels_of_the_file() -> None:
    probabilities = torch.tensor([[0.3, 0.6, 0.1], [0.1, 0.7, 0.2]], dtype=torch.double)
    measured = figures(probabilities, torch.tensor([0, 2]), NAMES)
    assert measured["accuracy"] == 1.0
    assert measured["labels"] == ["negative", "positive"]
    assert measured["renormalized"] is True
    assert measured["ece"] == pytest.approx((0.25 + 1 / 3) / 2)


def test_the_figures_of_each_class_are_those_of_scikit_learn() -> None:
    generator = torch.Generator().manual_seed(0)
    probabilities = torch.softmax(3 * torch.randn(200, 5, generator=generator).double(), dim=-1)  # (N, C)
    probabilities[:, 1] = 0  # never said
    targets = torch.randint(4, (200,), generator=generator)
    measured = figures(probabilities, targets, "abcde")
    predicted = probabilities[:, :4].argmax(dim=1)
    expected = precision_recall_fscore_support(targets, predicted, labels=range(4), zero_division=0)
    for index, label in enumerate("abcd"):
        own = measured["per_class"][label]
        assert list(own.values()) == pytest.approx([each[index] for each in expected])
