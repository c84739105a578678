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
        places = _reversed_places(lengths, embedded.shape[1])  # (N x T,)
        outputs, ht = self._read(embedded, lengths, places)
        return _join(outputs, places), ht

    def final_states(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """The `ht` of `forward`, at less cost where nobody reads `output`: the backward one stays in its own order."""
        return self._read(embedded, lengths, _reversed_places(lengths, embedded.shape[1]))[1]

    def _read(self, embedded: Tensor, lengths: Tensor, places: Tensor) -> tuple[list[Tensor], Tensor]:
        """What each direction of the top layer gave, (N, T, H) in the order that it read, and `ht`."""
        last = torch.arange(len(lengths), device=lengths.device) * embedded.shape[1] + lengths - 1  # (N,)
        outputs, final = [embedded], []
        for layer in range(self.num_layers):
            layer_input = _join(outputs, places)  # (N, T, F), then (N, T, H x directions)
            if layer:
                layer_input = functional.dropout(layer_input, self.dropout, self.training)
            outputs = []
            for suffix in ("", "_reverse")[: 2 if self.bidirectional else 1]:
                steps = _take(layer_input, places) if suffix else layer_input
                outputs.append(self._run(steps, layer, suffix))  # (N, T, H)
                final.append(outputs[-1].flatten(end_dim=1).index_select(0, last))  # (N, H)
        return outputs, torch.stack(final)

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


def _reversed_places(lengths: Tensor, longest: int) -> Tensor:
    """As `reversed_positions`, counted through all rows: (N x T,). Whole steps are then copied, not single numbers."""
    first = torch.arange(len(lengths), device=lengths.device).unsqueeze(1) * longest  # (N, 1)
    return (first + reversed_positions(lengths, longest)).flatten()  # (N x T,)


def _take(steps: Tensor, places: Tensor) -> Tensor:
    return steps.flatten(end_dim=1).index_select(0, places).view_as(steps)


def _join(outputs: list[Tensor], places: Tensor) -> Tensor:
    """The outputs of one direction, or of both side by side, in the order of the rows."""
    forward, *backward = outputs
    return torch.cat([forward, *(_take(steps, places) for steps in backward)], dim=-1) if backward else forward
