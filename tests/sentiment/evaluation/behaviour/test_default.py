"""The suite that comes with the package: what it covers, and that no model learned from its texts."""

import json
import re
from itertools import chain
from pathlib import Path

import pytest

from recipes import templates
from sentiment.evaluation.behaviour.suite import Suite, read_suite

ROOT = Path(templates.__file__).parents[1]
RUN = 5  # words in a row that two sentences on one subject would hardly share by chance


def words_of(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[\w'-]+", text.casefold()))


def runs(text: str) -> set[tuple[str, ...]]:
    words = words_of(text)
    return {words[start : start + RUN] for start in range(len(words) - RUN + 1)} | {words}


@pytest.fixture(scope="module")
def suite() -> Suite:
    return read_suite(["default"])


def test_every_kind_and_every_test_has_cases_enough_for_its_threshold(suite: Suite) -> None:
    kinds = {test.kind for test, _ in suite.tests}
    assert kinds == {"minimum functionality", "invariance", "directional", "fairness"}
    for test, cases in suite.tests:
        assert 30 <= len(cases) <= test.max_cases, test.name
        assert len(set(cases)) == len(cases), test.name
        assert all(len(set(case)) == len(case) for case in cases), test.name


def test_no_text_stands_in_what_the_default_model_learned_from_or_in_the_hard_cases(suite: Suite) -> None:
    hard = [json.loads(line)["text"] for line in (ROOT / "tests/data/hard_cases.jsonl").read_text().splitlines()]
    learned = [text for text, _ in templates.rows()]
    taken = set(chain.from_iterable(map(runs, (*hard, *learned))))
    for _, cases in suite.tests:
        for text in chain.from_iterable(cases):
            assert not runs(text) & taken, text


def test_its_praise_and_its_things_are_other_words_than_those_learned_from() -> None:
    import yaml

    path = ROOT / "sentiment" / "evaluation" / "behaviour" / "default.yaml"
    lists = yaml.safe_load(path.read_text())["lists"]
    assert not {*lists["good"], *lists["mildly_good"]} & set(templates.PRAISE)
    assert not {*lists["bad"], *lists["mildly_bad"]} & set(templates.BLAME)
    assert not {*lists["thing"]} & set(templates.THINGS)


def test_it_speaks_of_what_it_should(suite: Suite) -> None:
    texts = {test.name: [text for case in cases for text in case] for test, cases in suite.tests}
    assert any("https://" in text for text in texts["links and handles"])
    assert all(text.isupper() or text.islower() or text[0].isupper() for text in texts["capitals"])
    assert any(not text.isascii() for text in texts["emoji that say nothing"])
    assert any("trans woman" in text for text in texts["gender"])
