"""Hold labelled texts, check that they can be learned from, and split off dev rows."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise
from typing import Any

from sentiment.abstention import UNCERTAIN
from sentiment.errors import DataError
from sentiment.scoring.formats.rows import Origin

MIN_VALUES = 4  # rows of numbers: two to learn from, two to judge by


@dataclass(frozen=True)
class LabelledTexts:
    """Texts and the label of each, from the file `name`.

    Of its rows `skipped` had no text, `unreadable` could not be read or had no label, and were left out.
    Of soft labels, `labels` are the most probable ones and `probabilities` what the teacher gave each row's labels.
    Of a regression, `values` are the numbers and `labels` the same as text.
    """

    name: str
    texts: list[str]
    labels: list[str]
    skipped: int = 0
    probabilities: list[dict[str, float]] | None = None
    states: list[bytes | None] | None = None  # of each row's tokens, as a teacher wrote them beside its probabilities
    values: list[float] | None = None
    columns: dict[str, list[str]] = field(default_factory=dict)  # others of the file, by name
    origins: list[Origin] = field(default_factory=list)  # of each row; none of rows in memory
    unreadable: int = 0
    weights: list[float] | None = None  # of each row in the loss; None: all the same

    def origin(self, index: int) -> Origin:
        """Return where the row at this index comes from."""
        return self.origins[index] if self.origins else Origin(self.name, index + 1)


def check_learnable(sets: Sequence[LabelledTexts]) -> tuple[str, ...]:
    """Return the labels, sorted. Raises DataError if there is only one, or one has a single row."""
    counts = Counter(label for part in sets for label in part.labels)
    if len(counts) < 2:
        raise DataError(
            f"every row has the label {next(iter(counts))!r}; add rows with another, as a classifier needs two or more"
        )
    for label, count in sorted(counts.items()):
        if count == 1:
            part = next(part for part in sets if label in part.labels)
            origin = part.origin(part.labels.index(label))
            hint = "if it is a misspelling, mend it; else give it more rows"
            raise DataError(f"{origin}: only this row has the label {label!r:.60}; {hint}")
    return tuple(sorted(counts))


def check_names(labels: Sequence[str], sets: Sequence[LabelledTexts]) -> None:
    """Raise DataError for a label that is called like the answer of a model that abstains."""
    if UNCERTAIN in labels:
        rows = (part.origin(part.labels.index(UNCERTAIN)) for part in sets if UNCERTAIN in part.labels)
        reason = f"the label {UNCERTAIN!r} is the answer of a model that abstains; give it another name"
        raise DataError(f"{next(rows, 'labels')}: {reason}")


def check_spread(train: Sequence[LabelledTexts], dev: Sequence[LabelledTexts]) -> None:
    """Raise DataError if all numbers to learn, or all of a dev set, are equal: there is nothing to learn."""
    for name, parts in (("the training rows", train), *((part.name, [part]) for part in dev)):
        numbers = {label for part in parts for label in part.labels}
        if len(numbers) == 1:
            raise DataError(f"{name}: every row has the number {numbers.pop()}; a regression needs two different ones")


def split(data: LabelledTexts, share: float, seed: int) -> tuple[LabelledTexts, LabelledTexts]:
    """Split into training and dev rows by seed: the same share of each label, at least one of each.

    Of numbers, which need four rows or DataError is raised, one of each of as many equal parts by size, at least two.
    """
    rng = random.Random(seed)
    held_out: set[int] = set()
    if data.values is not None:
        if len(data.values) < MIN_VALUES:
            found = f"{len(data.values)} {'row' if len(data.values) == 1 else 'rows'}"
            raise DataError(f"{data.name}: {found}; a regression needs {MIN_VALUES} or more")
        ascending = sorted(range(len(data.values)), key=data.values.__getitem__)
        parts = max(2, round(share * len(ascending)))
        cuts = [len(ascending) * index // parts for index in range(parts + 1)]
        held_out = {rng.choice(ascending[start:end]) for start, end in pairwise(cuts)}
        return select(data, "train", held_out, False), select(data, "dev", held_out, True)
    for label in sorted(set(data.labels)):
        rows = [row for row, other in enumerate(data.labels) if other == label]
        held_out.update(rng.sample(rows, min(len(rows) - 1, max(1, round(share * len(rows))))))
    return select(data, "train", held_out, False), select(data, "dev", held_out, True)


def exclude_texts(data: LabelledTexts, unseen: Sequence[LabelledTexts]) -> LabelledTexts:
    """Return the rows whose text, ignoring case and spacing, is in none of `unseen`."""
    texts = {plain(text) for part in unseen for text in part.texts}
    rows = {row for row, text in enumerate(data.texts) if plain(text) in texts}
    return select(data, data.name, rows, False) if rows else data


def plain(text: str) -> str:
    """Return the text as it is compared: case and spacing don't count."""
    return " ".join(text.casefold().split())


def with_unique_names(sets: Sequence[LabelledTexts]) -> list[LabelledTexts]:
    """Return the sets with unique names, for the model's metrics: the second `dev.csv` is numbered."""
    met: Counter[str] = Counter()
    found = []
    for part in sets:
        met[part.name] += 1
        found.append(part if met[part.name] == 1 else replace(part, name=f"{part.name} ({met[part.name]})"))
    return found


def select(data: LabelledTexts, name: str, rows: set[int], inside: bool) -> LabelledTexts:
    """Return these rows, or with `inside` False all others, under another name."""
    kept = [row for row in range(len(data.texts)) if (row in rows) == inside]
    lists = {each.name: getattr(data, each.name) for each in fields(data)}
    chosen: dict[str, Any] = {
        each: [values[row] for row in kept] for each, values in lists.items() if values and isinstance(values, list)
    }
    columns = {column: [values[row] for row in kept] for column, values in data.columns.items()}
    return replace(data, name=name, columns=columns, **chosen)
