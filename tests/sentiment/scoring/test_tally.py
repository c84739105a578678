from sentiment.classifier import Prediction
from sentiment.scoring.statistics import CONFIDENCE_BINS, LENGTH_BINS, Tally


def said(label: str, confidence: float, tokens: int, unknown: int = 0, *, truncated: bool = False) -> Prediction:
    return Prediction(label, {"a": confidence, "b": 1 - confidence}, tokens, unknown, truncated)


def test_everything_is_counted() -> None:
    tally = Tally()
    tally.add(
        [said("a", 1.0, 1), said("a", 0.5, 3, 2), said("b", 0.04, 4), said("a", 0.974, 1 << 30, 1, truncated=True)]
    )
    assert tally.labels == {"a": 3, "b": 1}
    assert (tally.tokens, tally.unknown_tokens, tally.truncated) == (8 + (1 << 30), 3, 1)
    assert {index: count for index, count in enumerate(tally.confidences) if count} == {10: 1, 19: 3}
    assert [index for index, count in enumerate(tally.lengths) if count == 1] == [0, 1, 2, LENGTH_BINS - 1]
    assert sum(tally.confidences) == sum(tally.lengths) == 4
    assert len(tally.confidences) == CONFIDENCE_BINS
