from sentiment.classifier import Classifier
from sentiment.scoring.encoding import encode_window
from sentiment.scoring.rows import Row, RowWindow


def window_of(texts: list[object], faults: dict[int, str]) -> RowWindow:
    rows = [Row(b"", {"text": text}, faults.get(place)) for place, text in enumerate(texts)]
    return RowWindow(1, rows, ["text"], "text")


def test_every_place_is_encoded_or_has_a_reason(tiny_classifier: Classifier) -> None:
    texts: list[object] = ["", "good", None, "bad", " \n", "\ud800", 5, "lost", "a film", "\x00"]
    encoded, reasons = encode_window(tiny_classifier, window_of(texts, {7: "is malformed"}))
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
    encoded, reasons = encode_window(tiny_classifier, window_of(["", None, ""], {}))
    assert encoded == {}
    assert sorted(reasons) == [0, 1, 2]
