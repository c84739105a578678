"""Texts to tokens: what stays whole, what reads the same, and that no text is too much."""

import string
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.pipeline import Sentencizer
from spacy.tokens import Doc

from sentiment.config import TextConfig
from sentiment.errors import ConfigError
from sentiment.text.normalization import normalize
from sentiment.text.splitter import HANDLE, URL
from sentiment.text.tokenizer import Tokenizer, Tokens


@pytest.fixture(scope="module", params=[1, 2])
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    return Tokenizer(TextConfig(form=request.param))


@pytest.fixture(scope="module")
def form_1() -> Tokenizer:
    return Tokenizer(TextConfig(form=1))


@pytest.fixture(scope="module", params=[1, 2])
def roomy(request: pytest.FixtureRequest) -> Tokenizer:
    """One that reads all of an adversarial text."""
    return Tokenizer(TextConfig(max_tokens=1 << 16, form=request.param))


def tokens_of(tokenizer: Tokenizer, text: str) -> list[str]:
    [(tokens, truncated)] = tokenizer.tokenize([text])
    assert not truncated
    return tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It's great, isn't it?", "it 's great , is n't it ?"),
        ("not bad at all", "not bad at all"),
        ("gonna cannot", "gon na can not"),
        ("soooooo good!!!!!!", "sooo good ! ! !"),
        ("word--word well-made", "word -- word well - made"),
        ("8/10 3.5 $5.00 100%", "8/10 3.5 $ 5.00 100 %"),
        ("#hashtag", "# hashtag"),
        # URLs and handles
        ("see https://x.com/a?b=c#d, or (www.foo.org).", "see <url> , or ( <url> ) ."),
        ("HTTP://SHOUT.COM/ http://", "<url> http ://"),
        ("@joe and @Ann_2: hi", "<user> and <user> : hi"),
        ("mail a@b.com @@ @", "mail a@b.com @@ @"),
        # emoticons
        ("ok:) fine :-( sad :'( wow :D ;-P =) hm :/", "ok :) fine :-( sad :'( wow :d ;-p =) hm :/"),
        ("<3 </3 ^_^ ^^ \\o/ :))))))", "<3 </3 ^_^ ^^ \\o/ :)))"),
        ("at 10:30, re:do", "at 10:30 , re : do"),
    ],
)
def test_what_stays_whole(form_1: Tokenizer, text: str, expected: str) -> None:
    assert tokens_of(form_1, text) == expected.split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("good😀😀", ["good", "😀", "😀"]),
        ("❤️👍🏽👍🏿", ["❤", "👍", "👍"]),
        ("👨‍👩‍👧‍👦ok🏳️‍🌈", ["👨\u200d👩\u200d👧\u200d👦", "ok", "🏳\u200d🌈"]),
        ("🇩🇪🇫🇷🇺🇸", ["🇩🇪", "🇫🇷", "🇺🇸"]),
        ("🤷🏽‍♀️", ["🤷\u200d♀"]),
    ],
)
def test_emoji_stay_whole(form_1: Tokenizer, text: str, expected: list[str]) -> None:
    assert tokens_of(form_1, text) == expected


@pytest.mark.parametrize(
    ("treebank", "plain"),
    [
        ("It 's great , is n't it ?", "It's great, isn't it?"),
        ("`` Do n't , '' he said .", '"Don\'t," he said.'),
        ("`` Do n't , '' he said .", "“Don’t,” he said."),
        ("-LRB- They 've -RRB- and\\/or", "(They've) and/or"),
        ("A film -- no , a treat ...", "A film—no, a treat…"),
        ("A film -- no , a treat ...", "A film--no, a treat..."),
        ("caf\u00e9", "cafe\u0301"),
        ("Great\nfilm", "Great<br /><br />film"),
        ("fish & chips", "fish &amp; chips"),
    ],
)
def test_the_same_words_are_the_same_tokens(tokenizer: Tokenizer, treebank: str, plain: str) -> None:
    assert tokens_of(tokenizer, treebank) == tokens_of(tokenizer, plain)


@pytest.mark.parametrize("special", ["<pad>", "<unk>", "<url>", "<user>", "<rating:5>"])
def test_a_special_token_can_not_be_written(tokenizer: Tokenizer, special: str) -> None:
    assert special not in tokens_of(tokenizer, f"{special} x{special}x {special}")


def test_texts_keep_their_order_and_blank_ones_have_no_token(tokenizer: Tokenizer) -> None:
    assert tokenizer.tokenize(["b", " \n", "", "\x00", "a"]) == [
        Tokens(["b"], False), Tokens([], False), Tokens([], False), Tokens([], False), Tokens(["a"], False),
    ]  # fmt: skip
    assert tokenizer.tokenize([]) == []


@given(st.text(max_size=300))
def test_any_text_has_tokens_that_are_neither_empty_nor_blank(tokenizer: Tokenizer, text: str) -> None:
    [(tokens, truncated)] = tokenizer.tokenize([text])
    assert not truncated
    assert all(token and not token.isspace() for token in tokens)
    assert tokenizer.tokenize([text]) == [Tokens(tokens, False)]


@given(st.text(max_size=300) | st.just("It doesn't: see https://example.org/a @me"))
def test_tokens_have_their_places_in_the_one_form(tokenizer: Tokenizer, text: str) -> None:
    [(form, tokens, spans)] = tokenizer.place([text])
    assert form == normalize(text, form=tokenizer.config.form)
    assert tokens == tokenizer.tokenize([text])[0].tokens
    written = [form[start:end] for start, end in spans]
    assert all(token in (own, URL, HANDLE) for token, own in zip(tokens, written, strict=True))
    assert all(first[1] <= second[0] for first, second in pairwise(spans))


# The languages


@pytest.mark.parametrize("language", ["de", "es", "ar", "xx"])
def test_what_stays_whole_does_in_every_language(language: str) -> None:
    tokens = tokens_of(Tokenizer(TextConfig(language=language)), "ok 😀 https://x.org @me :)")
    assert tokens == ["ok", "😀", "<url>", "<user>", ":)"]


@pytest.mark.parametrize("language", ["qq", "qqq"])
def test_an_unknown_language_is_refused(language: str) -> None:
    with pytest.raises(ConfigError, match=f"language: spaCy has no tokenizer for '{language}' here: "):
        Tokenizer(TextConfig(language=language))


# The limits


def test_too_many_tokens_lose_the_middle() -> None:
    small = Tokenizer(TextConfig(max_tokens=5))
    assert small.tokenize(["a 1 b c d"]) == [Tokens(list("a1bcd"), False)]
    assert small.tokenize(["a 1 b c 2 f g"]) == [Tokens(list("a1bfg"), True)]
    assert Tokenizer(TextConfig(max_tokens=2)).tokenize(["a b c"]) == [Tokens(["a", "c"], True)]


def test_too_many_characters_lose_the_middle() -> None:
    config = TextConfig(max_tokens=4)
    small = Tokenizer(config)
    assert config.max_characters == 64
    assert small.tokenize([f"head {' ' * 50} tail"]) == [Tokens(["head", "tail"], False)]
    assert small.tokenize([f"head {' ' * 60} tail"]) == [Tokens(["head", "tail"], True)]
    assert small.tokenize([f"{' ' * 100}padded{' ' * 100}"]) == [Tokens(["padded"], False)]


def test_ten_megabytes_in_one_line(tokenizer: Tokenizer) -> None:
    text = "first " + "word " * 2_000_000 + "last"
    [(tokens, truncated)] = tokenizer.tokenize([text])
    assert (len(tokens), tokens[0], tokens[-1], truncated) == (4096, "first", "last", True)


def test_one_endless_word(tokenizer: Tokenizer) -> None:
    [(tokens, truncated)] = tokenizer.tokenize([string.ascii_lowercase * 400_000])
    assert truncated
    assert max(map(len, tokens)) == 64


ADVERSARIAL = [
    "!?", "(", "[)", "a", "a.", "a-b", "a'", " 's", " n't", "'", "''", "`", '"', "1,", "$", "x_", "_", "^_", "@",
    "a@b.", "http://", "www.!", "http://!? ", "hw", "&", "&amp", "&#1", "<br ", "<3x", ":/\\x", ":-)x", ":(/", ";'^-",
    "-lrb", "\\/", "\u0301\u0323", "\u0338a\u0301", "\u0f71\u0f72\u0f74", "İ", "\u200d", "👩\u200d", "🇩",
    "\U000e0067", "4/", "1/5", "5 star ", "★", "*", "**", "**a", "~~b", "a ", "#A", "#a1", "_a", "(:", ":-", "xd",
    " out of ", "<a x=", "<b ", "&amp;amp;", "⭐\u200d", "ﷺ", "한", "\x00", "\xa0.",
]  # fmt: skip


@pytest.mark.parametrize("pattern", ADVERSARIAL)
def test_the_time_per_character_is_flat(roomy: Tokenizer, pattern: str) -> None:
    def seconds(size: int) -> float:
        text = pattern * (size // len(pattern))
        laps = []
        for _ in range(3):
            start = time.thread_time()  # of the processor, not of the clock: others may be at work here
            roomy.tokenize([text])
            laps.append(time.thread_time() - start)
        return min(laps)

    ratios = []
    for _ in range(3):  # chance may spoil one measurement; quadratic time spoils each
        ratios.append(seconds(16_000) / seconds(4_000))
        if ratios[-1] < 8:
            break
    assert min(ratios) < 8, f"{pattern!r}: four times the text took {min(ratios):.1f} times as long"


# Sharing


def test_a_failure_leaves_the_tokenizer_usable(tokenizer: Tokenizer) -> None:
    with pytest.raises(TypeError):
        tokenizer.tokenize(["fine", None])  # type: ignore[list-item]
    assert tokens_of(tokenizer, "still fine") == ["still", "fine"]


@settings(max_examples=5)
@given(st.lists(st.text(max_size=50), min_size=8, max_size=40))
def test_threads_agree_with_one(tokenizer: Tokenizer, texts: list[str]) -> None:
    expected = tokenizer.tokenize(texts)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: tokenizer.tokenize(texts), range(16))) == [expected] * 16


VOCABS = {language: spacy.blank(language).vocab for language in ("en", "zh")}


@given(
    st.sampled_from(sorted(VOCABS)),
    st.lists(st.sampled_from(["a", "film", ".", "!", "?", "...", "…", "。", '"', ")", "--", "😀", "'s", "3.5", ".."])),
)
def test_sentences_start_where_spacys_sentencizer_says(language: str, tokens: list[str]) -> None:
    [guesses] = Sentencizer().predict([Doc(VOCABS[language], words=tokens)])
    assert Tokenizer.sentence_starts(tokens) == [place for place, starts in enumerate(guesses) if starts]
