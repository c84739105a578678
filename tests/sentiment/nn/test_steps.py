"""An answer after each word: exact in any batch, and the last one is the text's."""

from typing import Any

import pytest
import torch

from sentiment.batching import PaddedBatch
from sentiment.errors import ConfigError
from tests.sentiment.nn.networks import ROWS, model_of

ONE_WAY: list[dict[str, Any]] = [
    {"bidirectional": False, "pooling": "stepwise", "num_layers": 2},
    {"bidirectional": False, "encoder": "rnn", "pooling": "stepwise"},
    {"bidirectional": False, "pooling": "stepwise", "initial_state": "learned"},
    {"bidirectional": False, "pooling": "final"},
]


@pytest.mark.parametrize("settings", ONE_WAY)
def test_the_steps_alone_or_batched_are_the_answers_to_the_beginnings(settings: dict[str, Any]) -> None:
    model = model_of(**settings)
    with torch.inference_mode():
        steps = model.steps(PaddedBatch.of(ROWS))
        for row, ids in enumerate(ROWS):
            beginnings = model(PaddedBatch.of([ids[:end] for end in range(1, len(ids) + 1)]))
            torch.testing.assert_close(steps[row, : len(ids)], beginnings, atol=1e-5, rtol=0)
            alone = model.steps(PaddedBatch.of([ids]))[0]
            torch.testing.assert_close(steps[row, : len(ids)], alone, atol=1e-5, rtol=0)
        last = steps[torch.arange(len(ROWS)), torch.tensor([len(ids) - 1 for ids in ROWS])]
        torch.testing.assert_close(last, model(PaddedBatch.of(ROWS)), atol=1e-5, rtol=0)
    assert steps[3].std(dim=0).min() > 0.01


@pytest.mark.parametrize(
    "settings",
    [{}, {"encoder": "cnn"}, *({"bidirectional": False, "pooling": pooling} for pooling in ("max", "attention"))],
)
def test_a_network_that_must_read_to_the_end_has_none(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="an answer after each word takes a network that reads one way, --encoder"):
        model_of(**settings).steps(PaddedBatch.of(ROWS))
