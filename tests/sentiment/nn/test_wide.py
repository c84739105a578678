"""The wide way held against torch's own LSTM on packed input, and who goes it."""

import random
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from sentiment.batching import MAX_BATCH_TOKENS, PaddedBatch, length_buckets
from sentiment.config import ModelConfig
from sentiment.nn import wide
from sentiment.nn.lstm import PaddedLSTM
from sentiment.nn.model import SentimentModel

V, F, H = 40, 6, 8
ROWS = st.lists(st.lists(st.integers(0, V - 1), min_size=1, max_size=30), min_size=1, max_size=40)
RAGGED = [[(7 * row + step) % V for step in range(1 + row % 9)] for row in range(20)]


def lstm_of(**settings: Any) -> PaddedLSTM:
    torch.manual_seed(4)
    lstm = PaddedLSTM(F, H, **{"bidirectional": True, **settings}).requires_grad_(False)
    for parameter in lstm.parameters():
        parameter.mul_(3.0)
    return lstm


LSTM = lstm_of()
EMBEDDING = torch.randn(V, F, generator=torch.Generator().manual_seed(5))


def packed_states(lstm: PaddedLSTM, batch: PaddedBatch) -> Tensor:
    sequence = pack_padded_sequence(EMBEDDING[batch.token_ids], batch.lengths, batch_first=True, enforce_sorted=False)
    _, (ht, _) = nn.LSTM.forward(lstm, sequence)
    return ht  # (directions, N, H)


def assert_as_packed(lstm: PaddedLSTM, rows: list[list[int]]) -> None:
    batch = PaddedBatch.of(rows)
    found = wide.final_states(EMBEDDING, lstm, batch)
    torch.testing.assert_close(found, packed_states(lstm, batch), atol=1e-5, rtol=0)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("rows", [RAGGED, [[3]] * 4, [[1, 2, 3]], [[9, 8, 7, 6], [1]]], ids=len)
def test_the_states_are_those_of_the_packed_way(bias: bool, bidirectional: bool, rows: list[list[int]]) -> None:
    assert_as_packed(lstm_of(bias=bias, bidirectional=bidirectional), rows)


@given(ROWS)
def test_they_are_for_any_rows(rows: list[list[int]]) -> None:
    assert_as_packed(LSTM, rows)


@pytest.mark.parametrize("block_rows", [1, 7, 20, 21])
def test_how_many_rows_step_together_changes_nothing(monkeypatch: pytest.MonkeyPatch, block_rows: int) -> None:
    monkeypatch.setattr(wide, "BLOCK_ROWS", block_rows)
    assert_as_packed(LSTM, RAGGED)


@given(ROWS, st.integers(1, 20), st.integers(0, V - 1))
def test_what_fills_the_padding_does_not_matter(rows: list[list[int]], extra: int, filler: int) -> None:
    batch = PaddedBatch.of(rows)
    token_ids = torch.full((len(rows), batch.token_ids.shape[1] + extra), filler)
    for row, ids in enumerate(rows):
        token_ids[row, : len(ids)] = torch.tensor(ids)
    padded = wide.final_states(EMBEDDING, LSTM, PaddedBatch(token_ids, batch.lengths))
    torch.testing.assert_close(padded, packed_states(LSTM, batch), atol=1e-5, rtol=0)


def test_gates_that_are_shut_or_wide_open_stay_exact() -> None:
    lstm = lstm_of()
    for parameter in lstm.parameters():
        parameter.mul_(100.0)
    assert_as_packed(lstm, RAGGED)


def test_the_weights_are_not_touched() -> None:
    before = [parameter.clone() for parameter in LSTM.parameters()]
    wide.final_states(EMBEDDING, LSTM, PaddedBatch.of(RAGGED))
    assert all(map(torch.equal, before, LSTM.parameters()))


# Who goes it


def goes_wide(monkeypatch: pytest.MonkeyPatch, model: SentimentModel, rows: int) -> bool:
    """Whether the model asks for it; its logits must be those of its rows alone, either way."""
    calls = []
    states = wide.final_states
    monkeypatch.setattr(wide, "final_states", lambda *arguments: calls.append(1) or states(*arguments))
    token_ids = (RAGGED * 2)[:rows]
    with torch.no_grad():
        together = model(PaddedBatch.of(token_ids))
        alone = torch.cat([model(PaddedBatch.of([row])) for row in token_ids])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)
    return bool(calls)


def model_of(**settings: Any) -> SentimentModel:
    torch.manual_seed(6)
    config = ModelConfig(**{"embedding_size": F, "hidden_size": H, **settings})
    return SentimentModel(config, vocabulary_size=V, num_classes=3).eval()


@pytest.mark.parametrize(
    ("settings", "rows", "goes"),
    [
        ({}, wide.WIDE_ROWS, True),
        ({"bidirectional": False, "pooling": "stepwise"}, wide.WIDE_ROWS, True),
        ({"initial_state": "random"}, wide.WIDE_ROWS, False),
        ({}, wide.WIDE_ROWS - 1, False),
        ({"num_layers": 2}, 30, False),
        ({"initial_state": "learned"}, 30, False),
        ({"pooling": "max"}, 30, False),
        ({"pooling": "final_and_cell"}, 30, False),
        ({"encoder": "rnn"}, 30, False),
        ({"encoder": "bow"}, 30, False),
    ],
    ids=str,
)
def test_wide_batches_of_a_plain_lstm_go_it(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], rows: int, goes: bool
) -> None:
    assert goes_wide(monkeypatch, model_of(**settings), rows) is goes


def test_neither_gradients_nor_training_nor_other_formats_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wide, "final_states", lambda *_: pytest.fail("went the wide way"))
    batch = PaddedBatch.of(RAGGED)
    model = model_of(embedding_dropout=0.0, output_dropout=0.0)
    model(batch).sum().backward()
    assert model.embedding.weight.grad is not None
    with torch.no_grad():
        model.train()(batch)
        model.eval().double()(batch)


def test_buckets_are_filled_far_where_padding_costs_nothing() -> None:
    rng = random.Random(0)
    lengths = [rng.randint(1, 60) for _ in range(1000)]
    assert model_of().buckets(lengths) == [sorted(range(1000), key=lengths.__getitem__)]
    assert model_of(num_layers=2).buckets(lengths) == length_buckets(lengths, MAX_BATCH_TOKENS)
    assert model_of().buckets(lengths[:9]) == length_buckets(lengths[:9], MAX_BATCH_TOKENS)


def test_a_bucket_holds_a_bounded_number_of_padded_tokens() -> None:
    lengths = [4096] * 20
    assert [len(places) for places in model_of().buckets(lengths)] == [16, 4]
    assert wide.MAX_BATCH_TOKENS == 16 * 4096
