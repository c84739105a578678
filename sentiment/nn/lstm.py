"""A bidirectional LSTM, or a plain RNN, over a padded batch that never reads the padding.

`pack_padded_sequence` gives the same numbers, but ragged packed input leaves the fused CPU kernel. Here each direction
is one run of the fused kernel: the backward one is fed each row reversed by its own length, so that its padding, too,
comes last, and nothing after a row's last token is used.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence

InitialStates = tuple[Tensor, Tensor]  # h0 and c0, (L x directions, N, H) each


class PaddedRecurrence(nn.RNNBase):
    """torch.nn.RNNBase's settings, parameters and results for rows of unequal length, without packing.

    In training `weight_drop` is the share of the weights from state to state that are dropped, the same ones at all
    steps of a batch: the states are regularised, and the fused kernel is kept (Merity et al. 2018).
    """

    weight_drop: float

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Return the suffixes of the directions' parameter names, forward before backward."""
        return ("", "_reverse")[: 2 if self.bidirectional else 1]

    def forward(self, embedded: Tensor, lengths: Tensor, initial: InitialStates | None = None) -> tuple[Tensor, Tensor]:
        """Return `output` (N, T, H x directions) and the final `ht` (L x directions, N, H).

        `embedded` is (N, T, F), `lengths` (N,). `ht` has nn.LSTM's order: layer by layer, forward before backward.
        `output` past a row's length holds values of no meaning. Without `initial` states it starts from zeros.
        """
        places = _reversed_places(lengths, embedded.shape[1])  # (N x T,)
        outputs, ht = self._read(embedded, lengths, places, initial)
        return _join(outputs, places), ht

    def final_states(self, embedded: Tensor, lengths: Tensor, initial: InitialStates | None = None) -> Tensor:
        """Return the `ht` of `forward` at less cost, without `output`: the backward one stays in its own order."""
        return self._read(embedded, lengths, _reversed_places(lengths, embedded.shape[1]), initial)[1]

    def _read(
        self, embedded: Tensor, lengths: Tensor, places: Tensor, initial: InitialStates | None
    ) -> tuple[list[Tensor], Tensor]:
        """Return the output of each direction of the top layer, (N, T, H) in its reading order, and `ht`."""
        last = torch.arange(len(lengths), device=lengths.device) * embedded.shape[1] + lengths - 1  # (N,)
        outputs: list[Tensor] = [embedded]
        final: list[Tensor] = []
        for layer in range(self.num_layers):
            layer_input = _join(outputs, places)  # (N, T, F), then (N, T, H x directions)
            if layer:
                layer_input = functional.dropout(layer_input, self.dropout, self.training)
            outputs = []
            for suffix in self.suffixes:
                steps = _take(layer_input, places) if suffix else layer_input
                start = self._start(steps, len(final), initial)  # (1, N, H) each
                outputs.append(self._run(steps, self._weights(layer, suffix), start))  # (N, T, H)
                final.append(outputs[-1].flatten(end_dim=1).index_select(0, last))  # (N, H)
        return outputs, torch.stack(final)

    def _run(self, steps: Tensor, weights: list[Tensor], start: InitialStates) -> Tensor:
        raise NotImplementedError

    def _weights(self, layer: int, suffix: str) -> list[Tensor]:
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")[: 4 if self.bias else 2]
        weights = [getattr(self, f"{name}_l{layer}{suffix}") for name in names]
        weights[1] = functional.dropout(weights[1], self.weight_drop, self.training)  # (4H, H)
        return weights

    def _start(self, steps: Tensor, place: int, initial: InitialStates | None) -> InitialStates:
        """Return the states that a layer and direction, `place` in nn.LSTM's order, starts from: (1, N, H) each."""
        if initial is None:
            zero = steps.new_zeros(1, steps.shape[0], self.hidden_size)  # (1, N, H)
            return zero, zero
        h0, c0 = (states[place : place + 1].to(steps.dtype) for states in initial)  # (1, N, H)
        return h0.contiguous(), c0.contiguous()


class PaddedLSTM(PaddedRecurrence, nn.LSTM):  # type: ignore[misc]
    """torch.nn.LSTM over a padded batch."""

    def __init__(self, input_size: int, hidden_size: int, *, weight_drop: float = 0.0, **settings: Any) -> None:
        nn.LSTM.__init__(self, input_size, hidden_size, batch_first=True, **settings)
        self.weight_drop = weight_drop

    def final_states_and_cells(
        self, embedded: Tensor, lengths: Tensor, initial: InitialStates | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the final `ht` and `ct`, (L x directions, N, H) each, by packing: the fused kernel keeps one `c`."""
        packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        _, (ht, ct) = nn.LSTM.forward(self, packed, initial)
        return ht, ct

    def _run(self, steps: Tensor, weights: list[Tensor], start: InitialStates) -> Tensor:
        return torch.lstm(steps, start, weights, self.bias, 1, 0.0, self.training, False, True)[0]  # (N, T, H)


class PaddedRNN(PaddedRecurrence, nn.RNN):  # type: ignore[misc]
    """torch.nn.RNN with tanh over a padded batch."""

    def __init__(self, input_size: int, hidden_size: int, *, weight_drop: float = 0.0, **settings: Any) -> None:
        nn.RNN.__init__(self, input_size, hidden_size, batch_first=True, **settings)
        self.weight_drop = weight_drop

    def _run(self, steps: Tensor, weights: list[Tensor], start: InitialStates) -> Tensor:
        return torch.rnn_tanh(steps, start[0], weights, self.bias, 1, 0.0, self.training, False, True)[0]  # (N, T, H)


def reversed_positions(lengths: Tensor, longest: int) -> Tensor:
    """Return for each row the positions that read it backwards, padding left in place: (N, T)."""
    positions = torch.arange(longest, device=lengths.device).expand(len(lengths), longest)  # (N, T)
    mirrored = lengths.unsqueeze(1) - 1 - positions  # (N, T)
    return torch.where(mirrored >= 0, mirrored, positions)


def _reversed_places(lengths: Tensor, longest: int) -> Tensor:
    """Return `reversed_positions` as indices over all rows, (N x T,), to copy whole steps."""
    first = torch.arange(len(lengths), device=lengths.device).unsqueeze(1) * longest  # (N, 1)
    return (first + reversed_positions(lengths, longest)).flatten()  # (N x T,)


def _take(steps: Tensor, places: Tensor) -> Tensor:
    return steps.flatten(end_dim=1).index_select(0, places).view_as(steps)


def _join(outputs: list[Tensor], places: Tensor) -> Tensor:
    """Return the outputs of one direction, or of both side by side, in the order of the rows."""
    forward, *backward = outputs
    return torch.cat([forward, *(_take(steps, places) for steps in backward)], dim=-1) if backward else forward


def of_each_direction(lstm: PaddedLSTM, name: str) -> list[Tensor]:
    """Return the parameter of this name of the forward direction, and of the backward one if there is one."""
    return [getattr(lstm, f"{name}{suffix}") for suffix in lstm.suffixes]


def rows_left(lengths: Tensor) -> list[int]:
    """Return how many rows take each step, of rows sorted by length, the longest first."""
    return (lengths > torch.arange(int(lengths[0])).unsqueeze(1)).sum(dim=1).tolist()
