"""One form for every text, written down here and nowhere else.

Treebank text, web text and plain text of the same words come out the same. Each step takes time in proportion
to the text: no pattern here can backtrack over more than it keeps. There are two forms, as a model reads text in the
one that it was trained in: form 2 also undoes double escapes, markup and what people type beside words (informal.py).
"""

import html
import re
import unicodedata

from sentiment.text.edits import Edits
from sentiment.text.informal import cut_hashtags, in_one_form
from sentiment.text.ratings import STARS

MAX_REPEATS = 3  # "sooooo" reads as "sooo": still longer than "so", yet one form
MAX_ESCAPES = 4  # "&amp;amp;quot;" was escaped three times
MAX_COMBINING_MARKS = 4  # no script stacks more; NFC takes quadratic time on longer stacks

_LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_NAMES = (
    "abbr|article|a|blockquote|body|br|big|b|center|code|dd|del|div|dl|dt|em|font|footer|h[1-6]|head|header|hr|html"
    "|iframe|img|ins|i|li|link|meta|nav|ol|pre|p|script|section|small|span|strike|strong|style|sub|sup|s|table|tbody"
    "|td|tfoot|thead|th|title|tr|tt|ul|u|video"
)
_TAG = re.compile(rf"<(?:/?(?:{_NAMES})\s*/?|(?:{_NAMES})\s+[a-z-]{{1,20}}\s?=[^<>]{{0,2000}})>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
# A combining mark is neither a word character nor a space nor ASCII, but so are emoji: the callback looks closer.
_MARKS = re.compile(rf"[^\w\s\x00-\x7f]{{{MAX_COMBINING_MARKS + 1},}}")
# Digits may repeat. The look-ahead lets them pass, and finds out in half the time that nothing does.
_REPEATS = re.compile(rf"(?=(\S)\1{{{MAX_REPEATS}}})(\D)\2+")
_REPEATS_BUT_STARS = re.compile(rf"(?=(\S)\1{{{MAX_REPEATS}}})([^\d{STARS}])\2+")  # how many there are is the rating
_SPACE_IN_CONTRACTION = re.compile(r"(?<=\w) (?=(?:n't|'(?:s|re|ve|ll|d|m))(?!\w))")
_TREEBANK_BRACKETS = {"-lrb-": "(", "-rrb-": ")", "-lsb-": "[", "-rsb-": "]", "-lcb-": "{", "-rcb-": "}"}

_CONTROLS = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)), " ")
_INVISIBLE = dict.fromkeys(
    (
        0x00AD,  # soft hyphen
        0x200B, 0x200C, 0x200E, 0x200F, 0x2060, 0xFEFF,  # zero width; U+200D stays: it joins emoji
        *range(0x202A, 0x202F), *range(0x2066, 0x206A),  # direction of writing
        0xFE0E, 0xFE0F,  # text or emoji form of one sign
        *range(0x1F3FB, 0x1F400),  # skin tones: an opinion reads the same in each
        *range(0xE0020, 0xE0080),  # tags
    )
)  # fmt: skip
_TYPOGRAPHY = {
    ord(sign): plain
    for signs, plain in (("‘’‚‛′`´\u1ffd", "'"), ("“”„‟«»″", '"'), ("–‐‑‒−", "-"), ("—―", " -- "), ("…", "..."))
    for sign in signs
}
_PLAIN_ASCII = _CONTROLS
_PLAIN = _CONTROLS | _INVISIBLE | _TYPOGRAPHY
_WIDE = {0xFF01 + place: chr(0x21 + place) for place in range(94)} | {0x3000: " "}
_PLAIN_2 = (
    _PLAIN
    | {sign: _TYPOGRAPHY.get(ord(plain), plain) for sign, plain in _WIDE.items()}
    | {ord(sign): "'" for sign in "\u02b9\u02bb\u02bc\u02bd\u02c8\u02ca\u02cb\u2032\u2035\u055a\ua78c"}
    | {0x20E3: None, 0x1F51F: "10"}  # keycaps
)
# Nothing but white space and what Unicode calls default ignorable or a filler; beside others each may mean something.
_UNSEEN = re.compile(
    r"\A[\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+\Z"
)
_FEWER = r"\1" * MAX_REPEATS
_PLAINLY = Edits()


def normalize(text: str, edits: Edits = _PLAINLY, *, form: int = 2) -> str:
    """Return the text in its one form: plain quotes and dashes, lower case, NFC, no markup, no invisible characters.

    It is empty if nothing of the text is visible.
    `edits` makes the changes: an `Alignment` knows afterwards where each character came from. `form` is TextConfig's.
    """
    if "&" in text:
        for _ in range(1 if form == 1 else MAX_ESCAPES):
            escaped, text = text, edits.substitute(_ENTITY, _unescape, text)
            if text == escaped:
                break
    text = _first_form(text, edits) if form == 1 else _second_form(text, edits)
    if not text.isascii():
        text = edits.compose(edits.substitute(_MARKS, _cut_marks, edits.substitute(_UNSEEN, "", text)))
    if "`" in text:
        text = edits.replace("`", "'", edits.replace("``", '"', text))
    if "''" in text:
        text = edits.replace("''", '"', text)
    if "\\" in text:
        text = edits.replace("\\*", "*", edits.replace("\\/", "/", text))
    if "b-" in text:
        for bracket, plain in _TREEBANK_BRACKETS.items():
            text = edits.replace(bracket, plain, text)
    if form == 1:
        text = edits.substitute(_REPEATS, _FEWER, text)
    else:
        text = edits.substitute(_REPEATS_BUT_STARS, _FEWER, in_one_form(text, edits))
    if " '" in text or " n't" in text:
        text = edits.substitute(_SPACE_IN_CONTRACTION, "", text)
    return text


def _first_form(text: str, edits: Edits) -> str:
    """Return the text in plain signs and lower case, its line breaks of HTML white space."""
    if "<" in text:
        text = edits.substitute(_LINE_BREAK, "\n", text)
    if text.isascii():
        return edits.lower(text if text.isprintable() else edits.translate(_PLAIN_ASCII, text))
    return edits.lower(edits.translate(_PLAIN, text))


def _second_form(text: str, edits: Edits) -> str:
    """Apply the first form, drop all HTML tags, and cut hashtags at their capitals."""
    if not text.isascii():
        text = edits.translate(_PLAIN_2, text)
    elif not text.isprintable():
        text = edits.translate(_PLAIN_ASCII, text)
    if "<" in text:
        text = edits.substitute(_TAG, " ", text)
    if "#" in text:
        text = cut_hashtags(text, edits)
    return edits.lower(text)


def _unescape(entity: re.Match[str]) -> str:
    return html.unescape(entity.group())


def _cut_marks(run: re.Match[str]) -> str:
    kept, marks = [], 0
    for character in run.group():
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= MAX_COMBINING_MARKS:
            kept.append(character)
    return "".join(kept)
