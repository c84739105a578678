"""Measure how far the texts of a job are from those that its model was evaluated on.

A model carries in its metrics what it said of each dev set (training and calibration write it); the population
stability index says how far two such distributions are apart: Siddiqi, "Credit Risk Scorecards" (2006).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from sentiment.abstention import UNCERTAIN
from sentiment.classifier import AnyModel, AnyPrediction, EncodedText
from sentiment.config import Settings
from sentiment.scoring.statistics import CONFIDENCE_BINS, LENGTH_BINS, Tally

METRIC = "reference"
SOME, MUCH = 0.1, 0.25  # of the index: the customary bounds
QUANTILE = 1.645  # of the normal distribution, at 95 %

UNKNOWN = "keeps nothing of its dev data to compare with; a model fitted to your texts by `sentiment calibrate` does"
_MEANINGS = {
    "some": "the model's figures may be off a little here",
    "much": "the model was judged by other texts, so label some of these and see its figures (sentiment evaluate)",
}

Amount = Literal["little", "some", "much", "too few rows to tell"]
Rows = Annotated[int, Field(ge=0, strict=True)]


class DriftBaseline(Settings):
    """Counts of a model's answers to one dev set. A regression has no labels and no confidence: no names, zeros."""

    labels: dict[str, Rows]
    confidences: Annotated[tuple[Rows, ...], Field(min_length=CONFIDENCE_BINS, max_length=CONFIDENCE_BINS)]
    lengths: Annotated[tuple[Rows, ...], Field(min_length=LENGTH_BINS, max_length=LENGTH_BINS)]
    tokens: Rows
    unknown_tokens: Rows


@dataclass(frozen=True, slots=True)
class Drift:
    """The drift of a job's rows from a dev set, in one respect."""

    data: str  # the dev set
    of: Literal["lengths", "unknown tokens", "labels", "confidence"]
    index: float  # 0 where both are the same
    amount: Amount


def build_baseline(predictions: Iterable[AnyPrediction]) -> dict[str, Any]:
    """Return the `DriftBaseline` of a dev set, for the model's metrics."""
    tally = Tally()
    tally.add(predictions)
    return {name: getattr(tally, name) for name in DriftBaseline.model_fields}


def drift_baseline(model: AnyModel, sets: Mapping[str, Sequence[list[int]]]) -> dict[str, Any]:
    """Return the counts of each set's token ids and answers, in the form of a bundle's metrics."""
    kept = {}
    for name, token_ids in sets.items():
        predictions: Sequence[AnyPrediction] = model.classify([EncodedText(ids, truncated=False) for ids in token_ids])
        kept[name] = build_baseline(predictions)
    return {METRIC: kept}


def read_baselines(metrics: Mapping[str, Any]) -> dict[str, DriftBaseline]:
    """Return the model's baseline of each dev set, by its name; older models have none.

    Raises ConfigError for metrics that hold something else under this name.
    """
    return {name: DriftBaseline.of(found) for name, found in metrics.get(METRIC, {}).items()}


def drift(tally: Tally, baselines: Mapping[str, DriftBaseline]) -> list[Drift]:
    """Return the drift from each dev set in each respect, the set that is nearest first; none where nothing was scored.

    Labels are compared where the rows were given the model's own: under a threshold some are `uncertain`.
    """
    if not sum(tally.lengths):
        return []
    sets = [_drift_from(name, baseline, tally) for name, baseline in baselines.items()]
    return [each for found in sorted(sets, key=lambda found: max(each.index for each in found)) for each in found]


def meaning(found: Sequence[Drift]) -> str:
    """Return the meaning of the drift from the nearest dev set, in one sentence."""
    nearest = [each for each in found if each.data == found[0].data]
    for amount in ("much", "some"):
        respects = [each.of for each in nearest if each.amount == amount]
        if respects:
            what = f"{amount} drift in {', '.join(respects)} even from {nearest[0].data}, the nearest dev set"
            return f"{what[0].upper()}{what[1:]}: {_MEANINGS[amount]}."
    if any(each.amount != "little" for each in nearest):
        return "Too few rows to tell whether they are like the texts that the model was judged by."
    return f"Little drift from {nearest[0].data}: these texts look like those that the model was judged by."


def stability_index(counts: Sequence[int], baseline: Sequence[int]) -> float:
    """Return the population stability index of counts in the same bins."""
    total, total_baseline = max(sum(counts), 1), max(sum(baseline), 1)
    index = 0.0
    for count, expected in zip(counts, baseline, strict=True):
        if count or expected:
            # Half a row where there is none: a share of 0 has no logarithm.
            share, share_expected = max(count, 0.5) / total, max(expected, 0.5) / total_baseline
            index += (share - share_expected) * math.log(share / share_expected)
    return index


def chance_level(bins: int, rows: int, baseline_rows: int) -> float:
    """Return the 95th percentile of the index for samples of this size from the baseline's own distribution.

    Yurdakul and Naranjo, "Statistical properties of the population stability index" (2020): it is distributed as chi
    squared, times the sum of both sizes' inverses. The quantile is by Wilson and Hilferty's approximation (1931).
    """
    free = max(bins - 1, 1)
    quantile = free * (1 - 2 / (9 * free) + QUANTILE * math.sqrt(2 / (9 * free))) ** 3
    return quantile * (1 / max(rows, 1) + 1 / max(baseline_rows, 1))


def _drift_from(name: str, baseline: DriftBaseline, tally: Tally) -> list[Drift]:
    found = [
        _drift(name, "lengths", tally.lengths, baseline.lengths),
        _drift(name, "unknown tokens", _by_known(tally), _by_known(baseline), tally.lengths, baseline.lengths),
    ]
    if not baseline.labels:  # a model of numbers
        return found
    if UNCERTAIN not in tally.labels.keys() - baseline.labels.keys():
        labels = sorted(tally.labels.keys() | baseline.labels.keys())
        given, expected = ([counts.get(label, 0) for label in labels] for counts in (tally.labels, baseline.labels))
        found.append(_drift(name, "labels", given, expected))
    found.append(_drift(name, "confidence", tally.confidences, baseline.confidences))
    return found


def _by_known(counts: Tally | DriftBaseline) -> tuple[int, int]:
    return counts.tokens - counts.unknown_tokens, counts.unknown_tokens


def _drift(
    name: str,
    of: Literal["lengths", "unknown tokens", "labels", "confidence"],
    counts: Sequence[int],
    expected: Sequence[int],
    rows: Sequence[int] | None = None,  # where the counts are not of rows: those of a text are not independent
    expected_rows: Sequence[int] | None = None,
) -> Drift:
    index = stability_index(counts, expected)
    bins = sum(map(any, zip(counts, expected, strict=True)))
    if index < SOME:
        amount: Amount = "little"
    elif index < chance_level(bins, sum(rows or counts), sum(expected_rows or expected)):
        amount = "too few rows to tell"
    else:
        amount = "some" if index < MUCH else "much"
    return Drift(name, of, index, amount)
