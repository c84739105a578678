"""The equations of the LSTM cell, one time step after the other, as the fused kernel computes them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from sentiment.nn.lstm import PaddedLSTM, reversed_positions

QUANTITIES = ("input_gate", "forget_gate", "candidate", "output_gate", "c", "h")


@dataclass(frozen=True, slots=True)
class Reading:
    """The gates and states of one direction of one layer: each (N, T, H), in text order. Padding has no meaning."""

    layer: int
    backward: bool
    input_gate: Tensor  # how much of the candidate is written
    forget_gate: Tensor  # how much of the memory is kept
    candidate: Tensor
    output_gate: Tensor  # how much of the memory is exposed
    c: Tensor  # the memory
    h: Tensor  # the exposed part of it

    def final(self, states: Tensor, lengths: Tensor) -> Tensor:
        """Return the last of `states` (N, T, H), `c` or `h`, in reading order: (N, H)."""
        last = torch.zeros_like(lengths) if self.backward else lengths - 1
        return states[torch.arange(len(lengths)), last]


def read(lstm: PaddedLSTM, embedded: Tensor, lengths: Tensor, *, levels: int | None = None) -> list[Reading]:
    """Return the readings of each layer and direction in nn.LSTM's order: layer by layer, forward before backward.

    `embedded` is (N, T, F), `lengths` (N,). With `levels`, each step rounds the previous `h` to multiples of
    1 / levels, as a network in integers does. Long short-term memory: Hochreiter and Schmidhuber 1997; the forget gate:
    Gers et al. 2000; both directions: Schuster and Paliwal 1997.
    """
    mirror = reversed_positions(lengths, embedded.shape[1]).unsqueeze(-1)  # (N, T, 1)
    readings: list[Reading] = []
    layer_input = embedded
    for layer in range(lstm.num_layers):
        directions = []
        for backward, suffix in zip((False, True), lstm.suffixes, strict=False):
            steps = layer_input.take_along_dim(mirror, dim=1) if backward else layer_input
            quantities = _run(lstm, steps, f"_l{layer}{suffix}", levels)
            if backward:
                quantities = [quantity.take_along_dim(mirror, dim=1) for quantity in quantities]
            directions.append(Reading(layer, backward, *quantities))
        layer_input = torch.cat([direction.h for direction in directions], dim=-1)  # (N, T, 2H)
        readings += directions
    return readings


def _run(lstm: PaddedLSTM, steps: Tensor, suffix: str, levels: int | None) -> list[Tensor]:
    W_ih, W_hh = getattr(lstm, f"weight_ih{suffix}"), getattr(lstm, f"weight_hh{suffix}")  # (4H, F), (4H, H)
    b_ih, b_hh = (getattr(lstm, f"bias_{name}{suffix}") if lstm.bias else 0.0 for name in ("ih", "hh"))  # (4H,)
    h = c = steps.new_zeros(steps.shape[0], lstm.hidden_size)  # (N, H)
    history = []
    for x in steps.unbind(dim=1):  # (N, F)
        h = (h * levels).round() / levels if levels else h  # (N, H)
        gates = x @ W_ih.T + b_ih + h @ W_hh.T + b_hh  # (N, 4H)
        i, f, g, o = gates.chunk(4, dim=-1)  # (N, H) each
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        c = f * c + i * g  # (N, H)
        h = o * c.tanh()  # (N, H)
        history.append((i, f, g, o, c, h))
    return [torch.stack(quantity, dim=1) for quantity in zip(*history, strict=True)]  # (N, T, H) each
