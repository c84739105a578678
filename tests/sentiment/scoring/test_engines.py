import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from sentiment.classifier import Classifier
from sentiment.scoring.errors import EngineError
from sentiment.scoring.predict.engines import LocalEngine, ProcessEngine
from sentiment.scoring.predict.predict import answer

TEXTS = ["good", "", "\ud800", "a film", "bad " * 50, "\ud801"]


@pytest.fixture(scope="module")
def engine(tiny_bundle: Path, tiny_classifier: Classifier) -> Iterator[ProcessEngine]:
    engine = ProcessEngine(tiny_bundle, tiny_classifier.version, 2)
    yield engine
    engine.close()


def test_other_processes_answer_as_this_one(engine: ProcessEngine, tiny_classifier: Classifier) -> None:
    waiting = [engine.submit(TEXTS[:count]) for count in range(1, len(TEXTS) + 1)]
    for count, pending in enumerate(waiting, 1):
        assert pending() == answer(tiny_classifier, TEXTS[:count])
    assert engine.numeric_environment == LocalEngine(tiny_classifier).numeric_environment


def test_the_others_keep_few_of_onednn_s_kernels(engine: ProcessEngine) -> None:
    name = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
    assert engine._pool.submit(os.getenv, name).result() == os.environ.get(name, "128")


def test_a_process_that_dies_ends_the_job_in_words(engine: ProcessEngine) -> None:
    engine.submit(["good"])()
    os.kill(next(iter(engine._pool._processes)), signal.SIGKILL)
    with pytest.raises(EngineError) as caught:
        while True:
            engine.submit(["good"])()
    goes_on = "no row is lost: the same command resumes"
    assert str(caught.value) == f"a process that holds the model died; {goes_on}"
