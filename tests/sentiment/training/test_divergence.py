"""A number that isn't finite ends the training where it turns up."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from sentiment.config import ModelConfig, TrainingConfig
from sentiment.errors import TrainingDivergedError
from sentiment.nn.model import SentimentModel
from sentiment.training.loop import Progress, fit
from sentiment.training.resume.checkpoint import Checkpoint

CONFIG = TrainingConfig(epochs=3, learning_rate=0.5, max_batch_rows=1)
ROWS = [[2, 3], [4], [5, 6, 7], [3]]


def model_of() -> SentimentModel:
    torch.manual_seed(0)
    return SentimentModel(ModelConfig(embedding_size=4, hidden_size=4), vocabulary_size=8, num_classes=2)


def targets_of(bad: float = 1.0) -> torch.Tensor:
    targets = torch.eye(2).repeat(2, 1)  # (N, C)
    targets[3, 1] = bad
    return targets


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss(bad: float) -> None:
    seen: list[Progress] = []
    model = model_of()
    message = (
        rf"the loss is {bad}, not a finite number: training has diverged. "
        r"Lower training.learning_rate .now 0.5. or training.clip_norm .now 1. in a recipe"
    )
    with pytest.raises(TrainingDivergedError, match=message):
        fit(model, ROWS, targets_of(bad), lambda _: 1.0, CONFIG, seen.append)
    assert len(seen) < 4  # in the first epoch
    assert all(parameter.isfinite().all() for parameter in model.parameters())


def test_a_gradient() -> None:
    model = model_of()
    model.classifier.weight.register_hook(lambda gradient: gradient * math.nan)
    before = model.classifier.weight.detach().clone()
    with pytest.raises(TrainingDivergedError, match="the gradient's norm is nan"):
        fit(model, ROWS, targets_of(), lambda _: 1.0, CONFIG, lambda _: None)
    assert torch.equal(model.classifier.weight, before)


def test_a_score_and_the_checkpoint_goes_with_it(tmp_path: Path) -> None:
    scores = iter([0.5, math.nan, 1.0])
    judged: Callable[[SentimentModel], float] = lambda _: next(scores)  # noqa: E731
    seen: list[Progress] = []
    message = "the dev score is nan"
    with Checkpoint(tmp_path / "c", {}) as checkpoint, pytest.raises(TrainingDivergedError, match=message):
        fit(model_of(), ROWS, targets_of(), judged, CONFIG, seen.append, checkpoint)
    assert next(scores) == 1.0  # the third epoch was not begun
    assert [progress.dev_score for progress in seen if progress.dev_score is not None] == [0.5]
    assert not (tmp_path / "c").exists()
