import pytest

from sentiment.errors import ConfigError
from sentiment.evaluation.behaviour.templates import FORMS, Template, fillings
from tests.conftest import message_of


@pytest.mark.parametrize(
    ("form", "word", "expected"),
    [
        ("a", "Awful", "an Awful"),
        ("a", "grim", "a grim"),
        ("bare", "Is it so?!.", "Is it so"),
        ("capital", "uncle", "Uncle"),
        ("lower", "PERTH", "perth"),
        ("upper", "Perth", "PERTH"),
        ("typo", "abc", "acb"),
        ("typo", "ab cd", "ab cd"),  # no letter within a word has a neighbour there
        ("typo", "aaaa", "aaaa"),
    ],
)
def test_a_form_changes_the_word(form: str, word: str, expected: str) -> None:
    assert Template.of(f"<{{word:{form}}}>").filled({"word": word}) == f"<{expected}>"


def test_a_typo_swaps_two_letters_within_a_word_and_always_the_same() -> None:
    text = "The museum looked splendid, to all of us."
    typo = FORMS["typo"](text)
    assert typo != text
    assert typo == FORMS["typo"](text)
    assert [sorted(word) for word in typo.split()] == [sorted(word) for word in text.split()]
    assert [word[0] for word in typo.split()] == [word[0] for word in text.split()]


def test_places_are_named_once_and_braces_can_be_written() -> None:
    template = Template.of("{{{thing}}} and {other} or {thing:upper}")
    assert template.places == ("thing", "other")
    assert template.filled({"thing": "tent", "other": "spa"}) == "{tent} and spa or TENT"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a {thing", "'a {thing': expected '}' before end of string"),
        ("a } thing", "'a } thing': Single '}' encountered in format string"),
        *(
            (text, f"'{text}': the place 'thing' has the form '{form}'; there are a, bare, capital, lower, typo, upper")
            for text, form in (("{thing:loud}", "loud"), ("{thing!r}", "r"))
        ),
    ],
)
def test_what_is_no_template_is_refused(text: str, message: str) -> None:
    assert message_of(ConfigError, lambda: Template.of(text)) == message


def test_fillings_are_all_combinations_or_the_same_sample_each_time() -> None:
    lists = {"a": ["1", "2", "3"], "b": ["x", "y"], "long": [str(number) for number in range(10_000)]}
    every = fillings(["a", "b"], lists, 6, "seed")
    assert {(words["a"], words["b"]) for words in every} == {(a, b) for a in "123" for b in "xy"}
    some = fillings(["long", "a", "long"], lists, 5, "seed")
    assert len({tuple(words.items()) for words in some}) == 5
    assert some == fillings(["long", "a", "long"], lists, 5, "seed")
    assert some != fillings(["long", "a", "long"], lists, 5, "another")
    assert fillings([], lists, 5, "seed") == [{}]
