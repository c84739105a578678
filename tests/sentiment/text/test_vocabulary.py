import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.errors import ConfigError
from sentiment.text.pieces import bare, is_piece
from sentiment.text.vocabulary import MAX_PARTS, PAD, PAD_ID, UNK, UNK_ID, Vocabulary

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
        unread = [token in (PAD, UNK) or is_piece(token) for token in tokens]
        expected = [UNK if unknown else token for token, unknown in zip(tokens, unread, strict=True)]
        assert [vocabulary.tokens[i] for i in ids] == expected


# Words that it lacks

WORDS = ("the", "good", "film", "was", "best", "day", "ever", "very", "to", "too", "god", "#", "a", "ca", "n't")
PIECES = ("##^terr", "##^t", "##^fil", "##ible", "##s", "##e", "##r", "##ing", "##.", "##the")


@pytest.fixture(scope="module")
def pieced() -> Vocabulary:
    return Vocabulary([PAD, UNK, *WORDS, *PIECES])


def names(vocabulary: Vocabulary, text: str) -> list[str]:
    return [vocabulary.tokens[token_id] for token_id in vocabulary.encode(text.split())]


@pytest.mark.parametrize(
    ("text", "expected", "counts"),
    [
        ("the good film", "the good film", (3, 0)),
        ("terrible", "##^terr ##ible", (1, 1)),
        ("films filming", "film ##s film ##ing", (2, 2)),
        ("film.the terr", "film ##. ##the ##^terr", (2, 2)),
        ("t filx", "##^t <unk>", (2, 2)),
        ("x" * 41 + " <user> <unk>", "<unk> <unk> <unk>", (3, 3)),
        ("t" + "e" * 2 + "r" * 2 + "s" * 2 + "er", "<unk>", (1, 1)),  # nine pieces
        ("goood gooodd tooo veryyy", "good good too very", (4, 0)),
        ("# bestdayever # bestfilmx bestday", "# best day ever # <unk> <unk>", (7, 2)),
        ("# terrible", "# ##^terr ##ible", (2, 1)),
    ],
)
def test_words_that_it_lacks(pieced: Vocabulary, text: str, expected: str, counts: tuple[int, int]) -> None:
    assert names(pieced, text) == expected.split()
    token_ids = pieced.encode(text.split())
    assert pieced.count(token_ids) == counts
    assert len(pieced.is_unknown(token_ids)) == len(token_ids)


def test_no_more_than_six_words_of_a_hashtag(pieced: Vocabulary) -> None:
    assert names(pieced, "# " + "day" * 6) == ["#", *["day"] * 6]
    assert names(pieced, "# " + "day" * 7) == ["#", UNK]


def test_without_pieces_unknown_words_are_one_token() -> None:
    plain = Vocabulary([PAD, UNK, *WORDS])
    assert names(plain, "goood # bestday filming") == [UNK, "#", UNK, UNK]
    assert Vocabulary([PAD, UNK, "##", "#a"]).pieces == {}


def test_a_text_of_made_up_words_stays_within_bounds(pieced: Vocabulary) -> None:
    tokens = ["terrible"] * 9000
    token_ids = pieced.encode(tokens)
    assert len(token_ids) == 9000 + MAX_PARTS
    assert token_ids == [part.token_id for parts in pieced.read(tokens) for part in parts]


def test_a_piece_is_no_word_of_a_text(pieced: Vocabulary) -> None:
    assert "##ing" not in pieced.words
    assert names(pieced, "##ing ##^terr") == [UNK, UNK]


CORPUS = [["terrible", "terribly", "horrible", "horribly", "film", "films", "filming", "<user>", "!"]] * 3


def test_pieces_are_learned_from_the_words() -> None:
    vocabulary = Vocabulary.build(CORPUS, max_size=100, min_count=2, pieces=40)
    assert 12 < len(vocabulary.pieces) <= 40
    assert vocabulary.tokens == Vocabulary.build(CORPUS[:2] + CORPUS[2:], max_size=100, min_count=2, pieces=40).tokens
    assert vocabulary.tokens[-len(vocabulary.pieces) :] == tuple(vocabulary.pieces)
    assert not any("<" in piece or "!" in piece for piece in vocabulary.pieces)
    assert UNK_ID not in vocabulary.encode(["torrible", "filmly", "hing"])
    few = Vocabulary.build(CORPUS, max_size=100, min_count=2, pieces=3)
    assert len(few.pieces) <= 3
    assert Vocabulary.build(CORPUS, max_size=100, pieces=0).pieces == {}


@given(st.lists(st.text("terilbsfmngo#.<>", min_size=1, max_size=12), max_size=30))
def test_each_token_is_read_as_parts_of_all_its_characters(tokens: list[str]) -> None:
    vocabulary = Vocabulary.build(CORPUS, max_size=6, min_count=2, pieces=30)
    parts = vocabulary.read(tokens)
    assert [sum(part.length for part in each) for each in parts] == [len(token) for token in tokens]
    token_ids = [part.token_id for each in parts for part in each]
    assert token_ids == vocabulary.encode(tokens)
    assert PAD_ID not in token_ids
    assert vocabulary.count(token_ids)[0] >= len(tokens)
    for token, each in zip(tokens, parts, strict=True):
        if each[0].token_id != UNK_ID and len(each) > 1 and token not in vocabulary.words:
            assert "".join(bare(vocabulary.tokens[part.token_id]) for part in each) == token
