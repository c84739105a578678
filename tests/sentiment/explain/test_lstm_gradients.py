"""Compare the equations by hand with autograd through the network."""

from typing import Any

import pytest
import torch

from sentiment.explain import attribution, lstm_gradients
from sentiment.explain.attribution import Line, LogOdds
from tests.conftest import MakeBundle

LENGTHS = torch.tensor([4, 9, 1, 9, 2])
LABELS = torch.tensor([0, 2, 1, 1, 0])
NODES, SHARES = torch.tensor([0.1, 0.5, 0.7]), torch.tensor([0.2, 0.5, 0.3])


def line(extra_padding: int = 0) -> Line:
    ends = torch.randn(2, 5, 9, 8, generator=torch.Generator().manual_seed(0))
    baseline, embedded = torch.nn.functional.pad(ends, (0, 0, 0, extra_padding), value=3.0)
    return Line(baseline, embedded, LENGTHS, LABELS)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_the_weights_are_those_of_autograd(make_bundle: MakeBundle, bidirectional: bool, bias: bool) -> None:
    settings: dict[str, Any] = {"bidirectional": bidirectional, "bias": bias}
    log_odds = LogOdds(make_bundle(**settings, scale=2.0).model, 1.3)
    assert log_odds.model.is_plain
    found = lstm_gradients.integrate(log_odds, line(), NODES, SHARES)
    expected = attribution._integrate(log_odds, line(), NODES, SHARES)
    assert found.abs().max() > 0.1
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_padding_has_no_weight(make_bundle: MakeBundle) -> None:
    log_odds = LogOdds(make_bundle(scale=2.0).model, 1.3)
    found = lstm_gradients.integrate(log_odds, line(), NODES, SHARES)
    padded = lstm_gradients.integrate(log_odds, line(extra_padding=4), NODES, SHARES)
    torch.testing.assert_close(padded[:, :9], found)
    for row, length in enumerate(LENGTHS.tolist()):
        assert padded[row, length:].abs().max() == 0
        assert (padded[row, :length] != 0).all()
