"""Turn ragged token ids into padded batches, limited by padded tokens rather than rows."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from sentiment.text.vocabulary import PAD_ID

if TYPE_CHECKING:
    from torch import Tensor

MAX_BATCH_TOKENS = 8192  # padded; larger batches leave the cache and get slower (benchmarks/core.py)
MAX_BATCH_ROWS = 256  # so do batches with more rows
SHORT = 16  # tokens; longer rows are not batched with rows of less than half their length, as padding costs time too


@dataclass(frozen=True)
class PaddedBatch:
    """`token_ids` (N, T), padded with `<pad>` on the right, and `lengths` (N,), each at least 1."""

    token_ids: "Tensor"
    lengths: "Tensor"

    @classmethod
    def of(cls, token_ids: Sequence[Sequence[int]]) -> "PaddedBatch":
        """Return the batch of these rows, in their order. Raises ValueError for no rows or an empty one."""
        # Late: length buckets serve ONNX models, too, where there is no torch.
        import torch
        from torch.nn.utils.rnn import pad_sequence

        if not token_ids or not all(token_ids):
            raise ValueError("a batch has at least one row, and a row at least one token")
        lengths = [len(row) for row in token_ids]
        # One tensor cut into rows takes half the time of one made of each row.
        joined = np.fromiter(chain.from_iterable(token_ids), np.int64, count=sum(lengths))
        rows = torch.from_numpy(joined).split(lengths)  # (T,) each
        return cls(
            token_ids=pad_sequence(rows, batch_first=True, padding_value=PAD_ID),  # (N, T)
            lengths=torch.tensor(lengths),  # (N,)
        )


def length_buckets(
    lengths: Sequence[int],
    max_batch_tokens: int,
    max_batch_rows: int = MAX_BATCH_ROWS,
    short: int = SHORT,
) -> list[list[int]]:
    """Group the indices of `lengths` into batches of similar lengths and at most `max_batch_tokens` padded tokens.

    A row longer than the limit is a batch of its own.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    return _cut(order, lengths, max_batch_tokens, max_batch_rows, short)


def shuffled_buckets(
    lengths: Sequence[int], max_batch_tokens: int, max_batch_rows: int, rng: random.Random
) -> list[list[int]]:
    """Group like `length_buckets`, but shuffled differently at each call, for training.

    At most `max_batch_rows` a batch: in a mean over a thousand phrases each would count little beside a review.
    """
    noisy = [length * rng.uniform(0.9, 1.1) + rng.random() for length in lengths]
    order = sorted(range(len(lengths)), key=noisy.__getitem__)
    batches = _cut(order, lengths, max_batch_tokens, max_batch_rows, SHORT)
    rng.shuffle(batches)
    return batches


def head_and_tail(row: list[int], limit: int) -> list[int]:
    """Return at most `limit` ids: a third from the head and two from the tail, where reviews conclude.

    Sun et al. (2019) keep 128 and 382.
    """
    head = limit // 3
    return row if len(row) <= limit else row[:head] + row[head - limit :]


def _cut(
    order: Sequence[int], lengths: Sequence[int], max_batch_tokens: int, max_batch_rows: int, short: int
) -> list[list[int]]:
    batches: list[list[int]] = []
    shortest = longest = 0
    for place in order:
        shortest, longest = min(shortest, lengths[place]), max(longest, lengths[place])
        rows = len(batches[-1]) + 1 if batches else max_batch_rows + 1
        if rows <= max_batch_rows and longest * rows <= max_batch_tokens and longest <= max(short, 2 * shortest):
            batches[-1].append(place)
        else:
            batches.append([place])
            shortest = longest = lengths[place]
    return batches
