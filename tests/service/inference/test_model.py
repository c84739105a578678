import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import patch

import pytest

from sentiment.classifier import Classifier, EncodedText, Prediction
from sentiment.errors import TextError
from service.errors import DeadlinePassed, Overloaded, TextFailed
from service.inference.batcher import Batcher
from service.inference.model import Model
from tests.service.conftest import WAIT_SECONDS


@pytest.fixture
def model(tiny_classifier: Classifier) -> Model:
    return Model("default", tiny_classifier, Batcher(max_batch_tokens=64, max_waiting_texts=64))


def test_no_texts_have_no_answers(model: Model) -> None:
    assert model.predict([]).predictions == []


def test_what_is_long_is_encoded_in_slices_of_so_many_characters(
    model: Model,
) -> None:
    texts = ["good " * 1000, "bad", "film " * 700, "a " * 10_000, "not good"]
    assert [len(text) for text in texts] == [5_000, 3, 3_500, 20_000, 8]
    with patch.object(Classifier, "encode", autospec=True, side_effect=Classifier.encode) as encode:
        answer = model.predict(texts)
        assert [len(call.args[1]) for call in encode.call_args_list] == [2, 1, 1, 1]
        assert [found.tokens for found in answer.predictions] == [1000, 1, 700, 4096, 2]
        with pytest.raises(TextError, match=r"^text 4: is empty or blank$"):
            model.predict([*texts[:4], " "])
        encode.reset_mock()
        model.predict(["good " * 1000, "bad"])
        assert encode.call_count == 1


def test_texts_that_are_being_encoded_wait_already(model: Model, tiny_classifier: Classifier) -> None:
    encoding, go_on = threading.Event(), threading.Event()

    def encode(classifier: Classifier, texts: Sequence[str]) -> list[EncodedText]:
        encoding.set()
        assert go_on.wait(WAIT_SECONDS)
        return [EncodedText([1], False) for _ in texts]

    with patch.object(Classifier, "encode", autospec=True, side_effect=encode), ThreadPoolExecutor(1) as threads:
        first = threads.submit(model.predict, ["good"] * 60)
        assert encoding.wait(WAIT_SECONDS)
        with pytest.raises(Overloaded, match="^60 texts are waiting; the limit is 64$"):
            model.predict(["bad"] * 5)
        with pytest.raises(Overloaded, match="^60 texts are waiting; the limit is 64$"):
            model.predict(["bad"] * 5, sentences=True)
        go_on.set()
        assert len(first.result().predictions) == 60
    assert len(model.predict(["bad"] * 5).predictions) == 5


def test_what_is_late_is_not_encoded_to_its_end(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("service.inference.model.time.monotonic", lambda: now)

    def encode(_: Classifier, texts: Sequence[str]) -> list[EncodedText]:
        nonlocal now
        now += 1.0
        return [EncodedText([1], False) for _ in texts]

    with (
        patch.object(Classifier, "encode", autospec=True, side_effect=encode) as encoded,
        pytest.raises(DeadlinePassed),
    ):
        model.predict(["good " * 2000] * 10, deadline=102.5)
    assert encoded.call_count == 3


def test_many_sentences_are_asked_for_in_parts(tiny_classifier: Classifier) -> None:
    model = Model("default", tiny_classifier, Batcher(max_batch_tokens=64, max_waiting_texts=600))
    texts = ["Good film. It was bad! Okay.", "great", "Bad. " * 40] * 20
    answer = model.predict(texts, sentences=True)
    assert answer.model == {"name": "tiny", "version": tiny_classifier.version}
    for view, expected in zip(answer.predictions, tiny_classifier.read_sentences(texts), strict=True):
        assert view.prediction.probabilities == expected.prediction.probabilities
        assert [(one.start, one.end, one.label) for one in view.sentences] == [
            (one.start, one.end, one.label) for one in expected.sentences
        ]
    with pytest.raises(TextError, match=r"^text 17: is empty or blank$"):
        model.predict(["good"] * 17 + [" "], sentences=True)


def test_a_sentence_that_fails_is_its_texts_fault(tiny_classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = tiny_classifier.vocabulary.encode(["bad", "."])

    def classify(encoded: Sequence[EncodedText]) -> list[Prediction]:
        if any(text.token_ids == bad for text in encoded):
            raise RuntimeError
        return Classifier.classify(tiny_classifier, encoded)

    monkeypatch.setattr(tiny_classifier, "classify", classify)
    model = Model("default", tiny_classifier, Batcher(max_batch_tokens=64, max_waiting_texts=64))
    with pytest.raises(TextFailed, match="text 2 can't be computed"):
        model.predict(["Good. Okay.", "great", "Good. Bad.", "good"], sentences=True)
