"""An answer after each word: exact in any batch, and the last one is the text's."""

from typing import Any

import pytest
import torch

from sentiment.batching import PaddedBatch
from sentiment.config import ModelConfig
from sentiment.errors import ConfigError
from sentiment.nn.model import SentimentModel

ROWS = [[2, 3, 4, 5], [6], [7, 8], [9, 10, 11, 12, 13, 14, 15, 16]]
ONE_WAY: list[dict[str, Any]] = [
    {"encoder": "lstm", "pooling": "stepwise", "num_layers": 2},
    {"encoder": "rnn", "pooling": "stepwise"},
    {"encoder": "lstm", "pooling": "stepwise", "initial_state": "learned"},
    {"encoder": "lstm", "pooling": "final"},
]


def model_of(**settings: Any) -> SentimentModel:
    torch.manual_seed(3)
    config = ModelConfig.of({"embedding_size": 6, "hidden_size": 8, "bidirectional": False, **settings})
    model = SentimentModel(config, vocabulary_size=30, num_classes=3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2.0)
    return model.eval()


@pytest.mark.parametrize("settings", ONE_WAY)
def test_the_steps_are_the_answers_to_the_beginnings(settings: dict[str, Any]) -> None:
    model = model_of(**settings)
    with torch.inference_mode():
        steps = model.steps(PaddedBatch.of(ROWS))
        for row, ids in enumerate(ROWS):
            beginnings = model(PaddedBatch.of([ids[:end] for end in range(1, len(ids) + 1)]))
            torch.testing.assert_close(steps[row, : len(ids)], beginnings, atol=1e-5, rtol=0)
        last = steps[torch.arange(len(ROWS)), torch.tensor([len(ids) - 1 for ids in ROWS])]
        torch.testing.assert_close(last, model(PaddedBatch.of(ROWS)), atol=1e-5, rtol=0)
    assert steps[3].std(dim=0).min() > 0.01


@pytest.mark.parametrize("settings", ONE_WAY)
def test_alone_and_unpadded_equal_batched_and_padded(settings: dict[str, Any]) -> None:
    model = model_of(**settings)
    with torch.inference_mode():
        together = model.steps(PaddedBatch.of(ROWS))
        for row, ids in enumerate(ROWS):
            torch.testing.assert_close(
                together[row, : len(ids)], model.steps(PaddedBatch.of([ids]))[0], atol=1e-5, rtol=0
            )


@pytest.mark.parametrize(
    "settings",
    [{"bidirectional": True}, {"encoder": "cnn", "bidirectional": True}, {"pooling": "max"}, {"pooling": "attention"}],
)
def test_a_network_that_must_read_to_the_end_has_none(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="an answer after each word takes a network that reads one way, --encoder"):
        model_of(**settings).steps(PaddedBatch.of(ROWS))


@pytest.mark.parametrize("encoder", ["lstm", "rnn"])
def test_stepwise_and_both_ways_are_refused(encoder: str) -> None:
    with pytest.raises(ConfigError, match="it needs a network that reads one way, --encoder lstm or rnn"):
        ModelConfig.of({"encoder": encoder, "pooling": "stepwise"})


def test_a_network_without_steps_is_not_stepwise() -> None:
    with pytest.raises(ConfigError, match="the encoder bow is not recurrent: leave pooling at final"):
        ModelConfig.of({"encoder": "bow", "pooling": "stepwise"})
