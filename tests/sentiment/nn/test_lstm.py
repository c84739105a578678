"""The LSTM held against torch's own on packed input, the slow way that is known to be right."""

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from sentiment.nn.lstm import PaddedLSTM
from tests.sentiment.nn.networks import F, lstm_of, packed_states

SETTINGS = [
    {"num_layers": layers, "bias": bias, "bidirectional": bidirectional}
    for layers in (1, 2, 3)
    for bias in (True, False)
    for bidirectional in (True, False)
]
RAGGED = pytest.mark.parametrize(
    "lengths",
    [[3, 9, 1, 9, 4], [9, 5, 2], [1, 6], [6], [1], [1, 1, 1], [4, 4]],
    ids=["ragged-unsorted", "sorted", "ascending", "single-row", "single-token", "all-length-1", "even"],
)
ANY_SETTINGS = pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: "-".join(map(str, s.values())))


@dataclass
class Run:
    """The results of one pass: the output of all tokens, the final states, every gradient."""

    output: Tensor
    ht: Tensor
    gradients: dict[str, Tensor]


def run(lstm: PaddedLSTM, lengths: list[int], *, packed: bool, extra_padding: int = 0) -> Run:
    generator = torch.Generator().manual_seed(2)
    longest = max(lengths)
    embedded = torch.randn(len(lengths), longest, F, generator=generator)
    embedded = nn.functional.pad(embedded, (0, 0, 0, extra_padding)).requires_grad_()
    mask = (torch.arange(longest) < torch.tensor(lengths).unsqueeze(1)).unsqueeze(-1)  # (N, T, 1)
    if packed:
        output, ht, _ = packed_states(lstm, embedded, torch.tensor(lengths))
    else:
        output, ht = lstm(embedded, torch.tensor(lengths))
        output = output[:, :longest].masked_fill(~mask, 0.0)
    weight = torch.randn(output.shape, generator=generator)
    ((output * weight).sum() + (ht**2).sum()).backward()
    assert embedded.grad is not None
    gradients = {
        name: parameter.grad.clone() for name, parameter in lstm.named_parameters() if parameter.grad is not None
    }
    lstm.zero_grad()
    return Run(output.detach(), ht.detach(), gradients | {"input": embedded.grad[:, :longest].masked_fill(~mask, 0.0)})


def assert_same(one: Run, other: Run) -> None:
    torch.testing.assert_close(one.output, other.output, atol=1e-5, rtol=0)
    torch.testing.assert_close(one.ht, other.ht, atol=1e-5, rtol=0)
    assert one.gradients.keys() == other.gradients.keys()
    for name, gradient in one.gradients.items():
        # A parameter's gradient is a sum over all time steps of all rows: its rounding grows with its size.
        scale = max(1.0, gradient.abs().max().item())
        assert (gradient - other.gradients[name]).abs().max() <= 1e-5 * scale, name


@ANY_SETTINGS
@RAGGED
def test_padded_equals_packed(settings: dict[str, Any], lengths: list[int]) -> None:
    lstm = lstm_of(settings)
    padded = run(lstm, lengths, packed=False)
    assert_same(padded, run(lstm, lengths, packed=True))
    assert len(padded.gradients) == len(list(lstm.parameters())) + 1
    assert all(gradient.abs().max() > 0 for name, gradient in padded.gradients.items() if "hh" not in name)


@given(st.sampled_from(SETTINGS), st.lists(st.integers(1, 40), min_size=1, max_size=8), st.integers(0, 30))
def test_padded_equals_packed_for_any_lengths(settings: dict[str, Any], lengths: list[int], extra_padding: int) -> None:
    lstm = lstm_of(settings)
    padded = run(lstm, lengths, packed=False, extra_padding=extra_padding)
    assert_same(padded, run(lstm, lengths, packed=True))


@ANY_SETTINGS
def test_the_final_states_are_those_of_the_whole_pass(settings: dict[str, Any]) -> None:
    lstm = lstm_of(settings)
    embedded, lengths = torch.randn(4, 9, F).requires_grad_(), torch.tensor([3, 9, 1, 6])
    _, expected = lstm(embedded, lengths)
    [expected_gradient] = torch.autograd.grad((expected**2).sum(), embedded)
    ht = lstm.final_states(embedded, lengths)
    [gradient] = torch.autograd.grad((ht**2).sum(), embedded)
    assert torch.equal(ht, expected)
    torch.testing.assert_close(gradient, expected_gradient)


@ANY_SETTINGS
def test_padding_is_never_read(settings: dict[str, Any]) -> None:
    lstm = lstm_of(settings)
    embedded, lengths = torch.randn(4, 9, F), torch.tensor([3, 9, 1, 6])
    poisoned = embedded.clone()
    for row, length in enumerate(lengths):
        poisoned[row, length:] = float("nan")
    output, ht = lstm(embedded, lengths)
    poisoned_output, poisoned_ht = lstm(poisoned, lengths)
    assert torch.equal(ht, poisoned_ht)
    for row, length in enumerate(lengths):
        assert torch.equal(output[row, :length], poisoned_output[row, :length])


@pytest.mark.parametrize("bidirectional", [True, False])
def test_every_direction_reads_the_order(bidirectional: bool) -> None:
    lstm = lstm_of({"bidirectional": bidirectional, "num_layers": 2})
    embedded = torch.randn(1, 6, F)
    _, ht = lstm(embedded, torch.tensor([6]))
    _, reversed_ht = lstm(embedded.flip(1), torch.tensor([6]))
    gaps = (ht - reversed_ht).abs().amax(dim=(1, 2))  # (L x directions,)
    assert gaps.min() > 0.01
    if bidirectional:
        forward, backward = ht[0, 0], ht[1, 0]
        assert (forward - backward).abs().max() > 0.01


def test_dropout_between_layers_acts_in_training_only() -> None:
    lstm = lstm_of({"num_layers": 2, "bidirectional": True, "dropout": 0.5})
    embedded, lengths = torch.randn(3, 6, F), torch.tensor([6, 2, 4])
    _, first = lstm(embedded, lengths)
    _, second = lstm(embedded, lengths)
    assert torch.equal(first[:2], second[:2])  # the first layer's input is not dropped
    assert not torch.equal(first[2:], second[2:])
    lstm.eval()
    _, first = lstm(embedded, lengths)
    _, second = lstm(embedded, lengths)
    assert torch.equal(first, second)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_weight_drop_is_a_mask_on_the_weights_from_state_to_state(bidirectional: bool) -> None:
    settings: dict[str, Any] = {"num_layers": 2, "bidirectional": bidirectional}
    lstm, plain = lstm_of({**settings, "weight_drop": 0.5}), lstm_of(settings)
    embedded, lengths = torch.randn(3, 6, F), torch.tensor([6, 2, 4])
    torch.testing.assert_close(lstm.eval()(embedded, lengths)[1], plain.eval()(embedded, lengths)[1], atol=0, rtol=0)
    torch.manual_seed(3)
    _, dropped = lstm.train()(embedded, lengths)
    torch.manual_seed(3)
    masked = 0
    for name, weight in plain.named_parameters():  # layer by layer, forward before backward
        if name.startswith("weight_hh"):
            weight.data = nn.functional.dropout(weight.data, 0.5)
            masked += 1
    assert masked == (4 if bidirectional else 2)
    torch.testing.assert_close(dropped, plain(embedded, lengths)[1], atol=1e-6, rtol=0)
    dropped.sum().backward()
    for name, weight in lstm.named_parameters():
        assert weight.grad is not None
        if name.startswith("weight_hh"):
            assert ((weight.grad == 0) == (dict(plain.named_parameters())[name] == 0)).float().mean() > 0.95
