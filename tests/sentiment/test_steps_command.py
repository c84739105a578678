"""`sentiment predict --steps`, in this process."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sentiment import bundle as bundles
from sentiment.classifier import load
from sentiment.errors import ConfigError
from tests.conftest import MakeBundle
from tests.sentiment.conftest import run

TEXT = "A great film, is&nbsp;n't it?"


@pytest.fixture(scope="module")
def stepwise(make_bundle: MakeBundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("steps") / "stepwise"
    bundles.save(make_bundle(pooling="stepwise", bidirectional=False), folder)
    return folder


def test_each_word_has_its_answer(stepwise: Path) -> None:
    command = ["predict", "--model", stepwise, "--steps"]
    lines = [json.loads(line) for line in run(*command, "--json", TEXT).output.splitlines()]
    steps = load(stepwise).predict_steps(TEXT)
    assert [line["word"] for line in lines] == ["A", "great", "film", ",", "is", "n't", "it", "?"]
    assert [line["probabilities"] for line in lines] == [each.probabilities for each in steps]
    shown = run(*command, TEXT).output.splitlines()
    assert shown[1] == f"{steps[1].label:<10} {max(steps[1].probabilities.values()):6.1%}  great"


def test_a_number_after_each_word(make_bundle: MakeBundle, tmp_path: Path) -> None:
    bundle = make_bundle(pooling="stepwise", bidirectional=False, encoder="rnn", task="regression")
    bundles.save(replace(bundle, name="value"), tmp_path / "value")
    shown = run("predict", "--model", tmp_path / "value", "--steps", "great film").output
    steps = load(tmp_path / "value", task="regression").predict_steps("great film")
    assert shown == f"{steps[0].value:10.4g}  great\n{steps[1].value:10.4g}  film\n"


def test_what_has_no_steps_is_refused(tiny_bundle: Path) -> None:
    done = run("predict", "--model", tiny_bundle, "--steps", "great film")
    assert isinstance(done.exception, ConfigError)
    assert str(done.exception) == (
        "an answer after each word takes a network that reads one way, --encoder lstm or rnn with --pooling stepwise "
        "or final; this model's encoder is lstm, pooling final, bidirectional True"
    )
    done = run("predict", "--model", tiny_bundle, "--steps", "--abstain", 0.1, "great")
    assert str(done.exception) == "--abstain is kept for whole texts: leave --steps out"
