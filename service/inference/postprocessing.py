"""Check a request's texts, predict them, and apply the request's options to the predictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sentiment.abstention import UNCERTAIN, threshold_for
from sentiment.errors import ConfigError, TextError
from service.http import problems
from service.inference.model import Answer, Model
from service.schemas.base import FieldError, Options
from service.settings import ServiceSettings

if TYPE_CHECKING:
    from sentiment.classifier import AnyPrediction, Prediction
    from sentiment.explain import Sentence, SentenceView

Labelled = TypeVar("Labelled", "Prediction", "Sentence")
Pointer = Callable[[int], str]  # from a text's index to its JSON pointer


def check_count(texts: Sequence[object], limit: int, pointer: str) -> None:
    """Raise Problem, pointing to the list, for no texts or more than the limit."""
    if not 1 <= len(texts) <= limit:
        raise problems.invalid_field(pointer, f"holds {len(texts)} texts; 1 to {limit} are allowed")


def check(texts: Sequence[str], pointer: Pointer, settings: ServiceSettings) -> None:
    """Raise Problem for each text longer than the limit."""
    limit = settings.max_characters_per_text
    faults = [
        FieldError(pointer=pointer(index), detail=f"has {len(text)} characters; the limit is {limit}")
        for index, text in enumerate(texts)
        if len(text) > limit
    ]
    if faults:
        raise problems.invalid_request(faults)


def predict(
    model: Model,
    texts: Sequence[str],
    options: Options,
    settings: ServiceSettings,
    pointer: Pointer,
    *,
    sentences: bool = False,
    place: str = "",
) -> Answer:
    """Return the model's answer with the options applied; `place` is their JSON pointer. Raises Problem."""
    check(texts, pointer, settings)
    try:
        answer = model.predict(texts, sentences=sentences)
    except TextError as error:
        raise problems.invalid_field(pointer(error.index), error.reason) from None
    lowest = threshold(options, answer, f"{place}/abstain")
    apply = apply_options_to_views if sentences else apply_options
    predictions = apply(answer.predictions, pointer, strict=options.strict, threshold=lowest)
    model.record_metrics(answer.predictions)
    return Answer(answer.model, answer.task, answer.metrics, predictions)


def threshold(options: Options, answer: Answer, pointer: str) -> float:
    """Return the probability under which a label is `uncertain`: the higher one of `threshold` and `abstain`.

    Raises Problem, pointing to `abstain`, where the model that answered can't promise it, and to either where that
    model answers with a number.
    """
    if answer.task == "regression":
        asked = {pointer: options.abstain, pointer.replace("abstain", "threshold"): options.threshold}
        faults = [FieldError(pointer=place, detail=problems.NO_LABELS) for place, given in asked.items() if given]
        if faults:
            raise problems.invalid_request(faults)
        return 0.0
    if not options.abstain:
        return options.threshold
    try:
        return max(options.threshold, threshold_for(options.abstain, answer.metrics, answer.model["name"]))
    except ConfigError as error:
        reason = str(error).removeprefix("abstain: ")  # the pointer says it
        raise problems.invalid_field(pointer, f"can't be kept: {reason}") from None


def apply_options(
    predictions: Sequence[AnyPrediction], pointer: Pointer, *, strict: bool, threshold: float
) -> Sequence[AnyPrediction]:
    """Label predictions under the threshold `uncertain`. Raises Problem for truncated texts if strict."""
    if strict:
        faults = [
            FieldError(
                pointer=pointer(index), detail=f"is too long to be read in full: the limit is {found.tokens} tokens"
            )
            for index, found in enumerate(predictions)
            if found.truncated
        ]
        if faults:
            raise problems.invalid_request(faults)
    if not threshold:
        return predictions
    labelled = cast("Sequence[Prediction]", predictions)  # `threshold` gives none for other answers
    return [_labelled(found, threshold) for found in labelled]


def apply_options_to_views(
    views: Sequence[SentenceView], pointer: Pointer, *, strict: bool, threshold: float
) -> list[dict[str, Any]]:
    """Apply `apply_options` to views: each prediction with its sentences, and whether they are mixed."""
    predictions = apply_options([view.prediction for view in views], pointer, strict=strict, threshold=threshold)
    return [
        asdict(prediction)
        | {"sentences": [_labelled(sentence, threshold) for sentence in view.sentences], "mixed": view.mixed}
        for prediction, view in zip(predictions, views, strict=True)
    ]


def _labelled(found: Labelled, threshold: float) -> Labelled:
    return found if max(found.probabilities.values()) >= threshold else replace(found, label=UNCERTAIN)
