"""Compute the golden predictions that are stored with a model and checked when it is loaded."""

from collections.abc import Sequence
from dataclasses import replace

from sentiment.bundle import Bundle
from sentiment.classifier import AnyModel, AnyPrediction, Classifier, Regressor, ValuePrediction

ENGLISH = (
    "Not bad at all.",
    "It's great, isn't it?",
    "I wanted to like it, but I didn't.",
    "AMAZING!!!! 😂😂 <br />thanks @you &amp; https://example.org :)",
    "The parcel arrived on Tuesday.",
    "`` Do n't bother '' -LRB- he said -RRB- .",
)
LENGTHS = (1, 7, 40, 300)


def golden_predictions(model: AnyModel) -> tuple[dict[str, object], ...]:
    """Return each text with its answer: plain English ones, and some of every length from the model's own words."""
    words = model.vocabulary.words
    own = tuple(" ".join(words[index * 7 % len(words)] for index in range(length)) for length in LENGTHS)
    texts = [*ENGLISH, *own]
    predictions: Sequence[AnyPrediction] = model.predict(texts)
    return tuple({"text": text} | _answer(found) for text, found in zip(texts, predictions, strict=True))


def _answer(prediction: AnyPrediction) -> dict[str, object]:
    if isinstance(prediction, ValuePrediction):
        return {"value": prediction.value}
    return {"label": prediction.label, "probabilities": prediction.probabilities}


def in_integers(bundle: Bundle) -> Bundle:
    """Return the bundle as training makes one today: its network in integers if it can be, and golden to match."""
    bundle = replace(bundle, model=bundle.model.quantized())
    model = Classifier(bundle) if bundle.task == "classification" else Regressor(bundle)
    return replace(bundle, golden=golden_predictions(model))
