import random
from collections.abc import Callable
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.batching import PaddedBatch, head_and_tail, length_buckets, shuffled_buckets
from sentiment.text.vocabulary import PAD_ID

LENGTHS = st.lists(st.integers(1, 300), max_size=60)
BOUND = st.integers(1, 2000)


def shuffled(lengths: list[int], bound: int) -> list[list[int]]:
    return shuffled_buckets(lengths, bound, 64, random.Random(0))


EITHER = pytest.mark.parametrize("buckets", [length_buckets, shuffled], ids=["length_buckets", "shuffled_buckets"])
Buckets = Callable[[list[int], int], list[list[int]]]


def test_padding_is_on_the_right_and_rows_keep_their_order() -> None:
    batch = PaddedBatch.of([[5], [2, 3, 4], [6, 7]])
    assert batch.token_ids.tolist() == [[5, PAD_ID, PAD_ID], [2, 3, 4], [6, 7, PAD_ID]]
    assert batch.lengths.tolist() == [1, 3, 2]


@pytest.mark.parametrize("rows", [[], [[]], [[1], []]])
def test_nothing_is_no_batch(rows: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="a batch has at least one row, and a row at least one token"):
        PaddedBatch.of(rows)


@EITHER
@given(lengths=LENGTHS, bound=BOUND)
def test_each_place_once_and_the_bound_holds(buckets: Buckets, lengths: list[int], bound: int) -> None:
    batches = buckets(lengths, bound)
    assert sorted(chain.from_iterable(batches)) == list(range(len(lengths)))
    for places in batches:
        padded = max(lengths[place] for place in places) * len(places)
        assert padded <= bound or len(places) == 1


@given(lengths=LENGTHS, bound=BOUND)
def test_similar_lengths_are_together(lengths: list[int], bound: int) -> None:
    order = [lengths[place] for places in length_buckets(lengths, bound) for place in places]
    assert order == sorted(lengths)


def test_batches_are_filled() -> None:
    assert length_buckets([2, 2, 2, 2, 9, 3], 8) == [[0, 1, 2, 3], [5], [4]]
    assert length_buckets([], 8) == []


def test_shuffled_buckets_differ_from_call_to_call_and_follow_the_seed() -> None:
    lengths = [1 + place % 30 for place in range(300)]
    rng = random.Random(1)
    first, second = shuffled_buckets(lengths, 200, 64, rng), shuffled_buckets(lengths, 200, 64, rng)
    assert first != second
    assert {frozenset(places) for places in first} != {frozenset(places) for places in second}
    assert first == shuffled_buckets(lengths, 200, 64, random.Random(1))
    longest = [max(lengths[place] for place in places) for places in first]
    assert longest != sorted(longest)


def test_shuffled_buckets_still_waste_little() -> None:
    rng = random.Random(2)
    lengths = [rng.randint(5, 400) for _ in range(2000)]
    padded = sum(
        max(lengths[place] for place in places) * len(places) for places in shuffled_buckets(lengths, 8192, 10_000, rng)
    )
    assert padded < 1.2 * sum(lengths)


def test_shuffled_buckets_hold_at_most_so_many_rows() -> None:
    batches = shuffled_buckets([2] * 100, 1000, 30, random.Random(0))
    assert sorted(map(len, batches)) == [10, 30, 30, 30]


@EITHER
def test_a_short_row_is_not_padded_to_a_long_one(buckets: Buckets) -> None:
    assert sorted(map(sorted, buckets([300, 5, 290, 6], 10_000))) == [[0, 2], [1, 3]]


def test_a_long_row_keeps_a_third_from_its_head_and_the_rest_from_its_tail() -> None:
    row = list(range(1, 11))
    assert head_and_tail(row, 10) == row
    assert head_and_tail(row, 9) == [1, 2, 3, 5, 6, 7, 8, 9, 10]
    assert head_and_tail(row, 2) == [9, 10]
