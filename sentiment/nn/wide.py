"""The final `ht` of a wide batch, in half the multiplications of the fused kernel: for answers, not for gradients.

- What a token adds to the gates is the same wherever it stands: each distinct token of a batch is projected once.
- Rows lie longest first, and a step takes those that have a token left: padding is never computed.
- Both directions take a step together.
- tanh(x) = 2 sigmoid(2x) - 1, and torch's sigmoid is three times as quick as its tanh. So the states are kept as h / 2
  and 2c, and the weights that meet them are scaled for it.

The same function in other words, so the results are `PaddedLSTM.final_states`'s but for rounding.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from sentiment.batching import PaddedBatch, length_buckets
from sentiment.nn.lstm import PaddedLSTM, reversed_positions

WIDE_ROWS = 16  # a step costs ten calls, however few rows take it: narrower batches are quicker in the fused kernel
BLOCK_ROWS = 512  # that take their steps together; the states of more leave the cache
MAX_BATCH_TOKENS = 65_536  # the more, the fewer of them are distinct
SHORT = 64  # tokens; up to there a row that goes on alone costs less than a batch of its own


def takes(lstm: PaddedLSTM) -> bool:
    """Whether this way can be gone: one layer, in the CPU's float32."""
    weight = lstm.weight_ih_l0
    return lstm.num_layers == 1 and weight.dtype == torch.float32 and weight.device.type == "cpu"


def buckets(lengths: Sequence[int]) -> list[list[int]]:
    """Places of rows to be read together, as `batching.length_buckets`."""
    return length_buckets(lengths, MAX_BATCH_TOKENS, max_batch_rows=len(lengths), short=SHORT)


def final_states(embedding: Tensor, lstm: PaddedLSTM, batch: PaddedBatch) -> Tensor:
    """The final `ht` of each direction, from states of zero: (directions, N, H). `embedding` is (V, F)."""
    lengths, rows = batch.lengths.sort(descending=True)  # (N,), (N,)
    tokens, places = batch.token_ids[rows].unique(return_inverse=True)  # (U,), (N, T)
    projected = _projected(embedding[tokens], lstm)  # (U x directions, 4H)
    orders = [places, places.gather(1, reversed_positions(lengths, places.shape[1]))]  # (N, T) each
    directions = len(lstm.suffixes)
    steps = torch.stack([order * directions + place for place, order in enumerate(orders[:directions])])
    steps = steps.permute(2, 0, 1).contiguous()  # (T, directions, N)
    recurrent = torch.stack(of_each_direction(lstm, "weight_hh_l0")).mul_(2)  # (directions, 4H, H)
    recurrent = _doubled_candidates(recurrent).transpose(1, 2)  # (directions, H, 4H)
    blocks = [
        _read(projected, steps[:, :, start : start + BLOCK_ROWS], lengths[start : start + BLOCK_ROWS], recurrent)
        for start in range(0, len(rows), BLOCK_ROWS)
    ]
    ht = torch.empty(directions, len(rows), lstm.hidden_size)  # (directions, N, H)
    ht[:, rows] = torch.cat(blocks, dim=1)
    return ht


def _read(projected: Tensor, steps: Tensor, lengths: Tensor, recurrent: Tensor) -> Tensor:
    """The final `ht` (directions, N, H) of rows that lie longest first; `steps` are places in `projected`."""
    directions, size, _ = recurrent.shape
    half_h = projected.new_zeros(directions, len(lengths), size)  # (directions, N, H)
    double_c, tanhs = torch.zeros_like(half_h), torch.empty_like(half_h)  # (directions, N, H)
    for step, count in zip(steps, rows_left(lengths), strict=False):
        h, c, tanh_c = half_h[:, :count], double_c[:, :count], tanhs[:, :count]  # (directions, count, H)
        gates = projected.index_select(0, step[:, :count].flatten())  # (directions x count, 4H)
        gates = gates.view(directions, count, -1).baddbmm_(h, recurrent).sigmoid_()  # (directions, count, 4H)
        in_gate, forget_gate, candidate, out_gate = gates.chunk(4, dim=-1)  # (directions, count, H)
        c.mul_(forget_gate).addcmul_(in_gate, candidate.sub_(0.5), value=4)
        torch.mul(torch.sigmoid(c, out=tanh_c).sub_(0.5), out_gate, out=h)
    return half_h * 2


def rows_left(lengths: Tensor) -> list[int]:
    """How many rows take each step, of rows that lie longest first."""
    return (lengths > torch.arange(int(lengths[0])).unsqueeze(1)).sum(dim=1).tolist()


def _projected(embedded: Tensor, lstm: PaddedLSTM) -> Tensor:
    """What tokens (U, F) add to the gates: (U x directions, 4H)."""
    gates = functional.linear(embedded, *projection(lstm)).view(-1, 4 * lstm.hidden_size, 1)  # (U x directions, 4H, 1)
    return _doubled_candidates(gates).squeeze(-1)  # (U x directions, 4H)


def projection(lstm: PaddedLSTM) -> tuple[Tensor, Tensor | None]:
    """The weight (directions x 4H, F) and the bias (directions x 4H,), if any, from embeddings to gates."""
    weight = torch.cat(of_each_direction(lstm, "weight_ih_l0"))  # (directions x 4H, F)
    if not lstm.bias:
        return weight, None
    bias = torch.cat(of_each_direction(lstm, "bias_ih_l0")) + torch.cat(of_each_direction(lstm, "bias_hh_l0"))
    return weight, bias  # (directions x 4H, F), (directions x 4H,)


def of_each_direction(lstm: PaddedLSTM, name: str) -> list[Tensor]:
    """The parameter of this name of the forward direction, and of the backward one if there is one."""
    return [getattr(lstm, f"{name}{suffix}") for suffix in lstm.suffixes]


def _doubled_candidates(gates: Tensor) -> Tensor:
    """The third quarter of (..., 4H, any) doubled, in place: nn.LSTM's gates are in, forget, candidate, out."""
    gates.chunk(4, dim=-2)[2].mul_(2)
    return gates
