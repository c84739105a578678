"""Fit temperature, label biases and abstention table of a model to labelled texts of another kind."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from sentiment.abstention import METRIC
from sentiment.bundle import Bundle
from sentiment.classifier import Classifier, check_task
from sentiment.errors import DataError
from sentiment.evaluation.abstention import abstention_table
from sentiment.evaluation.answers import answer
from sentiment.evaluation.calibration import Calibration, LabelledLogits, fit_calibration, held_out_probabilities
from sentiment.evaluation.metrics import figures
from sentiment.nn.model import SentimentModel
from sentiment.scoring.drift import METRIC as DRIFT_METRIC
from sentiment.scoring.drift import build_baseline
from sentiment.training.data.dataset import LabelledTexts
from sentiment.training.golden import golden_predictions

MIN_ROWS = 50  # fewer say nothing of how sure a model may be
BIASES = "biases"  # in metrics.json: what was added to each label's logit, so that it can be taken away again
HEADING = "\n## Calibrated anew\n"


@dataclass(frozen=True, slots=True)
class Recalibrated:
    """A recalibrated bundle, with its biases and the accuracy before."""

    bundle: Bundle
    biases: Mapping[str, float]  # what is added to each label's logit after the temperature
    accuracy_before: Mapping[str, float]  # of each set


def recalibrate(bundle: Bundle, sets: Sequence[LabelledTexts]) -> Recalibrated:
    """Return the network with temperature, biases, dev figures, abstention tables and drift baseline of these sets.

    The frequency of each label is learned too, so labels change. The figures and the tables are of rows that
    the fit behind them did not see. Biases of an earlier call are removed first. Raises DataError for fewer than 50
    rows, two sets of one name, and labels that `answer` refuses; ConfigError for a model of numbers; TextError for a
    text that can't be read.
    """
    for part in sets:
        if len(part.texts) < MIN_ROWS:
            raise DataError(f"{part.name}: {len(part.texts)} rows; calibration needs {MIN_ROWS} or more")
    names = [part.name for part in sets]
    if len(set(names)) < len(names):
        raise DataError(f"two files have one name, by which the model tells them apart: {', '.join(names)}")
    check_task(bundle, "classification")
    added = bundle.metrics.get(BIASES, {})
    before = Calibration(bundle.temperature, tuple(added.get(label, 0.0) for label in bundle.labels))
    uncalibrated = replace(bundle, model=_shift_biases(bundle.model, before, -1), temperature=1.0)
    classifier_before = Classifier(uncalibrated)
    logits = [_logits(classifier_before, part) for part in sets]
    found = fit_calibration(logits)
    fitted = replace(uncalibrated, model=_shift_biases(uncalibrated.model, found, 1), temperature=found.temperature)
    classifier = Classifier(fitted)
    accuracy_before, dev, tables, kept = {}, {}, {}, {}
    for part, (own, true), held_out in zip(sets, logits, held_out_probabilities(logits), strict=True):
        accuracy_before[part.name] = figures(before.probabilities(own), true, bundle.labels)["accuracy"]
        dev[part.name] = figures(held_out, true, bundle.labels)
        tables[part.name] = abstention_table(held_out.numpy(), true.numpy()).model_dump(mode="json")
        kept[part.name] = build_baseline(classifier.predict(part.texts))
    biases = dict(zip(bundle.labels, found.biases, strict=True))
    new_bundle = replace(
        fitted,
        golden=golden_predictions(classifier),
        metrics={**bundle.metrics, "dev": dev, METRIC: tables, DRIFT_METRIC: kept, BIASES: biases},
        card=bundle.card.partition(HEADING)[0] + _card_section(found.temperature, biases, sets),
    )
    return Recalibrated(new_bundle, biases, accuracy_before)


def _logits(classifier: Classifier, part: LabelledTexts) -> LabelledLogits:
    """Return each text's logits at temperature 1 up to a constant a row, (N, C), and its label (N,)."""
    probabilities, true = answer(classifier, part.texts, part.labels, part.origins).over_all(classifier.labels)
    return torch.from_numpy(probabilities).clamp_min(torch.finfo(torch.double).tiny).log(), torch.from_numpy(true)


def _shift_biases(model: SentimentModel, calibration: Calibration, sign: int) -> SentimentModel:
    """Return the model with the calibration's biases added to its logits, or with `sign` -1 subtracted."""
    model = deepcopy(model)
    biases: Tensor = torch.tensor(calibration.biases)  # (C,)
    with torch.no_grad():
        model.classifier.bias.add_(sign * calibration.temperature * biases)  # (C,): the logits are still to be divided
    return model


def _card_section(temperature: float, biases: Mapping[str, float], sets: Sequence[LabelledTexts]) -> str:
    rows = ", ".join(f"{part.name} ({len(part.texts):,} rows)" for part in sets)
    added = ", ".join(f"{bias:+g} for {label}" for label, bias in biases.items())
    return (
        f"{HEADING}\nThe figures above are of the model before this. Fitted to {rows}: the temperature "
        f"({temperature:g}), and what is added to the logits after it ({added}). The dev figures in metrics.json and "
        "the table for abstaining are of each fifth of these rows as a fit to the other four answers it.\n"
    )
