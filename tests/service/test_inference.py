import pytest

from sentiment.classifier import Classifier
from sentiment.errors import TextError
from service.batcher import Batcher
from service.inference import Inference


@pytest.fixture
def inference(tiny_classifier: Classifier) -> Inference:
    return Inference(tiny_classifier, Batcher(max_batch_tokens=64, max_waiting_texts=64))


def test_the_answer_is_the_librarys(inference: Inference, tiny_classifier: Classifier) -> None:
    texts = ["a great film", "not good at all :)", "bad"]
    answer = inference.predict(texts)
    assert (answer.model.name, answer.model.version) == ("tiny", tiny_classifier.version)
    assert answer.predictions == tiny_classifier.predict(texts)


def test_a_text_that_cant_be_read_is_named(inference: Inference) -> None:
    with pytest.raises(TextError, match=r"^text 1: is empty or blank$"):
        inference.predict(["good", " "])


def test_no_texts_have_no_answers(inference: Inference) -> None:
    assert inference.predict([]).predictions == []
