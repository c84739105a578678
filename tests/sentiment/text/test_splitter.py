"""What spaCy keeps of the texts that it has split, and that it is asked run by run."""

from collections.abc import Iterable

import pytest
import spacy

from sentiment.text.splitter import Splitter


def split(splitter: Splitter, texts: Iterable[str]) -> list[list[str]]:
    with splitter.memory_zone():
        return [splitter.split(text) for text in texts]


def test_new_words_are_not_kept() -> None:
    splitter = Splitter("en")
    split(splitter, ["a first text :) https://x.org"])
    before = len(splitter._nlp.vocab.strings)
    for batch in range(10):
        split(splitter, [f"novel{batch}x{word} other{word}y{batch}" for word in range(500)])
    assert len(splitter._nlp.vocab.strings) == before


def test_after_many_words_spacy_starts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    splitter = Splitter("en")
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
    warm, cold = Splitter("en"), Splitter("en")
    warm.warm(["wonderful", "isn't", "<pad>"])
    assert "wonderful" in warm._nlp.vocab.strings
    assert "wonderful" not in cold._nlp.vocab.strings
    texts = ["it isn't wonderful.", "wonderful <pad>"]
    assert split(warm, texts) == split(cold, texts)


def test_a_run_of_characters_has_the_tokens_spacy_gives_it_in_its_text() -> None:
    text = "isn't it (great) in the u.s. for $5.00! a well-made, mr. smith-like e.g. 10km/h thing..."
    splitter = Splitter("en")
    expected = [token.text for token in spacy.blank("en").tokenizer(text)]
    assert split(splitter, [text, text]) == [expected, expected]


def test_it_is_busy_while_it_is_somebodys() -> None:
    splitter = Splitter("en")
    assert not splitter.is_busy
    with splitter.memory_zone():
        assert splitter.is_busy
    assert not splitter.is_busy
