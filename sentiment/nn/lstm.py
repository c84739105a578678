"""A bidirectional LSTM over a padded batch that never reads the padding.

`pack_padded_sequence` gives the same numbers, but ragged packed input leaves the fused CPU kernel. Here each direction
is one run of the fused kernel: the backward one is fed each row reversed by its own length, so that its padding, too,
comes last, and what came after a row's last token is never looked at.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class PaddedLSTM(nn.LSTM):
    """torch.nn.LSTM's settings, parameters and results for rows of unequal length, without packing."""

    def __init__(self, input_size: int, hidden_size: int, **settings: bool | float) -> None:
        super().__init__(input_size, hidden_size, batch_first=True, **settings)

    def forward(self, embedded: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """`output` (N, T, H x directions) and the final `ht` (L x directions, N, H).

        `embedded` is (N, T, F), `lengths` (N,). `ht` has nn.LSTM's order: layer by layer, forward before backward.
        `output` past a row's length holds values of no meaning.
        """
        backwards = reversed_positions(lengths, embedded.shape[1])  # (N, T)
        layer_input, final = embedded, []
        for layer in range(self.num_layers):
            if layer:
                layer_input = functional.dropout(layer_input, self.dropout, self.training)
            outputs = []
            for suffix in ("", "_reverse")[: 2 if self.bidirectional else 1]:
                steps = _take(layer_input, backwards) if suffix else layer_input
                steps = self._run(steps, layer, suffix)  # (N, T, H)
                final.append(steps[torch.arange(len(lengths)), lengths - 1])  # (N, H)
                outputs.append(_take(steps, backwards) if suffix else steps)
            layer_input = torch.cat(outputs, dim=-1) if self.bidirectional else outputs[0]  # (N, T, H x directions)
        return layer_input, torch.stack(final)

    def _run(self, steps: Tensor, layer: int, suffix: str) -> Tensor:
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")[: 4 if self.bias else 2]
        weights = [getattr(self, f"{name}_l{layer}{suffix}") for name in names]
        zero = steps.new_zeros(1, steps.shape[0], self.hidden_size)  # (1, N, H)
        output, _, _ = torch.lstm(steps, (zero, zero), weights, self.bias, 1, 0.0, self.training, False, True)
        return output


def reversed_positions(lengths: Tensor, longest: int) -> Tensor:
    """For each row the positions that read it backwards, padding left where it is: (N, T)."""
    positions = torch.arange(longest, device=lengths.device).expand(len(lengths), longest)  # (N, T)
    mirrored = lengths.unsqueeze(1) - 1 - positions  # (N, T)
    return torch.where(mirrored >= 0, mirrored, positions)


def _take(steps: Tensor, positions: Tensor) -> Tensor:
    return steps.gather(1, positions.unsqueeze(-1).expand_as(steps))
