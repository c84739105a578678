import pytest
import torch

from sentiment.config import ModelConfig, TrainingConfig
from sentiment.nn.model import SentimentModel
from sentiment.training.loop import Progress, fit


@pytest.mark.parametrize(("patience", "epochs"), [(1, 2), (9, 4)])
def test_nothing_is_left_after_the_last_epoch_also_where_it_stops_early(patience: int, epochs: int) -> None:
    torch.manual_seed(0)
    model = SentimentModel(ModelConfig(embedding_size=4, hidden_size=4), vocabulary_size=8, num_classes=2)
    seen: list[Progress] = []
    rows, targets = [[2, 3], [4], [5, 6, 7], [3]], torch.eye(2).repeat(2, 1)  # (N, C)
    fit(model, rows, targets, lambda _: 0.5, TrainingConfig(epochs=4, patience=patience), seen.append)
    assert [each.dev_score for each in seen if each.dev_score is not None] == [0.5] * epochs
    assert seen[-1].seconds_left == 0.0
    assert all(each.seconds_left > 0 for each in seen[:-1])
