"""How sure a model is, how it leans and when it abstains, anew from labelled texts like what it will read."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

import torch

from sentiment.abstention import METRIC
from sentiment.bundle import Bundle
from sentiment.classifier import Classifier
from sentiment.errors import DataError
from sentiment.evaluation.abstention import abstention_table
from sentiment.evaluation.answers import answer
from sentiment.evaluation.calibration import fit_temperature_and_biases, held_logits
from sentiment.evaluation.metrics import evaluate
from sentiment.nn.model import SentimentModel
from sentiment.scoring.drift import METRIC as REFERENCE
from sentiment.scoring.drift import reference_of
from sentiment.training.dataset import LabelledTexts
from sentiment.training.golden import golden_predictions

MIN_ROWS = 50  # fewer say nothing of how sure a model may be


@dataclass(frozen=True, slots=True)
class Recalibrated:
    """A bundle with another temperature and other biases, and what it takes to tell what that changed."""

    bundle: Bundle
    biases: Mapping[str, float]  # what was added to each label's logit after the temperature
    accuracy_before: Mapping[str, float]  # of each set


def recalibrated(bundle: Bundle, sets: Sequence[LabelledTexts]) -> Recalibrated:
    """The network with the temperature, a bias a label, dev figures, abstention tables and reference of these sets.

    How common each label is there is learned, too: an answer changes where two labels are near each other. Raises
    DataError for fewer than 50 rows, two sets of one name, and labels that `answer` refuses; TextError for a text that
    can't be read.
    """
    for part in sets:
        if len(part.texts) < MIN_ROWS:
            raise DataError(f"{part.name}: {len(part.texts)} rows; to calibrate takes {MIN_ROWS} or more")
    names = [part.name for part in sets]
    if len(set(names)) < len(names):
        raise DataError(f"two files have one name, by which the model tells them apart: {', '.join(names)}")
    plain = Classifier(replace(bundle, temperature=1.0))
    logits, accuracy_before = [], {}
    for part in sets:
        found = answer(plain, part.texts, part.labels)
        probabilities, true = map(torch.from_numpy, found.over_all(plain.labels))  # (N, C), (N,)
        logits.append((held_logits(probabilities.log(), true), true))
        accuracy_before[part.name] = float(found.correct.mean())
    temperature, biases = fit_temperature_and_biases(logits)
    fitted = replace(bundle, model=_biased(bundle.model, temperature, biases), temperature=temperature)
    classifier = Classifier(fitted)
    figures, tables, kept = {}, {}, {}
    for part in sets:
        found = answer(classifier, part.texts, part.labels)
        figures[part.name] = evaluate(found)
        tables[part.name] = abstention_table(*found.over_all(classifier.labels)).model_dump(mode="json")
        kept[part.name] = reference_of(found.predictions)
    added = dict(zip(bundle.labels, biases, strict=True))
    judged = replace(
        fitted,
        golden=golden_predictions(classifier),
        metrics={**bundle.metrics, "dev": figures, METRIC: tables, REFERENCE: kept},
        card=bundle.card + _section(temperature, added, sets),
    )
    return Recalibrated(judged, added, accuracy_before)


def _biased(model: SentimentModel, temperature: float, biases: Sequence[float]) -> SentimentModel:
    """The model whose logits, divided by the temperature, are larger by so much: (C,)."""
    model = deepcopy(model)
    with torch.no_grad():
        model.classifier.bias.add_(temperature * torch.tensor(biases))  # (C,)
    return model


def _section(temperature: float, biases: Mapping[str, float], sets: Sequence[LabelledTexts]) -> str:
    rows = ", ".join(f"{part.name} ({len(part.texts):,} rows)" for part in sets)
    added = ", ".join(f"{bias:+g} for {label}" for label, bias in biases.items())
    return (
        f"\n## Calibrated anew\n\nThe temperature ({temperature:g}), what is added to the logits after it ({added}), "
        f"the dev figures in metrics.json and the table for abstaining are from {rows}, not from the sets above.\n"
    )
