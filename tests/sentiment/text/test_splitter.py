"""Bound the memory that spaCy keeps, and ask it run by run."""

from collections.abc import Iterable

import pytest
import spacy

from sentiment.text.splitter import Splitter


def split(splitter: Splitter, texts: Iterable[str]) -> list[list[str]]:
    with splitter.memory_zone():
        return [splitter.split(text) for text in texts]


def test_new_words_are_not_kept() -> None:
    splitter = Splitter("en", 2)
    split(splitter, ["a first text :) https://x.org"])
    before = len(splitter._nlp.vocab.strings)
    for batch in range(10):
        split(splitter, [f"novel{batch}x{word} other{word}y{batch}" for word in range(500)])
    assert len(splitter._nlp.vocab.strings) == before


def test_after_many_words_spacy_starts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    splitter = Splitter("en", 2)
    splitter.warm(["wonderful"])
    expected = split(splitter, ["isn't it wonderful?"])
    bound = len(splitter._nlp.vocab) + 2000
    monkeypatch.setattr("sentiment.text.splitter.MAX_WORDS_MET", bound)
    for batch in range(10):
        split(splitter, [" ".join(f"novel{batch}x{word}" for word in range(500))])
        assert len(splitter._nlp.vocab) <= bound + 501
    assert "wonderful" in splitter._nlp.vocab.strings
    assert split(splitter, ["isn't it wonderful?"]) == expected


def test_warm_words_are_kept_and_change_nothing() -> None:
    warm, cold = Splitter("en", 2), Splitter("en", 2)
    warm.warm(["wonderful", "isn't", "<pad>"])
    assert "wonderful" in warm._nlp.vocab.strings
    assert "wonderful" not in cold._nlp.vocab.strings
    texts = ["it isn't wonderful.", "wonderful <pad>"]
    assert split(warm, texts) == split(cold, texts)


def test_a_run_of_characters_has_the_tokens_spacy_gives_it_in_its_text() -> None:
    text = "isn't it (great) in the u.s. for $5.00! a well-made, mr. smith-like e.g. 10km/h thing..."
    splitter = Splitter("en", 2)
    expected = [token.text for token in spacy.blank("en").tokenizer(text)]
    assert split(splitter, [text, text]) == [expected, expected]


def test_it_is_busy_while_it_is_somebodys() -> None:
    splitter = Splitter("en", 2)
    assert not splitter.is_busy
    with splitter.memory_zone():
        assert splitter.is_busy
    assert not splitter.is_busy


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4/5", "8"), ("3.5/5", "7"), ("3 / 10", "3"), ("85/100", "9"), ("11/10", "10"), ("-2/10", "0"),
        ("8,5/10", "9"),
        ("10 out of 10", "10"), ("two out of five", "4"), ("1 out of 5 stars", "2"), ("3 out of 4 stars", "8"),
        ("5 stars", "10"), ("1 star", "2"), ("five stars", "10"), ("4-star", "8"), ("2.5 stars", "5"),
        ("3½ stars", "7"),
        ("one and a half stars", "3"), ("7 stars", "7"), ("0 stars", "0"), ("5*", "10"),
        ("★★☆☆☆", "4"), ("⭐⭐⭐⭐", "8"), ("★★★★★★★★☆☆", "8"), ("★★", "4"),
    ],
)  # fmt: skip
def test_ratings(text: str, expected: str) -> None:
    splitter = Splitter("en", 2)
    assert split(splitter, [text, f"well, {text}, ok"]) == [
        [f"<rating:{expected}>"], ["well", ",", f"<rating:{expected}>", ",", "ok"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "4/5/2021", "9/11", "24/7", "1/2 hour", "9 out of 10 people", "on 4/5", "x1/10", "1.4/5.2", "the two stars",
        "http://x.org/4/5", "12/5", "★", "☆☆☆", "3 out of 4", "1/5 of it", "2 star wars films", "20 stars", "$4/5",
    ],
)  # fmt: skip
def test_what_is_no_rating(text: str) -> None:
    splitter = Splitter("en", 2)
    assert not [token for token in split(splitter, [text])[0] if token.startswith("<rating")]


def test_ratings_in_other_languages_are_of_signs() -> None:
    assert split(Splitter("de", 2), ["4/5 oder 4,5/5 oder ★★☆☆ two stars"]) == [
        ["<rating:8>", "oder", "<rating:9>", "oder", "<rating:5>", "two", "stars"]
    ]
    assert split(Splitter("en", 1), ["4/5 ★★"]) == [["4/5", "★", "★"]]


def test_tokens_that_were_split_elsewhere() -> None:
    splitter = Splitter("en", 2)
    with splitter.memory_zone():
        given = ["4/5", "sea_view", ":-)", "<br>", "GOOD", "@me"]
        found = [splitter.one_form(token) for token in given]
    assert found == [("<rating:8>",), ("sea", "view"), (":)",), (), ("good",), ("<user>",)]
