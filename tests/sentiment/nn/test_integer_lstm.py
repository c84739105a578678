"""The same bits for a text in any company, on any threads, by either product; and the states are the network's."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from sentiment.batching import MAX_BATCH_TOKENS, PaddedBatch, length_buckets
from sentiment.nn import integer_lstm, integers
from sentiment.nn.integer_lstm import GRAIN, UNIT, IntegerLSTM, aligned_rows
from sentiment.nn.integers import PRODUCTS, QuantizedWeight, exact_linear, exact_products
from sentiment.nn.model import SentimentModel
from tests.sentiment.nn import networks
from tests.sentiment.nn.networks import C, packed_states

V = 40
ROWS = st.lists(st.lists(st.integers(0, V - 1), min_size=1, max_size=30), min_size=1, max_size=40)
RAGGED = [[(7 * row + step) % V for step in range(1 + row % 9)] for row in range(20)]
THREADS = (1, 2, 3)


def float_model(**settings: Any) -> SentimentModel:
    given = {"vocabulary_size": V, "seed": 6, "scale": 3.0} | settings
    return networks.model_of(**given).requires_grad_(False)


@cache
def model_of(product: str = "float32", **settings: Any) -> SentimentModel:
    model = float_model(**settings).quantized()
    assert model.integer_lstm is not None
    model.integer_lstm = IntegerLSTM(model.integer_lstm.weights, model.lstm, product)
    return model


@contextmanager
def threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def logits(model: SentimentModel, rows: list[list[int]]) -> Tensor:
    """The logits (N, C) of rows read as one batch."""
    with torch.inference_mode():
        return model(PaddedBatch.of(rows))


def states(model: SentimentModel, rows: list[list[int]]) -> Tensor:
    """The final `ht` (directions, N, H), before it is rounded for the classifier: every bit of it is seen."""
    assert model.integer_lstm is not None
    with torch.inference_mode():
        return model.integer_lstm.final_states(PaddedBatch.of(rows))


# The same bits


@given(ROWS, st.randoms(use_true_random=False), st.integers(0, 20), st.integers(0, V - 1))
def test_a_text_gets_the_same_bits_everywhere(
    rows: list[list[int]], rng: random.Random, extra: int, filler: int
) -> None:
    alone = torch.cat([logits(model_of(), [row]) for row in rows])
    order = rng.sample(range(len(rows)), len(rows))
    batch = PaddedBatch.of([rows[place] for place in order])
    padded = torch.full((len(rows), batch.token_ids.shape[1] + extra), filler)
    for row, place in zip(padded, order, strict=True):
        row[: len(rows[place])] = torch.tensor(rows[place])
    for product in exact_products(32):
        for count in THREADS:
            with threads(count), torch.inference_mode():
                assert torch.equal(model_of(product)(replace(batch, token_ids=padded)), alone[order])


@pytest.mark.parametrize("settings", [{}, {"bidirectional": False}, {"bias": False}], ids=str)
@pytest.mark.parametrize("hidden_size", [20, 96, 160])
def test_batches_that_threads_share_give_the_same_bits(hidden_size: int, settings: dict[str, Any]) -> None:
    rng = random.Random(hidden_size)
    rows = [rng.choices(range(V), k=rng.randint(1, 12)) for _ in range(600)]
    some = rng.sample(range(600), 40)
    model = model_of(hidden_size=hidden_size, **settings)
    together = states(model, rows)
    assert torch.equal(torch.cat([states(model, [rows[place]]) for place in some], dim=1), together[:, some])
    for product in exact_products(32):
        for count in (1, 2, 3, 4, 5, 8):
            with threads(count):
                found = states(model_of(product, hidden_size=hidden_size, **settings), rows)
                assert torch.equal(found, together), (product, count)
                assert torch.equal(states(model, rows[:401]), together[:, :401]), count


@given(st.integers(1, 700), st.integers(1, 20), st.integers(1, 64))
def test_no_part_of_a_loop_has_an_odd_end(rows: int, units: int, count: int) -> None:
    width = units * UNIT
    aligned = aligned_rows(rows, width, count)
    elements = aligned * width
    sharing = 1 if elements < GRAIN else min(count, -(-elements // GRAIN))
    assert rows <= aligned < rows + 2 * count
    assert elements % sharing == 0
    assert elements // sharing % UNIT == 0


@given(st.integers(1, 60), st.integers(1, 700), st.floats(1e-3, 1e3))
def test_the_classifier_adds_up_exactly(rows: int, size: int, scale: float) -> None:
    generator = torch.Generator().manual_seed(rows)
    features = torch.rand(rows, size, generator=generator) * 2 - 1  # (N, K)
    weight, bias = torch.randn(C, size, generator=generator) * scale, torch.randn(C, generator=generator)
    found = exact_linear(features, weight, bias)
    expected = nn.functional.linear(features.double(), weight.double(), bias.double()).float()
    torch.testing.assert_close(found, expected, atol=1e-3 * scale, rtol=1e-5)
    turned = torch.randperm(size, generator=generator)
    assert torch.equal(exact_linear(features[:, turned], weight[:, turned], bias), found)
    assert torch.equal(torch.cat([exact_linear(row, weight, bias) for row in features.split(1)]), found)


def test_the_answers_after_each_word_are_those_of_the_words_alone() -> None:
    model = model_of(bidirectional=False, pooling="stepwise")
    with torch.inference_mode():
        steps = model.steps(PaddedBatch.of(RAGGED))  # (N, T, C)
    for row, token_ids in enumerate(RAGGED):
        for end in range(1, len(token_ids) + 1):
            assert torch.equal(steps[row, end - 1], logits(model, [token_ids[:end]])[0])


# The states are the network's


def plain_states(model: SentimentModel, token_ids: list[int], suffix: str) -> Tensor:
    """The final h (H,) of a row by the cell's equations in float64, h read as 127ths."""
    names = [f"{name}_l0{suffix}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    w_ih, w_hh, b_ih, b_hh = (getattr(model.lstm, name).double() for name in names)
    h = c = torch.zeros(model.config.hidden_size, dtype=torch.double)
    for x in model.embedding.weight[token_ids].double():
        i, f, g, o = (w_ih @ x + b_ih + w_hh @ ((127 * h).round() / 127) + b_hh).chunk(4)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
    return h


@pytest.mark.parametrize("scale", [1.0, 3.0, 100.0])
def test_the_states_follow_the_equations(scale: float) -> None:
    model = model_of(scale=scale)
    assert model.integer_lstm is not None
    with torch.inference_mode():
        ht = model.integer_lstm.final_states(PaddedBatch.of(RAGGED))  # (2, N, H)
    for row, token_ids in enumerate(RAGGED):
        for direction, suffix in enumerate(model.lstm.suffixes):
            expected = plain_states(model, token_ids[::-1] if direction else token_ids, suffix).float()
            # On some kernels an h between two 127ths is rounded the other way.
            torch.testing.assert_close(ht[direction, row], expected, atol=2e-3, rtol=0)


@given(ROWS)
def test_rounding_moves_the_states_little(rows: list[list[int]]) -> None:
    model, batch = model_of(scale=1.0), PaddedBatch.of(rows)
    assert model.integer_lstm is not None
    _, expected, _ = packed_states(model.lstm, model.embedding.weight[batch.token_ids], batch.lengths)
    torch.testing.assert_close(model.integer_lstm.final_states(batch), expected, atol=0.01, rtol=0)


def test_weights_are_within_half_a_step_and_their_integers_come_back() -> None:
    weight = torch.randn(5, 9)
    weight[2] = 0
    found = QuantizedWeight.of(weight)
    again = found.dequantize()
    assert ((weight - again).abs() <= found.scales.unsqueeze(1) * 0.5001).all()
    assert torch.equal(found.values[[0, 1, 3, 4]].abs().amax(dim=1), torch.full((4,), 127, dtype=torch.int8))
    assert torch.equal(QuantizedWeight.of(again).values, found.values)


def test_a_weight_that_is_no_number_is_not_hidden() -> None:
    model = float_model()
    model.lstm.weight_hh_l0[3, 2] = float("nan")
    assert logits(model.quantized(), [[1, 2, 3]]).isnan().any()


# Which networks, and which product


@pytest.mark.parametrize(
    ("settings", "quantized"),
    [
        ({}, True),
        ({"bidirectional": False, "pooling": "stepwise"}, True),
        ({"bias": False}, True),
        ({"hidden_size": integer_lstm.MAX_SIZE + 1}, False),
        ({"embedding_size": integer_lstm.MAX_SIZE + 1}, False),
        ({"initial_state": "random"}, False),
        ({"num_layers": 2}, False),
        ({"initial_state": "learned"}, False),
        ({"pooling": "max"}, False),
        ({"pooling": "final_and_cell"}, False),
        ({"encoder": "rnn"}, False),
        ({"encoder": "bow"}, False),
    ],
    ids=str,
)
def test_plain_lstms_answer_in_integers(settings: dict[str, Any], quantized: bool) -> None:
    model = float_model(**settings)
    assert (model.quantized().integer_lstm is not None) is quantized
    assert model.integer_lstm is None
    assert (model.quantized() is model) is not quantized


def test_training_is_in_floating_point() -> None:
    model = float_model(embedding_dropout=0.0, output_dropout=0.0).quantized().train().requires_grad_()
    model(PaddedBatch.of(RAGGED)).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_the_largest_size_adds_up_exactly_in_float32() -> None:
    assert 127 * 127 * integer_lstm.MAX_SIZE < 2**24


def quicker() -> str:
    """The quicker of the products that are exact now."""
    seconds = exact_products.__wrapped__(32)
    return min(seconds, key=seconds.__getitem__)


def test_an_integer_product_that_is_missing_or_overflows_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def saturate(rows: Tensor, weight: Tensor, *, out: Tensor) -> Tensor:
        return out.copy_((rows.float() @ weight.float()).clamp(max=2**15 - 1))

    monkeypatch.setattr(torch, "_int_mm", saturate)
    assert quicker() == "float32"
    monkeypatch.delattr(torch, "_int_mm")
    assert quicker() == "float32"


@pytest.mark.parametrize("slower", PRODUCTS)
def test_the_quicker_product_is_used(monkeypatch: pytest.MonkeyPatch, slower: str) -> None:
    clock = 0.0
    multiply = integers.multiply

    def multiply_by_the_clock(rows: Tensor, weight: Tensor, out: Tensor) -> None:
        nonlocal clock
        multiply(rows.float(), weight.float(), out)
        clock += 2 if (rows.dtype == torch.int8) is (slower == "int8") else 1

    monkeypatch.setattr(integers, "multiply", multiply_by_the_clock)
    monkeypatch.setattr(integers.time, "perf_counter", lambda: clock)
    assert quicker() == ({*PRODUCTS} - {slower}).pop()


# Which rows are read together


def test_buckets_are_filled_far_where_padding_costs_nothing() -> None:
    rng = random.Random(0)
    lengths = [rng.randint(1, 60) for _ in range(1000)]
    assert model_of().buckets(lengths) == [sorted(range(1000), key=lengths.__getitem__)]
    assert float_model().buckets(lengths) == length_buckets(lengths, MAX_BATCH_TOKENS)
    assert float_model(num_layers=2).buckets(lengths) == length_buckets(lengths, MAX_BATCH_TOKENS)


def test_a_bucket_holds_a_bounded_number_of_padded_tokens() -> None:
    assert [len(places) for places in model_of().buckets([4096] * 20)] == [16, 4]
    assert integer_lstm.MAX_BATCH_TOKENS == 16 * 4096
