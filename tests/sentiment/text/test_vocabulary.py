import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.errors import ConfigError
from sentiment.text.vocabulary import PAD, PAD_ID, UNK, UNK_ID, Vocabulary

TEXTS = [["good", "film"], ["bad", "film"], ["good", "film", "b", "a"]]


def test_frequent_tokens_first_then_by_token() -> None:
    assert Vocabulary.build(TEXTS, max_size=100).tokens == (PAD, UNK, "film", "good", "a", "b", "bad")


def test_max_size_counts_the_special_tokens() -> None:
    vocabulary = Vocabulary.build(TEXTS, max_size=4)
    assert vocabulary.tokens == (PAD, UNK, "film", "good")
    assert len(vocabulary) == 4
    assert Vocabulary.build(TEXTS, max_size=2).tokens == (PAD, UNK)


@pytest.mark.parametrize("max_size", [1, 0, -5])
def test_a_size_without_room_is_refused(max_size: int) -> None:
    with pytest.raises(ConfigError, match=f"max_size: at least 2, for <pad> and <unk>, not {max_size}"):
        Vocabulary.build(TEXTS, max_size=max_size)


def test_min_count() -> None:
    assert Vocabulary.build(TEXTS, max_size=100, min_count=2).tokens == (PAD, UNK, "film", "good")
    assert Vocabulary.build(TEXTS, max_size=100, min_count=9).tokens == (PAD, UNK)


def test_encode() -> None:
    vocabulary = Vocabulary([PAD, UNK, "good", "bad"])
    assert vocabulary.encode(["bad", "ugly", "good", ""]) == [3, UNK_ID, 2, UNK_ID]
    assert vocabulary.encode([]) == []


def test_special_tokens_of_a_text_are_unknown_words() -> None:
    vocabulary = Vocabulary.build([[PAD, UNK, PAD, "good"]], max_size=10)
    assert vocabulary.tokens == (PAD, UNK, "good")
    assert vocabulary.encode([PAD, UNK, "good"]) == [UNK_ID, UNK_ID, 2]


@given(st.lists(st.lists(st.text(max_size=3))), st.randoms())
def test_the_same_data_gives_the_same_vocabulary_in_any_order(texts: list[list[str]], random: object) -> None:
    shuffled = [list(tokens) for tokens in texts]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    vocabulary = Vocabulary.build(texts, max_size=1000)
    assert vocabulary.tokens == Vocabulary.build(shuffled, max_size=1000).tokens
    for tokens in texts:
        ids = vocabulary.encode(tokens)
        assert PAD_ID not in ids
        assert [vocabulary.tokens[i] for i in ids] == [UNK if token in (PAD, UNK) else token for token in tokens]


@pytest.mark.parametrize(
    ("tokens", "reason"),
    [
        ([], r"a vocabulary begins <pad>, <unk>, not \[\]"),
        ([UNK, PAD], "a vocabulary begins <pad>, <unk>, not"),
        ([PAD, UNK, "good", "good", PAD], "a vocabulary holds each token once: 2 stand twice"),
        ([PAD, UNK, 5], "a vocabulary holds str only"),
        ([PAD, UNK, None], "a vocabulary holds str only"),
        ([PAD, UNK, ["good"]], "a vocabulary holds str only"),
    ],
)
def test_what_is_no_vocabulary(tokens: list[str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Vocabulary(tokens)
