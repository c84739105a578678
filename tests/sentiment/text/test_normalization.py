"""One form for everybody: each rule by its example, and what holds for any text at all."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.text.normalization import MAX_COMBINING_MARKS, MAX_REPEATS, normalize


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # HTML
        ("one<br />two<BR>three<br   />four", "one two three four"),
        ("salt &amp; pepper", "salt & pepper"),
        ("&quot;fine&quot; &lt;3 &#39;ok&#39; &#x2019;s", "\"fine\" <3 'ok' 's"),
        ("&lt;br /&gt;", " "),
        ("a &amp b &nosuchentity; &#10000000000;", "a &amp b &nosuchentity; &#10000000000;"),
        # Unicode and case
        ("cafe\u0301", "caf\u00e9"),
        ("GREAT ΑΣ ÉTÉ", "great ας été"),
        ("so\u00adft\u200b zero\ufeff", "soft zero"),
        ("\u202edirection\u202c", "direction"),
        # repeats
        ("soooooooo", "sooo"),
        ("SoOoO!!!!!!!", "sooo!!!"),
        ("good", "good"),
        ("10000000", "10000000"),
        # typography and Penn Treebank
        ("“Good” ‘fine’ it’s", "\"good\" 'fine' it's"),
        ("`` good '' ` fine '", "\" good \" ' fine '"),
        ("‘‘good’’ «good»", '"good" "good"'),
        ("-LRB- sic -RRB- -lsb- x -rsb- -LCB- y -RCB-", "( sic ) [ x ] { y }"),
        ("and\\/or 5 \\* 5", "and/or 5 * 5"),
        ("wait… a–b c—d", "wait... a-b c -- d"),
        ("do n't it 's I 'm we 'll they 've you 're she 'd", "don't it's i'm we'll they've you're she'd"),
        ("IS N'T", "isn't"),
        ("\u1ffdoxia\u1ffd", "'oxia'"),
        ("'s", "'s"),
        # emoji and what can't be seen
        ("\U0001f44d\U0001f3fd \u2764\ufe0f", "\U0001f44d \u2764"),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f468\u200d\U0001f469\u200d\U0001f467"),
        ("a\x00b\tc\r\nd\x85e", "a b c  d e"),
        ("", ""),
    ],
)  # fmt: skip
def test_each_rule(text: str, expected: str) -> None:
    assert normalize(text, form=1) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Escapes and markup
        ("it&amp;#39;s &amp;amp;quot;on&amp;amp;quot;", 'it\'s "on"'),
        ("one<br />two <P>three</P> <a href='x'>four</a><H1>", "one two  three   four  "),
        ("i <3 u, a < b > c, 3 <5, <joe> <b or c>", "i <3 u, a < b > c, 3 <5, <joe> <b or c>"),
        # Signs of other keyboards
        ("ＧＯＯＤ！　１０", "good! 10"),
        ("isn\u02bct isn\uff07t isn\u2032t isn\u2018t", "isn't isn't isn't isn't"),
        # Emphasis and words joined by it
        ("_lovely_ sea_view __init__", " lovely  sea view  init "),
        ("**so** good, ~~bad~~, s**t 2**3 *sigh*", " so  good,  bad , s**t 2**3 *sigh*"),
        ("@a_b www.x.org/a_b ^_^ -_-", "@a_b www.x.org/a_b :) -_-"),
        ("s l o w l y and p o o r", "slowly and poor"),
        ("a b c", "a b c"),
        ("1 2 3 4 5", "1 2 3 4 5"),
        # Hashtags
        ("#BestHotelEver2024 #NASALaunch #fine x#AbCd", "# best hotel ever 2024 # nasa launch #fine x#abcd"),
        ("www.x.org/#AbCd #sea_view", "www.x.org/#abcd #sea view"),
        # Emoji and emoticons
        ("\U0001f937\U0001f3fd\u200d\u2640\ufe0f 1\ufe0f\u20e3", "\U0001f937 1"),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f468"),
        (":-) :) :] :)))) =) (: (-:", ":) :) :) :) :) :) :)"),
        (":-( :( :'( =( ): :-[", ":( :( :( :( :( :("),
        (":-D xD =D XDD ;-) (; :-/ :-| :-P :-* </333 <33 T_T", ":d :d :d :d ;) ;) :/ :/ :p :* </3 <3 :("),
        ("at 10:30 (see: x) http://x.org re:do f(x)=(y) 1:(a)", "at 10:30 (see: x) http://x.org re:do f(x)=(y) 1:(a)"),
        ("(fine): ok", "(fine): ok"),
        ("¯\\_(ツ)_/¯", "\U0001f937"),
        # Repeats
        ("soooooo ★★★★★ ⭐⭐⭐⭐", "sooo ★★★★★ ⭐⭐⭐⭐"),
    ],
)  # fmt: skip
def test_each_rule_of_form_2(text: str, expected: str) -> None:
    assert normalize(text) == expected


def test_the_ascii_way_and_the_unicode_way_agree() -> None:
    text = "``Soooooo'' GOOD &amp; 'fine' -LRB- is n't it -RRB-\x00\t<br/>end"
    assert normalize(f"{text} é") == f"{normalize(text)} é"


def test_stacked_marks_are_cut_and_kept_marks_are_not() -> None:
    assert normalize("x" + "\u0323" * 100 + "y") == "x" + "\u0323" * min(MAX_COMBINING_MARKS, MAX_REPEATS) + "y"
    vietnamese = "ê\u0301 ô\u0323 ậ"
    assert normalize(vietnamese) == unicodedata.normalize("NFC", vietnamese)
    hebrew = "שָׁלוֹם"
    assert normalize(hebrew) == unicodedata.normalize("NFC", hebrew)


FORMS = pytest.mark.parametrize("version", [1, 2])


@FORMS
@given(st.text())
def test_any_text_has_a_form(version: int, text: str) -> None:
    form = normalize(text, form=version)
    assert unicodedata.is_normalized("NFC", form)
    assert not any(unicodedata.category(character) == "Cc" for character in form)
    assert all(len(set(form[at : at + MAX_REPEATS + 1])) > 1 or form[at].isdigit() or form[at].isspace()
               for at in range(len(form) - MAX_REPEATS))  # fmt: skip


# Escapes are undone once: `&amp;lt;` is `&lt;`, and `\\\\/` is `\\/`. Everything else is in its form the first time.
@FORMS
@given(st.text().filter(lambda text: not {"&", "\\"} & set(unicodedata.normalize("NFKC", text))))
def test_a_form_is_its_own_form(version: int, text: str) -> None:
    form = normalize(text, form=version)
    assert normalize(form, form=version) == form


MARKUP = st.lists(
    st.sampled_from(
        ["<br>", " ", "/>", "`", "'", "''", "n't", "'s", "x", "oooo", "-lrb-", "-", "lrb-", "’", "“", "…", "\u0301",
         "\u200b", "é", "\n"]
    )
)  # fmt: skip


@FORMS
@given(MARKUP)
def test_a_form_of_fragments_is_its_own_form(version: int, fragments: list[str]) -> None:
    form = normalize("".join(fragments), form=version)
    assert normalize(form, form=version) == form
