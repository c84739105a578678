"""The texts of a window encoded, those aside that can't be."""

from typing import NamedTuple

from sentiment.classifier import Classifier, EncodedText
from sentiment.errors import TextError
from sentiment.scoring.rows import Window


class EncodedWindow(NamedTuple):
    """A window's texts, encoded, by place; the reasons why the other places have none."""

    texts: dict[int, EncodedText]
    reasons: dict[int, str]


def encode_window(classifier: Classifier, window: Window) -> EncodedWindow:
    """The window with each text encoded that can be."""
    reasons = dict(window.faults)
    encoded: dict[int, EncodedText] = {}
    texts: dict[int, str] = {}
    for place, text in enumerate(window.texts):
        if place in reasons:
            continue
        if isinstance(text, str):
            texts[place] = text
        else:
            reasons[place] = "has no text" if text is None else f"holds {type(text).__name__}, not text"
    places = list(texts)
    while places:
        try:
            encoded |= zip(places, classifier.encode([texts[place] for place in places]), strict=True)
            break
        except TextError as error:
            # Those before the one refused are sound; those after it are still to be looked at.
            sound, refused = places[: error.index], places[error.index]
            encoded |= zip(sound, classifier.encode([texts[place] for place in sound]), strict=True)
            reasons[refused] = error.reason
            places = places[error.index + 1 :]
    return EncodedWindow(encoded, reasons)
