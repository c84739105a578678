import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from sentiment import bundle as bundles
from sentiment.classifier import Classifier
from sentiment.errors import ConfigError
from sentiment.evaluation.behaviour.check import check
from sentiment.evaluation.behaviour.suite import read_suite
from tests.conftest import build_bundle, golden_of
from tests.sentiment.conftest import run

SUITE = """
lists: {word: [good, bad]}
tests:
  - {name: praise, kind: minimum functionality, label: positive, texts: ["a {word} film"]}
  - {name: facts, kind: minimum functionality, label: neutral, texts: ["a film"]}
  - {name: words, kind: fairness, vary: word, tolerance: 0.0, texts: ["a {word} film"]}
  - {name: more, kind: directional, label: negative, min_change: 0.0, texts: ["good"], variants: ["bad"]}
"""


def deaf(labels: Sequence[str] = ("negative", "neutral", "positive")) -> Classifier:
    """A model that gives every text the same answer, its first label."""
    bundle = build_bundle(scale=0.0)
    return Classifier(replace(bundle, labels=tuple(labels)))


@pytest.fixture
def suite(tmp_path: Path) -> str:
    path = tmp_path / "own.yaml"
    path.write_text(SUITE)
    return str(path)


def test_a_model_that_ignores_its_input_holds_what_must_not_matter_and_nothing_else() -> None:
    behaviour = check(deaf(), read_suite(["default"]))
    assert behaviour.left_out == ()
    for result in behaviour.results:
        if result.kind in ("invariance", "fairness"):
            assert (result.share, result.passed) == (0.0, True), result.name
    functional = [result for result in behaviour.results if result.kind == "minimum functionality"]
    assert {result.share for result in functional} == {0.0, 1.0}
    assert [result.share for result in functional].count(1.0) > len(functional) / 2
    assert {result.passed for result in behaviour.results if " added to a fact" in result.name} == {False}


def test_failures_are_the_answers_that_show_them(suite: str, tiny_classifier: Classifier) -> None:
    behaviour = check(tiny_classifier, read_suite([suite]))
    praise, facts, words, more = behaviour.results
    good, bad, film = tiny_classifier.predict(["a good film", "a bad film", "a film"])
    wrong = [each for each in (good, bad) if each.label != "positive"]
    for (answer,), expected in zip(praise.failures, wrong, strict=True):
        assert answer.probabilities == pytest.approx(expected.probabilities, abs=1e-5)
    assert len(facts.failures) == (film.label != "neutral")
    assert [answer.text for answer in words.failures[0]] == ["a good film", "a bad film"]
    before, after = (each.probabilities["negative"] for each in tiny_classifier.predict(["good", "bad"]))
    assert more.passed == (after >= before)
    assert (praise.cases, praise.share) == (2, len(wrong) / 2)


def test_what_expects_neutral_is_left_out_for_a_model_without_it(tmp_path: Path, suite: str) -> None:
    own = tmp_path / "labels.yaml"
    own.write_text("labels: {mixed: mixed}\n")
    model = deaf(["negative", "positive", "mixed"])
    assert check(model, read_suite([suite, str(own)])).left_out == ("facts",)


def test_labels_of_one_name_are_one(tmp_path: Path, suite: str, tiny_bundle: Path) -> None:
    own = tmp_path / "labels.yaml"
    own.write_text("labels: {positive: [fine, great], negative: poor}\n")
    model = Classifier(replace(bundles.load(tiny_bundle), labels=("poor", "fine", "great")))
    behaviour = check(model, read_suite([suite, str(own)]))
    assert behaviour.left_out == ("facts",)
    [plain] = model.predict(["a good film"])
    words = next(result for result in behaviour.results if result.name == "words")
    assert words.failures[0][0].probabilities == pytest.approx(
        {
            "negative": plain.probabilities["poor"],
            "positive": plain.probabilities["fine"] + plain.probabilities["great"],
        },
        abs=1e-5,
    )


def test_what_is_missed_is_named_and_by_how_much(suite: str) -> None:
    assert check(deaf(), read_suite([suite])).shortfall == (
        "praise (100.0% of 2 cases fail, 0.0% may), facts (100.0% of 1 cases fail, 0.0% may)"
    )
    assert check(deaf(["positive", "neutral", "negative"]), read_suite([suite])).summary == "3 of 4 tests hold."


def test_the_command_exits_with_1_where_a_test_is_missed(tmp_path: Path, suite: str, tiny_bundle: Path) -> None:
    folder = tmp_path / "deaf"
    bundle = build_bundle(scale=0.0)
    bundles.save(replace(bundle, golden=golden_of(bundle)), folder)
    done = run("check", "--model", folder, "--suite", suite, "--json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert (found["model"], found["passed"], found["left_out"]) == ("tiny", False, [])
    assert [(test["name"], test["failed"], test["passed"]) for test in found["tests"]] == [
        ("praise", 2, False), ("facts", 1, False), ("words", 0, True), ("more", 0, True)
    ]  # fmt: skip
    assert found["tests"][0]["failures"][0][0]["text"] == "a good film"

    done = run("check", "--model", folder, "--suite", suite, "--examples", 1)
    assert done.exit_code == 1
    assert "praise, for one:\n  negative 33%, neutral 33%, positive 33%: a good film\nfacts, for one:" in done.stdout
    assert done.stdout.endswith("2 of 4 tests hold.\n")

    lenient = tmp_path / "lenient.yaml"
    lenient.write_text(yaml.safe_dump({"thresholds": {"praise": 1, "facts": 1}}))
    done = run("check", "--model", folder, "--suite", suite, "--suite", lenient)
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "All 4 tests hold.")


def test_a_model_of_another_language_is_refused(make_bundle: object) -> None:
    with pytest.raises(ConfigError, match="^suite: its texts are in 'en', the model reads 'de'; give a suite of such"):
        check(Classifier(build_bundle(language="de")), read_suite(["default"]))
