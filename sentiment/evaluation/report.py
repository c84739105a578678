"""All that there is to know of a model's answers to labelled texts, put together for a page or a program."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_curve

from sentiment.abstention import METRIC, AbstentionTable
from sentiment.classifier import Classifier
from sentiment.evaluation.answers import Answers, Floats
from sentiment.evaluation.calibration import ECE_BINS, ConfidenceBin, reliability
from sentiment.evaluation.groups import Group, by_column, by_length, by_unknown_share
from sentiment.evaluation.intervals import CONFIDENCE, RESAMPLES, SEED, Estimate, resampled, share
from sentiment.evaluation.metrics import evaluate
from sentiment.explain.attribution import Explanation, explain

FIGURES = ("accuracy", "macro_f1", "macro_recall", "ece", "ece_before")
PROMISES = (0.02, 0.05, 0.1, 0.2)
CURVE_POINTS = 200
COVERAGES = 50
WORST = 20


@dataclass(frozen=True, slots=True)
class Curve:
    """Precision against recall of one label, as the probability that it takes falls; the mean of precision over it."""

    average_precision: float
    precision: tuple[float, ...]
    recall: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """The surest answers: the least confidence among them, and how many of them are right."""

    threshold: float
    answered: float  # share of all texts
    accuracy: Estimate


@dataclass(frozen=True, slots=True)
class Promise:
    """The outcome on these texts of a promise of the model's own table."""

    promise: float
    threshold: float
    answered: float  # share of all texts
    wrong: Estimate | None  # share of these; None where none was answered


@dataclass(frozen=True, slots=True)
class WorstError:
    """A text that the model is sure of and wrong about; `row` is its number in its file, from 1."""

    row: int
    label: str
    predicted: str
    probability: float
    text: str
    explanation: Explanation


@dataclass(frozen=True)
class Report:
    """The result of `report`; "before" is with a temperature of 1."""

    model: str
    version: str
    data: str
    temperature: float
    figures: dict[str, Any]  # of evaluate()
    intervals: dict[str, Estimate]  # of FIGURES
    honest_ece: Estimate  # of a model that is right exactly as often as it is sure: no smaller one can be expected
    log_loss: float
    log_loss_before: float
    reliability: tuple[ConfidenceBin, ...]
    reliability_before: tuple[ConfidenceBin, ...]
    curves: dict[str, Curve]  # by label
    curves_before: dict[str, Curve]
    coverage: tuple[Coverage, ...]
    promises: tuple[Promise, ...]  # none of a model without a table
    by_length: tuple[Group, ...]
    by_unknown_share: tuple[Group, ...]
    slices: dict[str, tuple[Group, ...]]  # by column
    errors: tuple[WorstError, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return dicts, lists, strings and numbers only, for JSON. Of the errors, their rows."""
        found = asdict(self)
        for error in found["errors"]:
            del error["text"], error["explanation"]
        return {**found.pop("figures"), **found}


def report(
    classifier: Classifier, answers: Answers, data: str, columns: Mapping[str, Sequence[str]] | None = None
) -> Report:
    """Return the report of the classifier's answers to the texts of `data`, in slices of each of `columns`, too.

    Raises DataError for fewer than two texts.
    """
    before = answers.at_temperature(1 / classifier.temperature)  # (N, C)
    return Report(
        model=classifier.name,
        version=classifier.version,
        data=data,
        temperature=classifier.temperature,
        figures=evaluate(answers),
        intervals=_intervals(answers, before),
        honest_ece=_honest_ece(answers),
        log_loss=_log_loss(answers, answers.probabilities),
        log_loss_before=_log_loss(answers, before),
        reliability=tuple(reliability(answers.probabilities, answers.true)),
        reliability_before=tuple(reliability(before, answers.true)),
        curves=_curves(answers, answers.probabilities),
        curves_before=_curves(answers, before),
        coverage=_coverage(classifier, answers),
        promises=_promises(classifier, answers),
        by_length=by_length(answers),
        by_unknown_share=by_unknown_share(answers),
        slices={column: by_column(answers, values) for column, values in (columns or {}).items()},
        errors=_worst(classifier, answers),
    )


def _intervals(answers: Answers, before: Floats) -> dict[str, Estimate]:
    classes = len(answers.labels)
    cells = answers.true * classes + answers.predicted  # (N,), of the confusion matrix
    gaps = [_gaps(probabilities, answers) for probabilities in (answers.probabilities, before)]

    def statistic(rows: np.ndarray) -> np.ndarray:
        confusion = np.bincount(cells[rows], minlength=classes**2).reshape(classes, classes)
        hits, true_sum, pred_sum = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
        recall, f1 = hits / np.maximum(true_sum, 1), 2 * hits / np.maximum(true_sum + pred_sum, 1)
        there = true_sum > 0  # a rare label may be missing from a resample
        errors = [
            np.abs(np.bincount(bins[rows], weights=gap[rows], minlength=ECE_BINS)).sum() / len(rows)
            for bins, gap in gaps
        ]
        return np.array([hits.sum() / len(rows), f1[there].mean(), recall[there].mean(), *errors])

    return dict(zip(FIGURES, resampled(statistic, len(answers.true)), strict=True))


def _gaps(probabilities: Floats, answers: Answers) -> tuple[np.ndarray, np.ndarray]:
    """Return the bin of each answer and its confidence, minus 1 if it is right: (N,), (N,)."""
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == answers.true
    return np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1), confidence - correct


def _honest_ece(answers: Answers) -> Estimate:
    """Return the calibration error of answers right by chance as often as they say: with few texts it is not 0."""
    confidence = answers.confidence
    bins, _ = _gaps(answers.probabilities, answers)
    rng = np.random.default_rng(SEED)
    found = [
        np.abs(np.bincount(bins, weights=confidence - (rng.random(len(bins)) < confidence))).sum() / len(bins)
        for _ in range(RESAMPLES)
    ]
    low, high = np.quantile(found, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(float(np.mean(found)), float(low), float(high))


def _log_loss(answers: Answers, probabilities: Floats) -> float:
    taken = np.take_along_axis(probabilities, answers.true[:, None], axis=1)  # (N, 1)
    return float(-np.log(np.maximum(taken, np.finfo(float).tiny)).mean())


def _curves(answers: Answers, probabilities: Floats) -> dict[str, Curve]:
    curves = {}
    for place, label in enumerate(answers.labels):
        precision, recall, _ = precision_recall_curve(answers.true == place, probabilities[:, place])
        kept = np.unique(np.linspace(0, len(recall) - 1, CURVE_POINTS).astype(int))
        average = average_precision_score(answers.true == place, probabilities[:, place])
        curves[label] = Curve(float(average), tuple(precision[kept].tolist()), tuple(recall[kept].tolist()))
    return curves


def _coverage(classifier: Classifier, answers: Answers) -> tuple[Coverage, ...]:
    probabilities, true = answers.over_all(classifier.labels)
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == true  # (N,)
    order = np.argsort(-confidence, kind="stable")
    right = np.cumsum(correct[order])
    counts = np.unique(np.ceil(np.linspace(0, len(true), COVERAGES + 1)[1:]).astype(int))
    return tuple(
        Coverage(float(confidence[order[count - 1]]), count / len(true), share(int(right[count - 1]), int(count)))
        for count in counts
    )


def _promises(classifier: Classifier, answers: Answers) -> tuple[Promise, ...]:
    tables = [AbstentionTable.of(table) for table in classifier.metrics.get(METRIC, {}).values()]
    probabilities, true = answers.over_all(classifier.labels)
    confidence, wrong = probabilities.max(axis=1), probabilities.argmax(axis=1) != true  # (N,)
    kept = []
    for promise in PROMISES:
        thresholds = [table.threshold(promise) for table in tables]
        known = [threshold for threshold in thresholds if threshold is not None]
        if not tables or len(known) < len(tables):
            continue
        answered = confidence >= max(known)  # (N,)
        count = int(answered.sum())
        errors = share(int(wrong[answered].sum()), count) if count else None
        kept.append(Promise(promise, max(known), count / len(true), errors))
    return tuple(kept)


def _worst(classifier: Classifier, answers: Answers) -> tuple[WorstError, ...]:
    wrong = np.flatnonzero(~answers.correct)
    rows = [int(row) for row in wrong[np.argsort(-answers.confidence[wrong], kind="stable")][:WORST]]
    explanations = explain(classifier, [answers.texts[row] for row in rows])
    return tuple(
        WorstError(
            answers.row(row),
            answers.labels[answers.true[row]],
            answers.labels[answers.predicted[row]],
            float(answers.confidence[row]),
            answers.texts[row],
            explanation,
        )
        for row, explanation in zip(rows, explanations, strict=True)
    )
