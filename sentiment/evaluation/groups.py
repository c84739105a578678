"""The same figures for parts of the texts: where a model is good and where it is not."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sentiment.evaluation.answers import Answers
from sentiment.evaluation.intervals import Estimate, share

SHOWN_VALUES = 20  # of a column, those of the most rows
UNKNOWN_SHARES = (0.0, 0.05, 0.1, 0.2)


@dataclass(frozen=True, slots=True)
class Group:
    """Some of the texts: how many, how often the model is right, and how sure it is of that."""

    name: str
    rows: int
    accuracy: Estimate
    confidence: float  # the mean


def by_length(answers: Answers) -> tuple[Group, ...]:
    """Return the texts of 1, 2, 3 to 4, 5 to 8 … tokens."""

    def name(power: int) -> str:
        return f"{2**power:,}" if power < 2 else f"{2 ** (power - 1) + 1:,} to {2**power:,}"

    return _groups(answers, [int(np.ceil(np.log2(each.tokens))) for each in answers.predictions], name)


def by_unknown_share(answers: Answers) -> tuple[Group, ...]:
    """Return the texts whose every token the model knows, and those with growing shares that it doesn't."""

    def name(place: int) -> str:
        if place == 0:
            return "none"
        low = f"over {UNKNOWN_SHARES[place - 1] * 100:.0f}"
        return f"{low} %" if place == len(UNKNOWN_SHARES) else f"{low} to {UNKNOWN_SHARES[place] * 100:.0f} %"

    shares = [each.unknown_tokens / each.tokens for each in answers.predictions]
    return _groups(answers, [int(place) for place in np.searchsorted(UNKNOWN_SHARES, shares)], name)


def by_column(answers: Answers, values: Sequence[str]) -> tuple[Group, ...]:
    """Return the texts by what a column of their file holds: the most frequent values first, the rare ones together."""
    frequent = [value for value, _ in Counter(values).most_common(SHOWN_VALUES)]
    places = {value: place for place, value in enumerate(frequent)}
    others = len(set(values)) - len(frequent)

    def name(place: int) -> str:
        return f"{others:,} other values" if place == len(frequent) else frequent[place] or "(empty)"

    return _groups(answers, [places.get(value, len(frequent)) for value in values], name)


def _groups(answers: Answers, keys: Sequence[int], name: Callable[[int], str]) -> tuple[Group, ...]:
    numbers = np.array(keys)
    groups = []
    for key in sorted(set(keys)):
        inside = numbers == key  # (N,)
        count = int(inside.sum())
        accuracy = share(int(answers.correct[inside].sum()), count)
        groups.append(Group(name(key), count, accuracy, float(answers.confidence[inside].mean())))
    return tuple(groups)
