"""The equations held against torch's own LSTM on packed input."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from sentiment.explain.cell import QUANTITIES, Reading, read
from sentiment.nn.lstm import PaddedLSTM
from tests.sentiment.nn.networks import F, H, lstm_of, packed_states

SETTINGS: list[dict[str, Any]] = [
    {"num_layers": layers, "bias": bias, "bidirectional": bidirectional}
    for layers in (1, 2)
    for bias in (True, False)
    for bidirectional in (True, False)
]


def assert_equal_to_torch(lstm: PaddedLSTM, embedded: Tensor, lengths: Tensor) -> list[Reading]:
    lstm.requires_grad_(False)
    readings = read(lstm, embedded, lengths)
    output, ht, ct = packed_states(lstm, embedded, lengths)
    directions = 2 if lstm.bidirectional else 1
    top = torch.cat([reading.h for reading in readings[-directions:]], dim=-1)
    read_places = (torch.arange(embedded.shape[1]) < lengths.unsqueeze(1)).unsqueeze(-1)  # (N, T, 1)
    torch.testing.assert_close(top * read_places, output, atol=1e-5, rtol=0)
    for states, expected in (("h", ht), ("c", ct)):
        final = torch.stack([reading.final(getattr(reading, states), lengths) for reading in readings])
        torch.testing.assert_close(final, expected, atol=1e-5, rtol=0)
    return readings


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: "-".join(map(str, settings.values())))
@pytest.mark.parametrize("lengths", [[3, 9, 1, 9, 4], [6], [1], [4, 4]], ids=str)
def test_the_equations_give_what_torch_gives(settings: dict[str, Any], lengths: list[int]) -> None:
    embedded = torch.randn(len(lengths), max(lengths), F, generator=torch.Generator().manual_seed(2))
    readings = assert_equal_to_torch(lstm_of(settings), embedded, torch.tensor(lengths))
    assert [(reading.layer, reading.backward) for reading in readings] == [
        (layer, backward)
        for layer in range(settings["num_layers"])
        for backward in (False, True)[: 2 if settings["bidirectional"] else 1]
    ]
    for reading in readings:
        assert {getattr(reading, name).shape for name in QUANTITIES} == {(len(lengths), max(lengths), H)}


@given(st.sampled_from(SETTINGS), st.lists(st.integers(1, 20), min_size=1, max_size=6))
def test_for_any_lengths(settings: dict[str, Any], lengths: list[int]) -> None:
    assert_equal_to_torch(lstm_of(settings), torch.randn(len(lengths), max(lengths), F), torch.tensor(lengths))


def test_the_gates_make_the_states() -> None:
    embedded, lengths = torch.randn(2, 6, F), torch.tensor([6, 3])
    lstm = lstm_of({"num_layers": 2, "bidirectional": True}).requires_grad_(False)
    for reading in read(lstm, embedded, lengths):
        for name in ("input_gate", "forget_gate", "output_gate"):
            assert getattr(reading, name).min() > 0
            assert getattr(reading, name).max() < 1
        torch.testing.assert_close(reading.h, reading.output_gate * reading.c.tanh())
        written = reading.input_gate * reading.candidate
        for row, length in enumerate(lengths.tolist()):
            order = range(length)[::-1] if reading.backward else range(length)
            c = torch.zeros(H)
            for place in order:
                c = reading.forget_gate[row, place] * c + written[row, place]
                torch.testing.assert_close(reading.c[row, place], c)


def test_padding_is_never_read() -> None:
    lstm, lengths = lstm_of({"num_layers": 2, "bidirectional": True}), torch.tensor([2, 5])
    embedded = torch.randn(2, 5, F)
    poisoned = embedded.clone()
    poisoned[0, 2:] = float("nan")
    for clean, dirty in zip(read(lstm, embedded, lengths), read(lstm, poisoned, lengths), strict=True):
        assert torch.equal(clean.h[0, :2], dirty.h[0, :2])
