"""Predict texts one by one, so that one that fails costs the others nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from sentiment.classifier import AnyModel, AnyPrediction, Classifier, EncodedText, Prediction
from sentiment.explain.sentences import SplitText
from sentiment.text.inputs import read_each

ReadT = TypeVar("ReadT", EncodedText, SplitText)

Answer = AnyPrediction | str  # or why there is none


@dataclass(frozen=True, slots=True)
class PredictionBySentence(Prediction):
    """A `Prediction` with a prediction of each sentence: see sentiment/explain/sentences.py."""

    sentences: list[dict[str, Any]]  # `start` and `end` in code points, `label` and `probabilities`
    mixed: bool  # one is clearly positive, and one clearly negative


def answer(model: AnyModel, texts: Sequence[str], *, sentences: bool = False) -> list[Answer]:
    """Return a prediction for each text, or why there is none: one that fails costs the others nothing.

    With `sentences`, for a model of labels, each is a PredictionBySentence.
    """
    if not sentences:
        return _answer_each(texts, model.encode, model.classify)
    assert isinstance(model, Classifier)
    return _answer_each(texts, model.split_sentences, partial(_by_sentence, model))


def _by_sentence(model: Classifier, texts: Sequence[SplitText]) -> list[PredictionBySentence]:
    predictions = iter(model.classify([part for text in texts for part in text.parts]))
    views = [text.view(list(islice(predictions, len(text.parts)))) for text in texts]
    return [
        PredictionBySentence(
            **_fields(view.prediction), sentences=[_fields(each) for each in view.sentences], mixed=view.mixed
        )
        for view in views
    ]


def _fields(value: Any) -> dict[str, Any]:
    """Return the fields of a dataclass. `asdict` takes longer than the network, as it copies the values."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _answer_each(
    texts: Sequence[str],
    read: Callable[[Sequence[str]], Sequence[ReadT]],
    predict: Callable[[Sequence[ReadT]], Sequence[AnyPrediction]],
) -> list[Answer]:
    found = read_each(texts, read)
    predictions = iter(_predict_each([text for text in found if not isinstance(text, str)], predict))
    return [text if isinstance(text, str) else next(predictions) for text in found]


def _predict_each(
    found: Sequence[ReadT], predict: Callable[[Sequence[ReadT]], Sequence[AnyPrediction]]
) -> list[Answer]:
    try:
        return list(predict(found))
    except (RuntimeError, ValueError, IndexError) as error:
        if len(found) == 1:
            return [f"makes the model fail: {type(error).__name__}: {str(error).splitlines()[0]:.200}"]
        return [each for text in found for each in _predict_each([text], predict)]
