"""Integrate gradients through one LSTM layer by its own forward and backward equations.

The gates are linear in a token's embedding, so gradient times delta is the same before and after the input projection.
The projection is therefore computed once for all points of the line, and its gradient never. This takes half the
multiplications of autograd through the fused kernel, and copies little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from sentiment.nn.lstm import PaddedLSTM, of_each_direction, reversed_positions, rows_left

if TYPE_CHECKING:
    from sentiment.explain.attribution import Line, LogOdds

Step = tuple[Tensor, Tensor, Tensor]  # the gates (directions, n, 4H), c before it and tanh of c after it


@torch.no_grad()
def integrate(log_odds: LogOdds, line: Line, nodes: Tensor, shares: Tensor) -> Tensor:
    """Return the weight of each token on the line: (N, T).

    `nodes` (P,) in [0, 1] are the points of the quadrature and `shares` (P,) its weights.
    """
    lstm = log_odds.model.lstm
    lengths, rows = line.lengths.sort(descending=True)  # (N,), (N,)
    weight, bias = _projection(lstm)
    backward = reversed_positions(lengths, line.embedded.shape[1])  # (N, T)

    def in_steps(gates: Tensor) -> Tensor:
        """Reorder (N, T, directions x 4H) to (T, directions, N, 4H), each direction in its reading order."""
        orders = list(gates.unflatten(2, (-1, 4 * lstm.hidden_size)).unbind(dim=2))  # (N, T, 4H) each
        if lstm.bidirectional:
            orders[1] = orders[1].gather(1, backward.unsqueeze(-1).expand_as(orders[1]))  # (N, T, 4H)
        return torch.stack(orders).permute(2, 0, 1, 3).contiguous()  # (T, directions, N, 4H)

    starts = in_steps(functional.linear(line.baseline[rows], weight, bias))  # (T, directions, N, 4H)
    deltas = in_steps(functional.linear(line.delta[rows], weight))  # (T, directions, N, 4H)
    recurrent = torch.stack(of_each_direction(lstm, "weight_hh_l0"))  # (directions, 4H, H)
    left = rows_left(lengths)

    ht, seen = _forward(starts, deltas, left, recurrent, nodes)  # (directions, N x P, H)
    with torch.enable_grad():
        features = torch.cat(ht.unbind(), dim=-1).requires_grad_()  # (N x P, 2H)
        values = log_odds.of_features(features, line.labels[rows].repeat_interleave(len(nodes)))  # (N x P,)
        [gradients] = torch.autograd.grad(values.sum(), features)  # (N x P, 2H)
    weights = _backward(torch.stack(gradients.chunk(len(ht), dim=-1)), seen, deltas, left, recurrent, shares)
    read = list(weights.permute(1, 2, 0).unbind())  # (N, T) each, in the order that each direction reads
    if lstm.bidirectional:
        read[1] = read[1].gather(1, backward)  # (N, T)
    return torch.stack(read).sum(dim=0)[rows.argsort()]  # (N, T)


def _forward(
    starts: Tensor, deltas: Tensor, left: list[int], recurrent: Tensor, nodes: Tensor
) -> tuple[Tensor, list[Step]]:
    """Return the final `ht` (directions, N x P, H) of each row at each point, and the steps for `_backward`."""
    directions, size = len(recurrent), recurrent.shape[2]
    h = deltas.new_zeros(directions, deltas.shape[2] * len(nodes), size)  # (directions, N x P, H)
    c = torch.zeros_like(h)  # (directions, N x P, H)
    seen: list[Step] = []
    for start, delta, count in zip(starts, deltas, left, strict=False):
        n = count * len(nodes)
        here = start[:, :count].unsqueeze(2), delta[:, :count].unsqueeze(2)  # (directions, count, 1, 4H) each
        gates = torch.addcmul(here[0], here[1], nodes.unsqueeze(-1)).view(directions, n, -1)  # (directions, n, 4H)
        gates.baddbmm_(h[:, :n], recurrent.transpose(1, 2))  # (directions, n, 4H)
        in_gate, forget_gate, candidate, out_gate = gates.chunk(4, dim=-1)  # (directions, n, H)
        gates[..., : 2 * size].sigmoid_()
        candidate.tanh_()
        out_gate.sigmoid_()
        before = c[:, :n].clone()  # (directions, n, H)
        tanh_c = c[:, :n].mul_(forget_gate).addcmul_(in_gate, candidate).tanh()  # (directions, n, H)
        torch.mul(out_gate, tanh_c, out=h[:, :n])
        seen.append((gates, before, tanh_c))
    return h, seen


def _backward(
    d_h: Tensor, seen: list[Step], deltas: Tensor, left: list[int], recurrent: Tensor, shares: Tensor
) -> Tensor:
    """Return the weight of each token in each direction, (T, directions, N), from the gradient `d_h` of `ht`."""
    d_c = torch.zeros_like(d_h)  # (directions, N x P, H)
    weights = deltas.new_zeros(deltas.shape[:3])  # (T, directions, N)
    for place in range(len(seen) - 1, -1, -1):
        gates, before, tanh_c = seen[place]
        n = gates.shape[1]
        in_gate, forget_gate, candidate, out_gate = gates.chunk(4, dim=-1)  # (directions, n, H)
        of_h, of_c = d_h[:, :n], d_c[:, :n]  # (directions, n, H)
        of_c += of_h * out_gate * (1 - tanh_c * tanh_c)
        d_gates = torch.cat(
            [
                of_c * candidate * in_gate * (1 - in_gate),
                of_c * before * forget_gate * (1 - forget_gate),
                of_c * in_gate * (1 - candidate * candidate),
                of_h * tanh_c * out_gate * (1 - out_gate),
            ],
            dim=-1,
        )  # (directions, n, 4H)
        summed = shares @ d_gates.view(len(d_h), left[place], len(shares), -1)  # (directions, count, 4H)
        weights[place, :, : left[place]] = (summed * deltas[place, :, : left[place]]).sum(dim=-1)
        torch.bmm(d_gates, recurrent, out=of_h)
        of_c *= forget_gate
    return weights


def _projection(lstm: PaddedLSTM) -> tuple[Tensor, Tensor | None]:
    """Return the weight (directions x 4H, F) and the bias (directions x 4H,), if any, from embeddings to gates."""
    weight = torch.cat(of_each_direction(lstm, "weight_ih_l0"))  # (directions x 4H, F)
    if not lstm.bias:
        return weight, None
    bias = torch.cat(of_each_direction(lstm, "bias_ih_l0")) + torch.cat(of_each_direction(lstm, "bias_hh_l0"))
    return weight, bias  # (directions x 4H, F), (directions x 4H,)
