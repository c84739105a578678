"""Choose the threshold below which a model abstains, to keep a promised error rate.

The table of a model is made from dev data (evaluation/abstention.py) and is in its metrics.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from sentiment.config import Count, Settings
from sentiment.errors import ConfigError

METRIC = "abstention"
UNCERTAIN = "uncertain"  # the label of a text on which the model abstains
Share = Annotated[float, Field(ge=0, le=1)]


class Level(Settings):
    """Answers to dev texts with at least this confidence, and how many of them were wrong."""

    threshold: Share
    answered: Count
    wrong: Annotated[int, Field(ge=0)]
    bound: Share  # upper bound of the error rate on unseen texts


class AbstentionTable(Settings):
    """The levels of one dev set. All their bounds hold together, with 95 % confidence."""

    rows: Count
    levels: Annotated[tuple[Level, ...], Field(min_length=1)]

    def threshold(self, promise: float) -> float | None:
        """Return the lowest threshold that keeps the promise, or None."""
        return min((level.threshold for level in self.levels if level.bound <= promise), default=None)

    @property
    def least(self) -> float:
        """Return the smallest error rate that can be promised."""
        return min(level.bound for level in self.levels)


def threshold_for(promise: float, metrics: Mapping[str, Any], model: str) -> float:
    """Return the confidence below which the model must abstain, to keep its error rate at most `promise`.

    The promise holds for texts like those of each dev set in the model's `metrics`. Raises ConfigError for a model
    without a table, and for a promise that its dev data can't support.
    """
    if not 0 < promise < 1:
        raise ConfigError(f"abstain: a share of wrong answers between 0 and 1, as in 0.05, not {promise}")
    tables = {name: AbstentionTable.of(table) for name, table in metrics.get(METRIC, {}).items()}
    if not tables:
        raise ConfigError(
            f"abstain: the model {model!r} has no table of its errors on dev data; `sentiment calibrate` fits it "
            "to labelled texts of yours and writes it with one"
        )
    thresholds = []
    for name, table in tables.items():
        threshold = table.threshold(promise)
        if threshold is None:
            raise ConfigError(
                f"abstain: the {table.rows:,} rows of {name} support no promise under {_rounded_up(table.least)}, and "
                f"{promise:g} is asked for; ask for more, or give `sentiment calibrate` more rows like your own"
            )
        thresholds.append(threshold)
    return max(thresholds)


def _rounded_up(share: float) -> str:
    return f"{-(-share * 1000 // 1) / 1000:.3f}"
