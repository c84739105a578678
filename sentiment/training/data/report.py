"""Describe training data in figures, for a look before training and for the model's metrics.json."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sentiment.text.scripts import scripts_of
from sentiment.training.data.dataset import LabelledTexts

# Of scripts written without spaces each character is counted as a word: kana, Han, Thai, Lao, Myanmar, Khmer.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")


@dataclass(frozen=True)
class SetFacts:
    """Figures of one set of rows: their number, labels and text lengths."""

    name: str
    rows: int
    labels: dict[str, int]  # rows of each; of a regression none
    values: dict[str, float] | None  # of a regression: smallest, mean, largest
    words_median: float
    words_p95: float
    words_most: int
    without_text: int  # rows left out
    unreadable: int  # others left out, which can't be read or have no label


@dataclass(frozen=True)
class DataReport:
    """Figures of all sets, and rows worth checking."""

    train: tuple[SetFacts, ...]
    dev: tuple[SetFacts, ...]
    repeated_rows: int  # of training, whose text an earlier one holds
    conflicting_texts: tuple[str, ...]  # of training, that stand there with several labels
    train_rows_also_in_dev_dropped: int
    scripts: Mapping[str, int]  # letters of the training texts, or of some: see sentiment/text/scripts.py

    @property
    def similar_labels(self) -> list[dict[str, int]]:
        """Return each group of labels that differ only in case or white space, with the rows of each."""
        counts = sum((Counter(part.labels) for part in (*self.train, *self.dev)), Counter[str]())
        groups: dict[str, dict[str, int]] = {}
        for label, rows in counts.items():
            groups.setdefault("".join(label.casefold().split()), {})[label] = rows
        return [group for group in groups.values() if len(group) > 1]

    def figures(self) -> dict[str, Any]:
        """Return dicts, lists, names and numbers only, none of the texts."""
        sets = {role: [asdict(part) for part in parts] for role, parts in (("train", self.train), ("dev", self.dev))}
        return {
            **sets,
            "repeated_rows": self.repeated_rows,
            "conflicting_texts": len(self.conflicting_texts),
            "train_rows_also_in_dev_dropped": self.train_rows_also_in_dev_dropped,
        }


def build_report(
    labels: Sequence[str], train: Sequence[LabelledTexts], dev: Sequence[LabelledTexts], dropped: int
) -> DataReport:
    """Return the report of the training and dev sets; `dropped` training rows were also in a dev set."""
    again, torn = repeated(train)
    return DataReport(
        tuple(_facts(labels, part) for part in train),
        tuple(_facts(labels, part) for part in dev),
        again,
        tuple(torn) if labels else (),  # two numbers of one text are no conflict
        dropped,
        scripts_of([text for part in train for text in part.texts]),
    )


def repeated(sets: Sequence[LabelledTexts]) -> tuple[int, list[str]]:
    """Return how many rows repeat an earlier text, and the texts that have several labels.

    Sets of soft labels are not counted: a teacher made them.
    """
    labels: dict[str, set[str]] = {}
    rows = 0
    for part in sets:
        if part.probabilities is None:
            rows += len(part.texts)
            for text, label in zip(part.texts, part.labels, strict=True):
                labels.setdefault(text, set()).add(label)
    return rows - len(labels), [text for text, given in labels.items() if len(given) > 1]


def words(text: str) -> int:
    """Count the words between spaces or, in scripts without spaces, the characters."""
    return len((text if text.isascii() else _UNSPACED.sub(" x ", text)).split())


def _facts(labels: Sequence[str], part: LabelledTexts) -> SetFacts:
    counts = Counter(part.labels)
    lengths = np.array([words(text) for text in part.texts])  # (N,)
    values = None
    if part.values is not None:
        numbers = np.array(part.values)  # (N,)
        values = {"smallest": float(numbers.min()), "mean": float(numbers.mean()), "largest": float(numbers.max())}
    return SetFacts(
        part.name,
        len(part.texts),
        {label: counts[label] for label in labels},
        values,
        float(np.median(lengths)),
        float(np.percentile(lengths, 95)),
        int(lengths.max()),
        part.skipped,
        part.unreadable,
    )
