"""Windows with their texts encoded, one ahead of whoever takes them."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from sentiment.classifier import Classifier, EncodedText
from sentiment.errors import TextError
from sentiment.scoring.rows import Window

T = TypeVar("T")


class EncodedWindow(NamedTuple):
    """A window's texts, encoded, by place; the reasons why the other places have none."""

    window: Window
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
    return EncodedWindow(window, encoded, reasons)


def one_ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """The same items; while one is used the next is made in a thread. To be closed before what the items come from."""
    done = object()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="sentiment-encode") as pool:
        future = pool.submit(next, items, done)
        while (item := future.result()) is not done:
            future = pool.submit(next, items, done)
            yield item  # type: ignore[misc]
