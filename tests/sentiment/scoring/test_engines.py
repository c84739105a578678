import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from sentiment.classifier import Classifier, EncodedText, Prediction
from sentiment.scoring.engines import LocalEngine, ProcessEngine, answer
from sentiment.scoring.errors import EngineError

TEXTS = ["good", "", "\ud800", "a film", "bad " * 50, "\ud801"]
REASONS = {
    1: "is empty or blank",
    2: "holds the lone surrogate U+D800 at character 0: it is not valid Unicode",
    5: "holds the lone surrogate U+D801 at character 0: it is not valid Unicode",
}


def test_each_text_has_a_prediction_or_a_reason(tiny_classifier: Classifier) -> None:
    answers = answer(tiny_classifier, TEXTS)
    assert {place: each for place, each in enumerate(answers) if isinstance(each, str)} == REASONS
    assert [answers[place] for place in (0, 3, 4)] == tiny_classifier.predict([TEXTS[0], TEXTS[3], TEXTS[4]])
    assert answer(tiny_classifier, []) == []
    assert LocalEngine(tiny_classifier).submit(TEXTS).result() == answers


def test_a_text_that_makes_the_model_fail_fails_alone(
    tiny_classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [*tiny_classifier.predict(["good"]), *tiny_classifier.predict(["a film"])]
    classify = Classifier.classify

    def fail(self: Classifier, encoded: list[EncodedText]) -> list[Prediction]:
        if any(len(text.token_ids) == 50 for text in encoded):
            raise RuntimeError("could not create a primitive\nand so on")
        return classify(self, encoded)

    monkeypatch.setattr(Classifier, "classify", fail)
    answers = answer(tiny_classifier, TEXTS)
    assert answers[4] == "makes the model fail: RuntimeError: could not create a primitive"
    assert [answers[0], answers[3]] == expected


@pytest.fixture(scope="module")
def engine(tiny_bundle: Path, tiny_classifier: Classifier) -> Iterator[ProcessEngine]:
    engine = ProcessEngine(tiny_bundle, tiny_classifier.version, 2)
    yield engine
    engine.close()


def test_other_processes_answer_as_this_one(engine: ProcessEngine, tiny_classifier: Classifier) -> None:
    waiting = [engine.submit(TEXTS[:count]) for count in range(1, len(TEXTS) + 1)]
    for count, pending in enumerate(waiting, 1):
        assert pending.result() == answer(tiny_classifier, TEXTS[:count])
    assert engine.arithmetic == LocalEngine(tiny_classifier).arithmetic


def test_a_process_that_dies_ends_the_job_in_words(engine: ProcessEngine) -> None:
    engine.submit(["good"]).result()
    os.kill(next(iter(engine._pool._processes)), signal.SIGKILL)
    with pytest.raises(EngineError) as caught:
        while True:
            engine.submit(["good"]).result()
    goes_on = "no row is lost: the same command goes on from what is done"
    assert str(caught.value) == f"a process that holds the model died; {goes_on}"
