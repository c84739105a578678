"""Bring informal signs into one form: hashtags, emphasis, spaced letters, emoji and emoticons.

Part of the text form 2. Each step takes linear time: what a pattern tries twice is bounded.
"""

import re

from sentiment.text.edits import Change, Edits

EMOJI = r"\u231a\u231b\u23e9-\u23f3\u2600-\u27bf\u2b50\u2b55\U0001f000-\U0001f1e5\U0001f200-\U0001faff"
MIN_LETTERS_APART = 4  # "t e r r i b l e"; of fewer, "a b c" is more often a list
MAX_LETTERS_APART = 40  # what is longer is hardly a word

_HASHTAG = re.compile(r"#(?<![\w/#&.?=]#)(\w{2,})")  # not the part of a URL
_BOLD = re.compile(
    r"""\*\*(?<![\w*]\*\*)(?=[\w"'(])[^*]{1,100}\*\*(?![\w*])|~~(?<![\w~]~~)(?=[\w"'(])[^~]{1,100}~~(?![\w~])"""
)
_UNDERSCORES = re.compile(r"(?:https?://|www\.)\S+|@\w+|_+")
_LETTERS_APART_HINT = re.compile(r" \w \w ")  # fast: it starts at a literal character
_LETTERS_APART = re.compile(rf"(?<!\S)(?:[^\W\d_] ){{{MIN_LETTERS_APART - 1},}}[^\W\d_](?![\w'])")
_JOINED_EMOJI = re.compile(rf"(?<=[{EMOJI}])(?:\u200d[{EMOJI}])+")
_SHRUG = re.compile(r"¯\\?_?\(ツ\)_?/?¯")
# Eyes, a nose or a tear, a mouth. An equals sign is no pair of eyes after what precedes one in a formula.
_EMOTICON = re.compile(
    r"""[:;=](?<![\w)\]"'/=<>!+*-]=)
    (?: [-'o^]{0,2}(?P<mouth>[)\]}]+|[(\[{]+|[/\\|*@])(?![\w/\\|(\[{*@])
      | (?<!\w[:;=])['^-]{0,2}(?P<letter>d+|p|o)(?!\w) )""",
    re.VERBOSE,
)
_REVERSED = re.compile(r"[:;=](?:(?<=[()][:;=])|(?<=[()][-'][:;=]))(?![^\s.,!?])")
_LAUGH = re.compile(r"\bxd+\b(?!')")
_HEARTS = re.compile(r"(</?3)3+(?!\w)")
_CARETS = re.compile(r"\^[_.-]{1,3}\^")
_WEEPING = re.compile(r"(?<!\w)(?:t_{1,3}t|q_{1,3}q|;_{1,3};|;-;)(?!\w)")
_MOUTHS = {
    **dict.fromkeys(")]}", ":)"), **dict.fromkeys("([{", ":("), **dict.fromkeys("/\\|", ":/"), "*": ":*", "@": ":@",
}  # fmt: skip


def cut_hashtags(text: str, edits: Edits) -> str:
    """Return the text, its case as it was written, with `#BestDay2020` as `# Best Day 2020`."""
    changes: list[Change] = []
    for match in _HASHTAG.finditer(text):
        start, end = match.span(1)
        borders = [place for place in range(start + 1, end) if _is_border(text, place, end)]
        if borders:
            changes += [(place, place, " ") for place in (start, *borders)]
    return edits.change(text, changes) if changes else text


def _is_border(text: str, place: int, end: int) -> bool:
    """Return whether a word of a hashtag that ends at `end` starts here: at a capital, a number or behind one."""
    before, here = text[place - 1], text[place]
    if before.isdigit() != here.isdigit():
        return "_" not in (before, here)
    if here.isupper() and before.isalpha():
        return before.islower() or (place + 1 < end and text[place + 1].islower())
    return False


def in_one_form(text: str, edits: Edits) -> str:
    """Return the text in lower case, without emphasis, with spaced letters joined and fewer kinds of emoticons."""
    if not text.isascii():
        if "\u200d" in text:
            text = edits.substitute(_JOINED_EMOJI, "", text)
        if "ツ" in text:
            text = edits.substitute(_SHRUG, "\U0001f937", text)
    if ":" in text or "=" in text or ";" in text:
        text = edits.substitute(_EMOTICON, _emoticon, text)
        text = edits.change(text, _reversed_emoticons(text))
    if "xd" in text:
        text = edits.substitute(_LAUGH, ":d", text)
    if "3" in text and "33" in text:  # one sign is found ten times as fast as two
        text = edits.substitute(_HEARTS, r"\1", text)
    if "^" in text:
        text = edits.substitute(_CARETS, ":)", text)
    if "_" in text:
        text = edits.substitute(_WEEPING, ":(", text)
        text = edits.substitute(_UNDERSCORES, _space_at_a_word, text)
    if ("*" in text and "**" in text) or ("~" in text and "~~" in text):
        matches = [match.span() for match in _BOLD.finditer(text)]
        text = edits.change(
            text, [change for start, end in matches for change in ((start, start + 2, " "), (end - 2, end, " "))]
        )
    if _LETTERS_APART_HINT.search(text):
        spans = [match.span() for match in _LETTERS_APART.finditer(text) if _is_word_apart(match.group())]
        text = edits.change(text, [(at, at + 1, "") for start, end in spans for at in range(start + 1, end, 2)])
    return text


def _is_word_apart(letters: str) -> bool:
    """Return whether letters with spaces between them are in lower case, and no more than a word has."""
    return letters.islower() and len(letters) < 2 * MAX_LETTERS_APART


def _emoticon(match: re.Match[str]) -> str:
    letter = match["letter"]
    if letter:
        return f":{letter[0]}"
    found = _MOUTHS[match["mouth"][0]]
    return ";)" if found == ":)" and match.group()[0] == ";" else found


def _reversed_emoticons(text: str) -> list[Change]:
    """Return the changes of `(:` and `):`, where white space is before them: "(as it was):" is none."""
    changes: list[Change] = []
    for match in _REVERSED.finditer(text):
        start = match.start() - (1 if text[match.start() - 1] in "()" else 2)
        if not start or text[start - 1].isspace():
            happy = ";)" if match.group() == ";" else ":)"
            changes.append((start, match.end(), happy if text[start] == "(" else ":("))
    return changes


def _space_at_a_word(match: re.Match[str]) -> str:
    """Return a space for underscores beside a letter or digit; URLs, handles and faces keep theirs."""
    found = match.group()
    if not found.startswith("_"):
        return found
    start, end = match.span()
    around = match.string[start - 1 : start] + match.string[end : end + 1]
    return " " if any(map(str.isalnum, around)) else found
