"""Two models on the same labelled texts: what became of each text, and whether the difference could be chance."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.stats import binomtest

from sentiment.evaluation.answers import Answers
from sentiment.evaluation.intervals import Estimate, resampled

SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class Flip:
    """A text that the two models label differently; `row` is its number in its file, from 1."""

    row: int
    text: str
    label: str  # the true one
    old_label: str
    new_label: str
    old_probabilities: dict[str, float]
    new_probabilities: dict[str, float]

    @property
    def outcome(self) -> str:
        """Return `mended`, `broken`, or `wrong` before and after."""
        return {self.new_label: "mended", self.old_label: "broken"}.get(self.label, "wrong")


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of `compare`. `p_value` is of McNemar's exact test."""

    rows: int
    labels: tuple[str, ...]
    renormalized: bool
    old_accuracy: Estimate
    new_accuracy: Estimate
    difference: Estimate  # new less old
    flips: tuple[Flip, ...]
    p_value: float

    def count(self, outcome: str) -> int:
        """Return the flips of this outcome."""
        return sum(flip.outcome == outcome for flip in self.flips)

    @property
    def counts(self) -> str:
        """Return the number of texts of each outcome, in words."""
        if not self.flips:
            return f"All {self.rows:,} texts have the same label from both models."
        return (
            f"{len(self.flips):,} of {self.rows:,} texts get another label: {self.count('mended'):,} mended, "
            f"{self.count('broken'):,} broken, {self.count('wrong'):,} wrong before and after."
        )

    @property
    def verdict(self) -> str:
        """Return the result of the test, in words."""
        mended, broken = self.count("mended"), self.count("broken")
        if mended + broken == 0:
            return "Both are right about the same texts: there is no difference to test."
        better = "new" if mended > broken else "old"
        test = f"McNemar's exact test, {mended:,} against {broken:,}, p = {self.p_value:.2g}"
        if self.p_value < SIGNIFICANT:
            return f"The {better} model is better, by more than chance explains ({test})."
        return f"The difference may be chance: two equally good models would often differ as much ({test})."

    def as_dict(self) -> dict[str, Any]:
        """Return dicts, lists, strings and numbers only, for JSON."""
        return {
            **asdict(self),
            "flips": [asdict(flip) | {"outcome": flip.outcome} for flip in self.flips],
            "mended": self.count("mended"),
            "broken": self.count("broken"),
            "counts": self.counts,
            "verdict": self.verdict,
        }


def compare(old: Answers, new: Answers) -> Comparison:
    """Return the comparison of two models' answers to the same labelled texts, over the labels that these hold.

    The test is McNemar's, exact (McNemar 1947): if the models are equally good, each text
    that only one of them gets right is a fair coin toss. Raises DataError for fewer than two texts.
    """
    right = np.stack([old.correct, new.correct]).astype(float)  # (2, N)

    def accuracies(rows: np.ndarray) -> np.ndarray:
        before, after = right[:, rows].mean(axis=1)
        return np.array([before, after, after - before])

    old_accuracy, new_accuracy, difference = resampled(accuracies, len(old.true))
    mended, broken = int((new.correct & ~old.correct).sum()), int((old.correct & ~new.correct).sum())
    return Comparison(
        rows=len(old.true),
        labels=old.labels,
        renormalized=old.renormalized or new.renormalized,
        old_accuracy=old_accuracy,
        new_accuracy=new_accuracy,
        difference=difference,
        flips=tuple(_flip(int(row), old, new) for row in np.flatnonzero(_names(old) != _names(new))),
        p_value=binomtest(mended, mended + broken).pvalue if mended + broken else 1.0,
    )


def _names(answers: Answers) -> np.ndarray:
    return np.array(answers.labels)[answers.predicted]  # (N,): models may order the labels differently


def _flip(row: int, old: Answers, new: Answers) -> Flip:
    shares = [dict(zip(answers.labels, map(float, answers.probabilities[row]), strict=True)) for answers in (old, new)]
    return Flip(
        row=old.row(row),
        text=old.texts[row],
        label=old.labels[old.true[row]],
        old_label=old.labels[old.predicted[row]],
        new_label=new.labels[new.predicted[row]],
        old_probabilities=shares[0],
        new_probabilities=shares[1],
    )
