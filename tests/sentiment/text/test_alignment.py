"""Find each token in the original: plain words exactly, any text within bounds and in order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.config import TextConfig
from sentiment.text.edits import Alignment
from sentiment.text.normalization import normalize
from sentiment.text.tokenizer import AlignedTokens, Tokenizer, Tokens

TRICKY = [
    "&amp;", "&lt;3", "&hellip;", "&fjlig;", "&semi;", "&#39;s", "<br />", "\r\n", " n't", "do", "''", "``", "`",
    "-LRB-", "\\/", "soooooo", "!!!!!!", "İ", "e\u0301", "\u0301\u0323", "\u1100\u1161\u11a8", "\u00ad", "\u200b",
    "“", "’", "…", "—", "👍🏽", "👨‍👩‍👧", "❤️", "🇩🇪", "https://x.org/a", "@joe", ":)", "电影", "ΑΣ", "x" * 70, " ",
    "a", "1", "&amp;amp;", "<b>", "</p>", "<a href=1>", "ａ！", "_", "**", "~~", "#", "B", "Big2", " a b c d ", "4/5",
    "5 stars", "★★☆", "10 out of 10", ":-)", "(:", "=(", "xD", "^_^", "T_T", "<33", "¯\\_(ツ)_/¯", "ʼ", "1️⃣", "🔟",
]  # fmt: skip
TEXTS = st.one_of(st.text(max_size=80), st.lists(st.sampled_from(TRICKY), max_size=15).map("".join))


@pytest.fixture(scope="module", params=[1, 2])
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    return Tokenizer(TextConfig(form=request.param))


@pytest.fixture(scope="module", params=[(language, form) for language in ("en", "zh") for form in (1, 2)], ids=str)
def any_tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    language, form = request.param
    return Tokenizer(TextConfig(language=language, form=form))


@pytest.fixture(scope="module", params=[1, 2])
def small(request: pytest.FixtureRequest) -> Tokenizer:
    """One that reads six tokens and 96 characters."""
    return Tokenizer(TextConfig(max_tokens=6, form=request.param))


def sources(tokenizer: Tokenizer, text: str) -> list[tuple[str, str]]:
    [aligned] = tokenizer.align([text])
    return [(token, text[start:end]) for token, (start, end) in zip(aligned.tokens, aligned.spans, strict=True)]


def assert_in_order(aligned: AlignedTokens, text: str) -> None:
    assert len(aligned.spans) == len(aligned.tokens)
    assert all(0 <= start < end <= len(text) for start, end in aligned.spans)
    for (start, end), (next_start, next_end) in zip(aligned.spans, aligned.spans[1:], strict=False):
        assert start <= next_start
        assert end <= next_end


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Good film", [("good", "Good"), ("film", "film")]),
        ("a<br />b", [("a", "a"), ("b", "b")]),
        ("Fish &amp; CHIPS", [("fish", "Fish"), ("&", "&amp;"), ("chips", "CHIPS")]),
        ("&lt;3 &fjlig;ord&semi;", [("<3", "&lt;3"), ("fjord", "&fjlig;ord"), (";", "&semi;")]),
        ("is n't it", [("is", "is"), ("n't", "n't"), ("it", "it")]),
        ("isn’t", [("is", "is"), ("n't", "n’t")]),
        ("It&#39;s", [("it", "It"), ("'s", "&#39;s")]),
        ("Soooooo good", [("sooo", "Soooooo"), ("good", "good")]),
        ("no!!!!!!", [("no", "no"), ("!", "!"), ("!", "!"), ("!", "!!!!")]),
        ("cafe\u0301 x", [("caf\u00e9", "cafe\u0301"), ("x", "x")]),
        ("\u1100\u1161\u11a8 x", [("\uac01", "\u1100\u1161\u11a8"), ("x", "x")]),
        ("İx y", [("i\u0307x", "İx"), ("y", "y")]),
        ("so\u00adft x", [("soft", "so\u00adft"), ("x", "x")]),
        ("good👍🏽❤️ok", [("good", "good"), ("👍", "👍🏽"), ("❤", "❤️"), ("ok", "ok")]),
        ("wait… a—b", [("wait", "wait"), ("...", "…"), ("a", "a"), ("--", "—"), ("b", "b")]),
        ("``A'' -LRB- b", [('"', "``"), ("a", "A"), ('"', "''"), ("(", "-LRB-"), ("b", "b")]),
        ("see HTTPS://X.org/a, @Joe", [("see", "see"), ("<url>", "HTTPS://X.org/a"), (",", ","), ("<user>", "@Joe")]),
        ("\ufeff good", [("good", "good")]),
        ("x" * 70, [("x" * 3, "x" * 70)]),
        ("ab" * 35, [("ab" * 32, "ab" * 32), ("ab" * 3, "ab" * 3)]),
        ("\u0301" * 9, [("\u0301" * 3, "\u0301" * 9)]),
    ],
)
def test_what_each_token_came_from(tokenizer: Tokenizer, text: str, expected: list[tuple[str, str]]) -> None:
    assert sources(tokenizer, text) == expected


@given(TEXTS)
def test_the_aligned_tokens_are_the_plain_ones(any_tokenizer: Tokenizer, text: str) -> None:
    [aligned], [plain] = any_tokenizer.align([text]), any_tokenizer.tokenize([text])
    assert (Tokens(aligned.tokens, truncated=False), aligned.omitted) == (plain, [])
    assert_in_order(aligned, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a<p>b</p>", [("a", "a"), ("b", "b")]),
        ("&amp;amp;x", [("&", "&amp;amp;"), ("x", "x")]),
        ("ＯＫ！", [("ok", "ＯＫ"), ("!", "！")]),
        ("_Great_ sea_view", [("great", "Great"), ("sea", "sea"), ("view", "view")]),
        ("w o r s e x", [("worsex", "w o r s e x")]),
        ("g o o d, yes", [("good", "g o o d"), (",", ","), ("yes", "yes")]),
        ("#SunnyDay24", [("#", "#"), ("sunny", "Sunny"), ("day", "Day"), ("24", "24")]),
        ("fine :-) (: ok", [("fine", "fine"), (":)", ":-)"), (":)", "(:"), ("ok", "ok")]),
        ("got 4 / 5, ★★★☆☆", [("got", "got"), ("<rating:8>", "4 / 5"), (",", ","), ("<rating:6>", "★★★☆☆")]),
        ("@you 5 stars www.x.org", [("<user>", "@you"), ("<rating:10>", "5 stars"), ("<url>", "www.x.org")]),
        ("🤷🏽‍♀️.", [("🤷", "🤷🏽"), (".", ".")]),
    ],
)
def test_what_each_token_of_form_2_came_from(text: str, expected: list[tuple[str, str]]) -> None:
    assert sources(Tokenizer(TextConfig()), text) == expected


@pytest.mark.parametrize("version", [1, 2])
@given(TEXTS)
def test_a_followed_text_is_the_plain_form(version: int, text: str) -> None:
    alignment = Alignment(range(len(text)))
    form = normalize(text, alignment, form=version)
    assert form == normalize(text, form=version)
    spans = [alignment.span(place, place + 1) for place in range(len(form))]
    assert_in_order(AlignedTokens(list(form), spans, []), text)


@given(st.lists(st.from_regex(r"[b-cB-C][d-fD-F]{1,3}", fullmatch=True), min_size=1, max_size=20), st.data())
def test_plain_words_are_where_they_stand(tokenizer: Tokenizer, words: list[str], data: st.DataObject) -> None:
    gaps = st.sampled_from([" ", "  ", "\n", "<br />", "\t", " \u200b ", "&nbsp;", "\r\n"])
    text = "".join(word + data.draw(gaps) for word in words)
    [aligned] = tokenizer.align([text])
    written = [text[start:end] for start, end in aligned.spans]
    assert [word.lower() for word in written] == aligned.tokens
    assert "".join(written) == "".join(words)


# Where the middle is left out


@given(st.one_of(TEXTS, st.lists(st.sampled_from(TRICKY), min_size=10, max_size=60).map(" ".join)))
def test_a_truncated_text_keeps_its_places(small: Tokenizer, text: str) -> None:
    [aligned], [plain] = small.align([text]), small.tokenize([text])
    assert aligned.tokens == plain.tokens
    assert bool(aligned.omitted) == plain.truncated
    assert_in_order(aligned, text)
    assert all(0 <= start < end <= len(text) for start, end in aligned.omitted)


def test_too_many_tokens(small: Tokenizer) -> None:
    text = "  Aa bb cc DD ee ff gg hh"
    [aligned] = small.align([text])
    assert sources(small, text) == [(word.lower(), word) for word in "Aa bb cc ff gg hh".split()]
    assert [text[start:end] for start, end in aligned.omitted] == ["DD ee"]


def test_too_many_characters(small: Tokenizer) -> None:
    text = f" Head {'-' * 200} tail "
    [aligned] = small.align([text])
    assert small.config.max_characters == 96
    assert sources(small, text)[0] == ("head", "Head")
    assert sources(small, text)[-1] == ("tail", "tail")
    [(start, end)] = aligned.omitted
    assert (start, end) == (1 + 48, len(text) - 1 - 48)


def test_too_many_of_both(small: Tokenizer) -> None:
    text = "first " + "word " * 100 + "last"
    [aligned] = small.align([text])
    assert aligned.tokens == ["first", "word", "word", "word", "word", "last"]
    [(start, end)] = aligned.omitted
    assert text[:start].rstrip() == "first word word"
    assert text[end:] == " word word last"


def test_too_many_of_both_in_different_places(small: Tokenizer) -> None:
    text = f"{'ab' * 40} {'a1 ' * 30}".strip()
    [aligned] = small.align([text])
    assert aligned.tokens[0] == "ab" * 24
    assert aligned.omitted[0] == (48, len(text) - 48)
    assert len(aligned.omitted) == 2
    assert aligned.omitted[0][1] <= aligned.omitted[1][0]
