"""Ratings of a normalised text: "4/5", "5 stars", "★★☆☆☆", "10 out of 10", each as so many tenths.

Part of the text form 2. Dates, fractions and shares ("9 out of 10 people") are no ratings.
"""

import re
from collections.abc import Mapping

RATINGS = tuple(f"<rating:{tenths}>" for tenths in range(11))
FULL_STARS = "\u2605\u2b50\U0001f31f"
STARS = f"{FULL_STARS}\u2606\u2729\u272e"

_SCALES = (5, 10, 100)  # of a number without the word "stars"
_WORDS = {word: value for value, word in enumerate("zero one two three four five six seven eight nine ten".split())}
_NUMBER = r"-?\d{1,3}(?:[.,]\d{1,2})?"
_BEFORE = r"(?<![\w/$€£#+*])(?<!\d[.,:-])"
_AFTER = r"(?![\w/%])(?![.,:-]\d)"
_SIGNS = rf"{_BEFORE}(?:(?P<score>{_NUMBER})\s?/\s?(?P<scale>5|10|100)|(?P<starred>[0-5](?:[.,]5)?)\*(?!\*)){_AFTER}"
_WORD = "|".join(_WORDS)
_NO_ACTORS = r"(?<!\bthe\s)(?<!\bits\s)(?<!\btheir\s)(?<!\bof\s)(?<!\bthese\s)"  # "the two stars are well cast"
_ENGLISH = rf"""
    {_BEFORE}(?<!\bon\s)(?<!\bby\s)(?<!\bsince\s)(?<!\buntil\s)
    (?: (?P<score>{_NUMBER}|\b(?:{_WORD}))
        (?: \s?/\s?(?P<scale>5|10|100)(?:[\s-]?stars?)?
          | (?:\sstars?)?\sout\sof\s(?:an?\s)?(?:possible\s)?(?P<of>\d{{1,3}}|{_WORD})(?P<stars>[\s-]?stars?)? )
      | (?P<starred>(?:\d{{1,2}}(?:[.,]\d)?|{_NO_ACTORS}\b(?:{_WORD}))
        (?P<half>\sand\sa\shalf|\s?½|\s1/2)?)(?:[\s-]?stars?|\*(?!\*)) )
    {_AFTER}(?!\s(?:of|times?|people|persons?|women|men|doctors|dentists|customers|users|patients|students
    |minutes|hours|days|weeks|months|years|cases|orders|games|cups?|miles?|inch(?:es)?|wars|trek)\b)
"""
# What every rating has, from a sign that is quick to find. The rest of it is at most so many characters away.
_ANCHORS = (
    ("/", re.compile(r"/\s?(?:100?|5)(?!\d)")),
    ("star", re.compile(r"stars?(?!\w)")),
    (" out of ", re.compile(" out of ")),
    ("*", re.compile(r"\*(?<=\d\*)")),
)
_REACH = 64
_PATTERNS: Mapping[str, re.Pattern[str]] = {"en": re.compile(_ENGLISH, re.VERBOSE)}
_ANY_LANGUAGE = re.compile(_SIGNS)


def ratings_in(text: str, language: str) -> list[tuple[int, int, str]]:
    """Return the span and the token of each rating in signs or, in English, in words."""
    anchors = [match.start() for sign, anchor in _ANCHORS if sign in text for match in anchor.finditer(text)]
    if not anchors:
        return []
    pattern = _PATTERNS.get(language, _ANY_LANGUAGE)
    found: list[tuple[int, int, str]] = []
    done = 0
    for place in sorted(anchors):
        if place < done:
            continue
        for match in pattern.finditer(text, max(done, place - _REACH), place + _REACH):
            if match.start() > place:
                break
            token = _token(match.groupdict())
            done = match.end()
            if token:
                found.append((*match.span(), token))
    return found


def of_stars(stars: str) -> str | None:
    """Return the token of full and empty stars in a row; None for a single one, which may be an ornament."""
    full = sum(map(stars.count, FULL_STARS))
    if not full or len(stars) == 1:
        return None
    scale = len(stars) if full < len(stars) else 5 if full <= 5 else 10
    return _tenths(full, scale)


def _token(found: Mapping[str, str | None]) -> str | None:
    starred = found["starred"]
    if starred is not None:
        half = found.get("half") or ""
        score = _value(starred.removesuffix(half)) + (0.5 if half else 0)
        return _tenths(score, 5 if score <= 5 else 10) if score <= 10 else None
    score, of = _value(found["score"] or ""), found.get("of")
    scale = _value(found["scale"] or of or "")
    if found.get("stars"):
        return _tenths(score, scale) if 3 <= scale <= 10 else None
    is_date = scale == 5 and score > 6
    return _tenths(score, scale) if scale in _SCALES and not is_date else None


def _value(number: str) -> float:
    return float(_WORDS[number]) if number in _WORDS else float(number.replace(",", "."))


def _tenths(score: float, scale: float) -> str:
    return RATINGS[max(0, min(10, int((score * 20 + scale) // (2 * scale))))]
