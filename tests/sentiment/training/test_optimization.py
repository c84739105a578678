import pytest
import torch

from sentiment.config import ModelConfig, TrainingConfig
from sentiment.nn.model import SentimentModel
from sentiment.training.loop import fit
from sentiment.training.optimization import adamw, set_learning_rate

ROWS = [[2, 3], [4], [5, 6, 7], [3]]


def model_of() -> SentimentModel:
    torch.manual_seed(0)
    return SentimentModel(ModelConfig(embedding_size=4, hidden_size=4), vocabulary_size=8, num_classes=2)


@pytest.mark.parametrize(
    ("schedule", "left"),
    [
        ("cosine", [1.0, 0.8535534, 0.5, 0.0]),
        ("linear", [1.0, 0.75, 0.5, 0.0]),
        ("constant", [1.0, 1.0, 1.0, 1.0]),
    ],
)
def test_the_rate_rises_in_a_line_and_falls_as_the_schedule_has_it(schedule: str, left: list[float]) -> None:
    config = TrainingConfig.of({"learning_rate": 1.0, "warmup_share": 0.875, "schedule": schedule})
    optimizer = adamw(model_of(), config)
    found = []
    for step in (0, 2, 4, 8):
        set_learning_rate(optimizer, step, 8, config)
        found.append(optimizer.param_groups[1]["lr"])
    risen = [1 / 8, 3 / 8, 5 / 8, 1.0]
    assert found == pytest.approx([up * down for up, down in zip(risen, left, strict=True)])


@pytest.mark.parametrize(("frozen", "moved"), [(0, True), (1, True), (2, False)])
def test_the_embedding_stays_as_it_is_in_its_frozen_epochs(frozen: int, moved: bool) -> None:
    config = TrainingConfig(epochs=2, learning_rate=0.1, max_batch_rows=2, frozen_embedding_epochs=frozen)
    model = model_of()
    before = model.embedding.weight.detach().clone()
    seen: list[torch.Tensor] = []

    def score(_: SentimentModel) -> float:
        seen.append(model.embedding.weight.detach().clone())
        return float(len(seen))

    best, _ = fit(model, ROWS, torch.eye(2).repeat(2, 1), score, config, lambda _: None)
    assert torch.equal(seen[0], before) == (frozen > 0)
    assert torch.equal(seen[1], before) == (not moved)
    assert torch.equal(best.embedding.weight, before) == (not moved)
    assert not torch.equal(best.classifier.weight, model_of().classifier.weight)
