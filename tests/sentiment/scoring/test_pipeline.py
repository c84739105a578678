from collections.abc import Iterator, Sequence

from sentiment.classifier import Classifier
from sentiment.scoring.formats.inputs import Chunk, JobOffset
from sentiment.scoring.formats.rows import FileOffset, Row, TextRowBatch
from sentiment.scoring.predict import pipeline
from sentiment.scoring.predict.engines import Pending
from sentiment.scoring.predict.pipeline import predict_chunks
from sentiment.scoring.predict.predict import answer


class Recording:
    """Answers when asked for a result, and remembers what it was given."""

    def __init__(self, classifier: Classifier, ahead: int) -> None:
        self.classifier = classifier
        self.ahead = ahead
        self.given: list[list[str]] = []

    def submit(self, texts: Sequence[str], *, sentences: bool = False) -> Pending:
        self.given.append(list(texts))
        return lambda: answer(self.classifier, texts, sentences=sentences)


def chunk_of(texts: list[object], faults: dict[int, str] | None = None) -> Chunk:
    rows = [Row(b"", {"text": text}, (faults or {}).get(index)) for index, text in enumerate(texts)]
    return Chunk(TextRowBatch(1, rows, ["text"], "text"), "in", JobOffset(len(texts), 0, FileOffset(1, 0)), 0.0)


def test_every_place_has_a_prediction_or_a_reason_and_equal_texts_are_answered_once(
    tiny_classifier: Classifier,
) -> None:
    engine = Recording(tiny_classifier, 0)
    texts: list[object] = ["", "good", None, "bad", "good", "\ud800", 5, "lost", "bad", ""]
    [found] = predict_chunks(iter([chunk_of(texts, {7: "is malformed"})]), engine)
    assert sorted(text for task in engine.given for text in task) == ["", "bad", "good", "\ud800"]
    assert list(found.predictions) == [1, 3, 4, 8]
    good, bad = tiny_classifier.predict(["good", "bad"])
    assert list(found.predictions.values()) == [good, bad, good, bad]
    assert found.reasons == {
        0: "is empty or blank",
        2: "has no text",
        5: "holds the lone surrogate U+D800 at character 0: it is not valid Unicode",
        6: "holds int, not text",
        7: "is malformed",
        9: "is empty or blank",
    }


def test_windows_are_handed_over_ahead_and_come_back_in_order(tiny_classifier: Classifier) -> None:
    engine = Recording(tiny_classifier, 2)
    asked: list[int] = []

    def chunks() -> Iterator[Chunk]:
        for number in range(5):
            asked.append(number)
            yield chunk_of([f"film {number}"])

    found = predict_chunks(chunks(), engine)
    first = next(found)
    assert asked == [0, 1, 2]
    assert [first.chunk.row_batch.texts, *(each.chunk.row_batch.texts for each in found)] == [
        [f"film {number}"] for number in range(5)
    ]


def test_a_window_is_cut_into_tasks_of_similar_lengths(tiny_classifier: Classifier) -> None:
    engine = Recording(tiny_classifier, 0)
    long = pipeline.TASK_CHARACTERS // 2
    texts: list[object] = ["a", "b" * long, "c " * (long // 2 + 1), "d" * 40, "e" * (2 * long + 5)]
    list(predict_chunks(iter([chunk_of(texts)]), engine))
    assert [[text[0] for text in task] for task in engine.given] == [["e"], ["c"], ["b", "d", "a"]]


def test_a_text_that_normalises_to_nothing_is_named_before_and_behind_an_empty_one(tiny_classifier: Classifier) -> None:
    answers = answer(tiny_classifier, ["&nbsp;", "good", "", "<br>", "\u200b"])
    [good] = tiny_classifier.predict(["good"])
    assert answers == ["is empty or blank", good, *["is empty or blank"] * 3]
