"""The table by which a model keeps a promised share of wrong answers (sentiment/abstention.py)."""

import numpy as np
from scipy.special import betaincinv

from sentiment.abstention import AbstentionTable, Level
from sentiment.evaluation.answers import Floats, Integers

LEVELS = 20  # 5 %, 10 % … of the rows answered, the surest first
CONFIDENCE = 0.95  # that every bound of a table holds


def abstention_table(probabilities: Floats, targets: Integers) -> AbstentionTable:
    """Return the table of dev answers (N, C) to texts whose true labels are `targets` (N,).

    Selection with guaranteed risk (Geifman and El-Yaniv 2017): the levels are ranks of confidence, fixed before any
    label is seen, so that the rows above one are a sample of all texts above its threshold, and an upper bound on
    their share of errors is exact (Clopper and Pearson 1934). Each of the 20 levels may fail with a twentieth of the
    5 %, so the bounds hold together, whichever is chosen later.
    """
    confidence = probabilities.max(axis=1)  # (N,)
    wrong = probabilities.argmax(axis=1) != targets  # (N,)
    descending = np.sort(confidence)[::-1]  # (N,)
    levels: dict[float, Level] = {}
    for step in range(1, LEVELS + 1):
        kept = len(targets) * step // LEVELS
        threshold = float(np.nextafter(descending[kept], 1)) if kept < len(targets) else 0.0
        answered = confidence >= threshold  # (N,): above the surest that is left out
        count, errors = int(answered.sum()), int(wrong[answered].sum())
        if count:
            levels[threshold] = Level(threshold=threshold, answered=count, wrong=errors, bound=_bound(errors, count))
    return AbstentionTable(rows=len(targets), levels=tuple(levels.values()))


def _bound(wrong: int, answered: int) -> float:
    """Return the upper bound of the error rate, at a confidence of 1 - 5 % / 20."""
    tail = (1 - CONFIDENCE) / LEVELS
    return 1.0 if wrong == answered else float(betaincinv(wrong + 1, answered - wrong, 1 - tail))
