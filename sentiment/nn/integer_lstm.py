"""Compute the final `ht` in 8-bit integers: the same bits for a text alone and in any batch.

Floating point sums depend on the order in which a kernel adds, and so on the number of rows and threads. Sums of
integers don't. So word vectors and weights are integers with a scale for each row, and the next step reads `h`, in
(-1, 1), as round(127 h): every matrix product is exact, with any kernel.

- What a token adds to the gates is the same at every place: each distinct token of a batch is projected once.
- Rows are sorted, longest first, and a step takes those that have a token left: padding is never computed.
- Both directions take a step together.
- tanh(x) = 2 sigmoid(2x) - 1, and torch's sigmoid is three times as fast as its tanh: cells are kept as 2c, and the
  inputs of the candidates are doubled.
- torch computes the end of a loop, where fewer elements are left than it takes at once, by another formula with other
  last bits. The sizes here are such that no thread's part has such an end (see `aligned_rows`).
"""

from collections.abc import Mapping
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from sentiment.batching import PaddedBatch
from sentiment.nn.integers import INTEGER_PRODUCT, LEVELS, QuantizedWeight, multiply, quicker_product
from sentiment.nn.lstm import PaddedLSTM, of_each_direction, reversed_positions, rows_left

MAX_SIZE = 1024  # features and hidden units: float32 sums 1,040 products of such integers exactly
BLOCK_ROWS = 512  # that take their steps together; more states would not fit the cache
BLOCK_TOKENS = 256  # that are projected together
MAX_BATCH_TOKENS = 65_536  # the more, the fewer of them are distinct
SHORT = 64  # tokens; a single row of at most so many costs less in another batch than alone

UNIT = 32  # most elements of a step of torch's loops
GRAIN = 32_768  # least elements that torch gives a thread when it divides a loop

EMBEDDING = "embedding.weight"


class IntegerLSTM:
    """An embedding and one layer of an LSTM that starts from zeros, in one direction or both.

    `weights` are by the name of the parameter in SentimentModel; biases are `lstm`'s. `product` is one of `PRODUCTS`,
    by default the faster one here. Both give the same bits.
    """

    def __init__(self, weights: Mapping[str, QuantizedWeight], lstm: PaddedLSTM, product: str | None = None) -> None:
        self.weights = dict(weights)
        self._hidden_size = lstm.hidden_size
        self._width = -(-lstm.hidden_size // UNIT) * UNIT  # H from here on, padded with units that stay zero
        self.product = product or quicker_product(self._width)
        dtype = torch.int8 if self.product == INTEGER_PRODUCT else torch.float32
        inputs, recurrent = (
            [self.weights[f"lstm.{name}_l0{suffix}"] for suffix in lstm.suffixes] for name in ("weight_ih", "weight_hh")
        )
        self._directions = len(inputs)
        self._input = torch.cat([self._by_gate(each.values) for each in inputs]).to(dtype).t()  # (F, directions x 4H)
        self._input_scales = torch.cat([self._doubled(each.scales) for each in inputs])  # (directions x 4H,)
        filling = (0, self._width - lstm.hidden_size)
        states = [functional.pad(self._by_gate(each.values), filling) for each in recurrent]  # (4H, H) each
        self._recurrent = torch.stack(states).to(dtype).transpose(1, 2)  # (directions, H, 4H)
        scales = torch.stack([self._doubled(each.scales) for each in recurrent])  # (directions, 4H)
        self._recurrent_scales = scales.div_(LEVELS).unsqueeze(1)  # (directions, 1, 4H)
        self._bias = torch.zeros_like(self._input_scales)  # (directions x 4H,)
        if lstm.bias:
            biases = zip(*(of_each_direction(lstm, f"bias_{name}_l0") for name in ("ih", "hh")), strict=True)
            self._bias = torch.cat([self._doubled((one + other).detach()) for one, other in biases])

    def final_states(self, batch: PaddedBatch) -> Tensor:
        """Return the final `ht` of each direction: (directions, N, H)."""
        lengths, rows = batch.lengths.sort(descending=True)  # (N,), (N,)
        projected, steps = self._project(batch.token_ids[rows], lengths)
        ht = torch.empty(self._directions, len(rows), self._width)  # (directions, N, H)
        for start in range(0, len(rows), BLOCK_ROWS):
            part = slice(start, start + BLOCK_ROWS)
            ht[:, rows[part]] = self._run(projected, steps[:, :, part], lengths[part])
        return ht[..., : self._hidden_size]

    def output(self, batch: PaddedBatch) -> Tensor:
        """Return the `h` after each token of a network that reads one way: (N, T, H); of no meaning past the end."""
        lengths, rows = batch.lengths.sort(descending=True)  # (N,), (N,)
        projected, steps = self._project(batch.token_ids[rows], lengths)
        history: list[Tensor] = []
        self._run(projected, steps, lengths, history)
        output = torch.zeros(len(rows), len(steps), self._width)  # (N, T, H)
        for step, h in enumerate(history):
            output[rows[: h.shape[1]], step] = h[0]  # (count, H)
        return output[..., : self._hidden_size]

    def _project(self, token_ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Project distinct tokens to the gates, (U x directions, 4H), and return each step's rows, (T, directions, N).

        `token_ids` (N, T) are sorted by `lengths` (N,), the longest first.
        """
        tokens, places = token_ids.unique(return_inverse=True)  # (U,), (N, T)
        words = self.weights[EMBEDDING]
        projected = torch.empty(len(tokens), len(self._bias))  # (U, directions x 4H)
        for some, gates in zip(tokens.split(BLOCK_TOKENS), projected.split(BLOCK_TOKENS), strict=True):
            # One operation after the other: each is rounded alike in every part of every loop.
            multiply(words.values[some].to(self._input.dtype), self._input, out=gates)
            gates.mul_(words.scales[some].unsqueeze(1)).mul_(self._input_scales).add_(self._bias)
        orders = [places, places.gather(1, reversed_positions(lengths, places.shape[1]))]  # (N, T) each
        steps = [order * self._directions + place for place, order in enumerate(orders[: self._directions])]
        return projected.view(-1, 4 * self._width), torch.stack(steps).permute(2, 0, 1)

    def _run(self, projected: Tensor, steps: Tensor, lengths: Tensor, history: list[Tensor] | None = None) -> Tensor:
        """Return the final `ht` (directions, N, H) of rows sorted by length; `steps` are of the rows alone.

        To `history` the `h` (directions, count, H) of the rows that take a step are added, step by step.
        """
        directions, width, threads = self._directions, self._width, torch.get_num_threads()
        counts = rows_left(lengths)
        computed = [aligned_rows(count, directions * width, threads) for count in counts]
        most = max(computed)
        # Rows beyond those that have a token left are computed with them where a loop needs them: of any token.
        steps = functional.pad(steps, (0, most - steps.shape[2])).contiguous()  # (T, directions, rows)
        ht = torch.empty(directions, len(lengths), width)  # (directions, N, H)
        h = torch.zeros(directions, most, width, dtype=self._recurrent.dtype)  # as integers
        double_c = torch.zeros(directions, most, width)
        all_gates, all_sums, all_h = (torch.empty(directions * most * size) for size in (4 * width, 4 * width, width))
        minus_levels = torch.tensor(-float(LEVELS))
        size = 0  # of a loop over one number for each unit of these rows
        for step, (count, rows) in enumerate(zip(counts, computed, strict=True)):
            if directions * rows * width != size:  # making views costs most: only for other rows
                size = directions * rows * width
                gates, sums = (each[: 4 * size].view(directions, rows, -1) for each in (all_gates, all_sums))  # (…, 4H)
                # Each gate by itself where a loop over all would have an odd end: such loops are of `size` elements.
                parts = _parts(gates, sums, self._recurrent_scales, whole=has_even_parts(4 * size, threads))
                in_gate, forget_gate, candidate, out_gate = gates.chunk(4, dim=-1)  # (directions, rows, H)
                last_h, c = h[:, :rows], double_c[:, :rows]  # (directions, rows, H)
                new_h = all_h[:size].view(directions, rows, width)  # (directions, rows, H), 127 times h
                operands = list(zip(last_h, self._recurrent, sums, strict=True))
            torch.index_select(projected, 0, steps[step, :, :rows].flatten(), out=gates.view(directions * rows, -1))
            if step:
                for one_h, weight, out in operands:
                    multiply(one_h, weight, out=out)
                for gate, gate_sums, scales in parts:
                    gate.addcmul_(gate_sums, scales)
            for gate, *_ in parts:
                gate.sigmoid_()
            c.mul_(forget_gate).addcmul_(in_gate, candidate.sub_(0.5), value=4)
            torch.add(minus_levels, torch.sigmoid(c, out=new_h), alpha=2 * LEVELS, out=new_h).mul_(out_gate)
            going_on = counts[step + 1] if step + 1 < len(counts) else 0
            if going_on < count:
                ht[:, going_on:count] = new_h[:, going_on:count]
            if history is not None:
                history.append(new_h[:, :count] / LEVELS)
            last_h.copy_(new_h.round_())
        return ht.div_(LEVELS)

    def _by_gate(self, values: Tensor) -> Tensor:
        """Fill each gate of (4 x unfilled H, any) up to H units: (4H, any)."""
        gates = values.unflatten(0, (4, -1))  # (4, unfilled H, any)
        filled = values.new_zeros(4, self._width, *values.shape[1:])  # (4, H, any)
        filled[:, : self._hidden_size] = gates
        return filled.flatten(end_dim=1)

    def _doubled(self, numbers: Tensor) -> Tensor:
        """Return the third quarter doubled, of one number for each unit of each gate: (4H,), filled up."""
        numbers = self._by_gate(numbers)  # (4H,)
        numbers.chunk(4)[2].mul_(2)  # nn.LSTM's gates are in, forget, candidate, out
        return numbers


@lru_cache(maxsize=1 << 14)
def aligned_rows(rows: int, width: int, threads: int) -> int:
    """Return the rows, this many or a few more, whose loop over `width` elements each has no odd end in any part.

    `width` is a multiple of a unit.
    """
    while not has_even_parts(rows * width, threads):
        rows += 1
    return rows


def has_even_parts(elements: int, threads: int) -> bool:
    """Return whether a loop over so many elements, a multiple of a unit, has no odd end in any thread's part.

    torch cuts it in parts of ceil(elements / threads), and a part in units.
    """
    return elements < GRAIN or elements % (UNIT * min(threads, -(-elements // GRAIN))) == 0


def _parts(*tensors: Tensor, whole: bool) -> list[tuple[Tensor, ...]]:
    """Return the tensors (..., 4H) as they are, or each gate's part of them, (..., H)."""
    return [tensors] if whole else list(zip(*(each.chunk(4, dim=-1) for each in tensors), strict=True))
