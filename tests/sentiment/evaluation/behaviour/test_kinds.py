from typing import Any

import pytest

from sentiment.errors import ConfigError
from sentiment.evaluation.behaviour.kinds import Answer, Directional, Invariance, MinimumFunctionality
from tests.conftest import message_of

LISTS = {"thing": ("spa", "zoo"), "good": ("splendid", "grand", "fine"), "name": ("Ada", "Bo", "Cy")}


def answer(positive: float, text: str = "") -> Answer:
    return Answer(text, "positive" if positive >= 0.5 else "negative", {"negative": 1 - positive, "positive": positive})


def functional(**values: Any) -> MinimumFunctionality:
    return MinimumFunctionality.of({"kind": "minimum functionality", "name": "n", "label": "positive", **values})


def invariant(**values: Any) -> Invariance:
    return Invariance.of({"kind": "invariance", "name": "n", "texts": ["The {thing}."], **values})


def directional(**values: Any) -> Directional:
    return Directional.of({"kind": "directional", "name": "n", "texts": ["{thing}"], "label": "positive", **values})


def test_a_text_stands_for_its_combinations_and_each_has_its_part_of_the_cases() -> None:
    test = functional(texts=["{thing}", "A {good} {thing}."], max_cases=8)
    cases = test.cases(LISTS)
    assert cases[:2] == [("spa",), ("zoo",)]
    assert len(set(cases)) == len(cases) == 6
    assert len(functional(texts=["{thing}", "A {good} {thing}."]).cases(LISTS)) == 8
    assert len(functional(texts=["{thing}", "{good}"], max_cases=1).cases(LISTS)) == 2


def test_variants_have_the_words_of_their_text() -> None:
    cases = invariant(variants=["{text:upper} {name}", "So {good}, {thing}!"]).cases(LISTS)
    assert ("The spa.", "THE SPA. Bo") in cases
    assert ("The zoo.", "So grand, zoo!") in cases
    assert len(cases) == 12
    assert all(after.lower().count(before[4:7]) == 1 for before, after in cases)


def test_a_varied_list_stands_whole_in_each_case() -> None:
    cases = invariant(texts=["{name} at the {thing}"], vary="name").cases(LISTS)
    assert cases == [tuple(f"{name} at the {thing}" for name in LISTS["name"]) for thing in LISTS["thing"]]


def test_another_label_fails_minimum_functionality() -> None:
    assert functional(texts=["a"]).at_fault([answer(0.6)]) == ()
    assert functional(texts=["a"]).at_fault([answer(0.4)]) == (answer(0.4),)
    assert functional(texts=["a"], label=["negative", "positive"]).at_fault([answer(0.4)]) == ()


def test_invariance_fails_at_another_label_and_past_the_tolerance() -> None:
    test = invariant(vary="thing", tolerance=0.1)
    assert test.at_fault([answer(0.8), answer(0.76), answer(0.85)]) == ()
    assert test.at_fault([answer(0.8), answer(0.65), answer(0.95), answer(0.99)]) == (answer(0.65), answer(0.99))
    assert test.at_fault([answer(0.51), answer(0.49)]) == (answer(0.51), answer(0.49))


def test_a_direction_fails_where_the_probability_moves_too_little_or_the_wrong_way() -> None:
    rise, fall = directional(variants=["a"], min_change=0.25), directional(variants=["a"], max_change=-0.25)
    assert rise.at_fault([answer(0.25), answer(0.5)]) == fall.at_fault([answer(0.5), answer(0.25)]) == ()
    assert rise.at_fault([answer(0.5), answer(0.25)]) == (answer(0.5), answer(0.25))
    assert fall.at_fault([answer(0.5), answer(0.5)]) == (answer(0.5), answer(0.5))


@pytest.mark.parametrize(
    ("make", "values", "message"),
    [
        (invariant, {}, "give vary, a word list, or variants"),
        (invariant, {"vary": "a", "variants": ["b"]}, "give vary, a word list, or variants, not both"),
        (invariant, {"vary": "a", "tolerance": 2}, "tolerance: Input should be less than or equal to 1, not 2"),
        (directional, {"variants": ["a"]}, "give min_change or max_change"),
        (directional, {"variants": [], "min_change": 0}, "variants: Tuple should have at least 1 item"),
        (functional, {"texts": ["a"], "max_failing": "few"}, "max_failing: Input should be a valid number"),
        (functional, {"texts": ["a"], "tolerance": 0.1}, "tolerance: there is no such setting"),
    ],
)
def test_settings_that_say_nothing_are_refused(make: Any, values: dict[str, Any], message: str) -> None:
    assert message in message_of(ConfigError, lambda: make(**values))


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (functional(texts=["{thimg}"]), "texts: '{thimg}': there is no word list 'thimg'; there are good, name, thing"),
        (functional(texts=["{thing"]), "texts: '{thing': expected '}' before end of string"),
        (
            invariant(variants=["{txt}"]),
            "variants: '{txt}': there is no word list 'txt'; there are good, name, text, thing",
        ),
        (invariant(vary="name"), "texts: 'The {thing}.' has no place {name} to vary"),
    ],
)
def test_templates_that_cannot_be_filled_are_refused(test: Any, message: str) -> None:
    assert message_of(ConfigError, lambda: test.cases(LISTS)) == message
