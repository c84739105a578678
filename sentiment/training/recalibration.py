"""A model's temperature and its table for abstaining, anew from labelled texts like those it will be asked about."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from sentiment.abstention import METRIC
from sentiment.bundle import Bundle
from sentiment.classifier import Classifier
from sentiment.errors import DataError
from sentiment.evaluation.abstention import abstention_table
from sentiment.evaluation.answers import answer
from sentiment.evaluation.calibration import fit_temperature
from sentiment.evaluation.metrics import evaluate
from sentiment.scoring.drift import METRIC as REFERENCE
from sentiment.scoring.drift import reference_of
from sentiment.training.dataset import LabelledTexts
from sentiment.training.golden import golden_predictions

MIN_ROWS = 50  # fewer say nothing of how sure a model may be


def recalibrated(bundle: Bundle, sets: Sequence[LabelledTexts]) -> Bundle:
    """The same network with another temperature, dev figures, abstention tables and reference, from these sets instead.

    Raises DataError for fewer than 50 rows, two sets of one name, and labels that `answer` refuses; TextError for
    a text that can't be read.
    """
    for part in sets:
        if len(part.texts) < MIN_ROWS:
            raise DataError(f"{part.name}: {len(part.texts)} rows; to calibrate takes {MIN_ROWS} or more")
    names = [part.name for part in sets]
    if len(set(names)) < len(names):
        raise DataError(f"two files have one name, by which the model tells them apart: {', '.join(names)}")
    plain = Classifier(replace(bundle, temperature=1.0))
    logits = []
    for part in sets:
        found = answer(plain, part.texts, part.labels)
        logits.append((torch.from_numpy(found.probabilities).log(), torch.from_numpy(found.true)))  # (N, C), (N,)
    warmed = replace(bundle, temperature=fit_temperature(logits))
    classifier = Classifier(warmed)
    figures, tables, kept = {}, {}, {}
    for part in sets:
        found = answer(classifier, part.texts, part.labels)
        figures[part.name] = evaluate(found)
        tables[part.name] = abstention_table(*found.over_all(classifier.labels)).model_dump(mode="json")
        kept[part.name] = reference_of(found.predictions)
    return replace(
        warmed,
        golden=golden_predictions(classifier),
        metrics={**bundle.metrics, "dev": figures, METRIC: tables, REFERENCE: kept},
        card=bundle.card + _section(warmed, sets),
    )


def _section(bundle: Bundle, sets: Sequence[LabelledTexts]) -> str:
    rows = ", ".join(f"{part.name} ({len(part.texts):,} rows)" for part in sets)
    return (
        f"\n## Calibrated anew\n\nThe temperature ({bundle.temperature:g}), the dev figures in metrics.json and the "
        f"table for abstaining are from {rows}, not from the sets above.\n"
    )
