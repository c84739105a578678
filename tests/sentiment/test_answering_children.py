"""A model that has answered here answers in the children of this process, however they are started."""

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy

from sentiment import bundle as bundles
from sentiment import load
from sentiment.bundle import Bundle
from sentiment.text.splitter import Splitter

TIMEOUT_SECONDS = 300
PROGRAM = Path(__file__).with_name("answering_children.py")
TEXTS = ["A great film.", "The film was not good!", "It is okay :)", "zyzzyva"]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_every_kind_of_child_answers(tiny_bundle: Path, method: str) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, PROGRAM, method, tiny_bundle],
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert found["threads"] == 2
    expected, *others = found["here"]
    assert others == [expected] * 2
    assert len(set(expected)) > 1
    assert found["pool"] == found["spaCy"] == found["DataLoader"] == found.get("joblib", expected) == expected
    assert found["estimator"] == found["estimator here"]


def test_a_fork_answers_whatever_a_thread_of_its_parent_is_splitting() -> None:
    splitter = Splitter("en", 2)
    splitter.warm(["wonderful"])
    splitting, done = threading.Event(), threading.Event()

    def split() -> None:
        with splitter.memory_zone():
            splitter.split("half a text")
            splitting.set()
            done.wait(TIMEOUT_SECONDS)

    thread = threading.Thread(target=split)
    thread.start()
    assert splitting.wait(TIMEOUT_SECONDS)
    child = os.fork()
    if child == 0:
        signal.alarm(TIMEOUT_SECONDS)
        with splitter.memory_zone():
            os._exit(0 if splitter.split("it's another text") == ["it", "'s", "another", "text"] else 1)
    status = os.waitpid(child, 0)[1]
    done.set()
    thread.join()
    assert status == 0


@pytest.mark.parametrize(
    "settings",
    [{}, {"quantized": False}, {"encoder": "bow"}, {"task": "regression"}],
    ids=["integers", "float", "bow", "regressor"],
)
def test_a_pickle_holds_the_model_whatever_becomes_of_its_folder(
    tmp_path: Path, make_bundle: Callable[..., Bundle], dtype: str, settings: dict[str, Any]
) -> None:
    bundles.save(make_bundle(**settings), tmp_path / "model")
    classifier = load(tmp_path / "model", dtype=dtype, task=None)
    shutil.rmtree(tmp_path / "model")
    expected = classifier.predict(TEXTS)
    content = pickle.dumps(classifier)
    assert b"torch" not in content  # weights are bytes of safetensors
    other = pickle.loads(content)  # noqa: S301  # our own bytes
    assert other.predict(TEXTS) == expected
    assert (other.version, other.dtype, other.card) == (classifier.version, dtype, classifier.card)
    assert pickle.loads(pickle.dumps(other)).predict(TEXTS) == expected  # noqa: S301


def test_a_component_travels_in_a_pickle_before_it_has_answered_and_after(tiny_bundle: Path) -> None:
    component = spacy.blank("en").add_pipe("sentiment_bilstm", config={"model": str(tiny_bundle), "retokenize": False})
    before = pickle.dumps(component)
    nlp = spacy.blank("en")
    expected = component(nlp("good"))._.sentiment
    for content in (before, pickle.dumps(component)):
        other = pickle.loads(content)  # noqa: S301
        assert other.retokenize is False
        assert other(nlp("good"))._.sentiment == expected
