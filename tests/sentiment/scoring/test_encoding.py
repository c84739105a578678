import threading
from collections.abc import Iterator

import pytest

from sentiment.classifier import Classifier
from sentiment.scoring.encoding import encode_window, one_ahead
from sentiment.scoring.rows import Row, RowWindow


def window_of(texts: list[object], faults: dict[int, str]) -> RowWindow:
    rows = [Row(b"", {"text": text}, faults.get(place)) for place, text in enumerate(texts)]
    return RowWindow(1, rows, ["text"], "text")


def test_every_place_is_encoded_or_has_a_reason(tiny_classifier: Classifier) -> None:
    texts: list[object] = ["", "good", None, "bad", " \n", "\ud800", 5, "lost", "a film", "\x00"]
    window, encoded, reasons = encode_window(tiny_classifier, window_of(texts, {7: "is malformed"}))
    assert window.texts == texts
    assert list(encoded) == [1, 3, 8, 9]
    assert list(encoded.values()) == tiny_classifier.encode(["good", "bad", "a film", "\x00"])
    assert reasons == {
        0: "is empty or blank",
        2: "has no text",
        4: "is empty or blank",
        5: "holds the lone surrogate U+D800 at character 0: it is not valid Unicode",
        6: "holds int, not text",
        7: "is malformed",
    }


def test_a_window_of_nothing_sound(tiny_classifier: Classifier) -> None:
    _, encoded, reasons = encode_window(tiny_classifier, window_of(["", None, ""], {}))
    assert encoded == {}
    assert sorted(reasons) == [0, 1, 2]


def test_the_next_item_is_made_while_one_is_used_and_no_further() -> None:
    made = []
    second = threading.Event()

    def items() -> Iterator[int]:
        for item in range(4):
            made.append(item)
            if item == 1:
                second.set()
            yield item

    taken = one_ahead(items())
    assert next(taken) == 0
    assert second.wait(timeout=60)
    assert made == [0, 1]
    assert list(taken) == [1, 2, 3]


def test_what_goes_wrong_in_the_thread_reaches_the_caller() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    taken = one_ahead(items())
    assert next(taken) == 1
    with pytest.raises(ValueError, match="broken"):
        next(taken)
