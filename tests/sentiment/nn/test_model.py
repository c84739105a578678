"""The network as a whole: nothing in it is idle, and a row knows nothing of its neighbours."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from sentiment.batching import PaddedBatch
from sentiment.nn.model import SentimentModel
from sentiment.text.vocabulary import UNK_ID
from tests.sentiment.nn.networks import ROWS, C, V, model_of, packed_states

NO_DROPOUT: dict[str, Any] = {"embedding_dropout": 0.0, "dropout": 0.0, "output_dropout": 0.0}
ANY_ROWS = st.lists(st.lists(st.integers(1, V - 1), min_size=1, max_size=30), min_size=1, max_size=8)


def packed_logits(model: SentimentModel, batch: PaddedBatch) -> torch.Tensor:
    """The same network, the plain way."""
    embedded = model.embedding(batch.token_ids)
    _, ht, _ = packed_states(model.lstm, embedded, batch.lengths)
    top = ht.view(model.config.num_layers, model.directions, len(batch.lengths), model.config.hidden_size)[-1]
    return model.classifier(torch.cat(list(top), dim=-1))


@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_logits_equal_the_packed_way(num_layers: int, bias: bool, bidirectional: bool) -> None:
    model = model_of(num_layers=num_layers, bias=bias, bidirectional=bidirectional)
    batch = PaddedBatch.of(ROWS)
    with torch.inference_mode():
        logits, expected = model(batch), packed_logits(model, batch)
    assert logits.shape == (4, C)
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=0)


@given(ANY_ROWS)
def test_a_row_alone_equals_it_among_others(rows: list[list[int]]) -> None:
    with torch.inference_mode():
        together = MODEL(PaddedBatch.of(rows))
        alone = torch.cat([MODEL(PaddedBatch.of([row])) for row in rows])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


@given(ANY_ROWS, st.integers(1, 50), st.integers(0, V - 1))
def test_what_fills_the_padding_does_not_matter(rows: list[list[int]], extra: int, filler: int) -> None:
    batch = PaddedBatch.of(rows)
    longest = batch.token_ids.shape[1] + extra
    token_ids = torch.full((len(rows), longest), filler)
    for row, ids in enumerate(rows):
        token_ids[row, : len(ids)] = torch.tensor(ids)
    with torch.inference_mode():
        torch.testing.assert_close(MODEL(PaddedBatch(token_ids, batch.lengths)), MODEL(batch), atol=1e-5, rtol=0)


MODEL = model_of(num_layers=2)


def test_each_token_matters() -> None:
    row = [2, 3, 4, 5, 6]
    changed = [[*row[:place], UNK_ID, *row[place + 1 :]] for place in range(len(row))]
    gaps = (MODEL(PaddedBatch.of(changed)) - MODEL(PaddedBatch.of([row]))).abs().amax(dim=-1)
    assert gaps.min() > 1e-4


@pytest.mark.parametrize("rate", ["embedding_dropout", "dropout", "output_dropout", None])
def test_dropout_acts_in_training_only(rate: str | None) -> None:
    model, batch = model_of(num_layers=2, **NO_DROPOUT | ({rate: 0.5} if rate else {})), PaddedBatch.of(ROWS)
    evaluated = model(batch)
    assert torch.equal(model(batch), evaluated)
    first, second = model.train()(batch), model(batch)
    assert torch.equal(first, second) is (rate is None)
    assert torch.allclose(first, evaluated, atol=1e-6) is (rate is None)
    assert torch.equal(model.eval()(batch), evaluated)


def test_embedding_dropout_keeps_the_mean_and_one_mask_a_text() -> None:
    model = model_of(**{**NO_DROPOUT, "embedding_dropout": 0.25}).train()
    dropped = model._drop(torch.ones(4000, 3, 6))  # (N, T, F)
    assert dropped.unique().tolist() == pytest.approx([0, 1 / 0.75])
    assert torch.equal(dropped[:, :1].expand_as(dropped), dropped)
    assert dropped.mean().item() == pytest.approx(1, abs=0.03)
    assert not torch.equal(dropped[0], dropped[1]) or not torch.equal(dropped[1], dropped[2])


def test_it_can_learn_what_only_the_order_tells() -> None:
    model = model_of(**NO_DROPOUT).train()
    batch, gold = PaddedBatch.of([[2, 3, 4], [4, 3, 2], [5, 2, 3, 4], [5, 4, 3, 2]]), torch.tensor([0, 1, 0, 1])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(40):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(batch), gold).backward()
        optimizer.step()
    assert model(batch).argmax(dim=-1).tolist() == gold.tolist()
