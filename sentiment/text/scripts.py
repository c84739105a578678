"""Tell from the letters of texts that they are hardly in the language they are read as."""

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

SAMPLE = 1000  # texts, evenly drawn, and characters of each: enough to know a script by

# The first word of a letter's name in Unicode, and spaCy's codes of the languages written with it. All others are
# written in Latin letters.
_LANGUAGES = {
    "ARABIC": ("ar", "fa", "ur"),
    "ARMENIAN": ("hy",),
    "BENGALI": ("bn",),
    "CJK": ("zh", "ja"),
    "CYRILLIC": ("ru", "uk", "bg", "ky", "mk", "sr", "tt"),
    "DEVANAGARI": ("hi", "mr", "ne", "sa"),
    "ETHIOPIC": ("am", "ti"),
    "GREEK": ("el", "grc"),
    "GUJARATI": ("gu",),
    "HANGUL": ("ko",),
    "HEBREW": ("he",),
    "HIRAGANA": ("ja",),
    "KANNADA": ("kn",),
    "KATAKANA": ("ja",),
    "MALAYALAM": ("ml",),
    "SINHALA": ("si",),
    "TAMIL": ("ta",),
    "TELUGU": ("te",),
    "THAI": ("th",),
    "TIBETAN": ("bo",),
}
_IN_ANY = {"xx", "sr"}  # spaCy's code of several languages, and one that is written in two scripts


def scripts_of(texts: Sequence[str]) -> Counter[str]:
    """Count the letters of some of the texts by their script, as `CJK`."""
    drawn = texts[:: max(1, len(texts) // SAMPLE)]
    characters = Counter(unicodedata.normalize("NFKC", "".join(text[:SAMPLE] for text in drawn)))
    scripts: Counter[str] = Counter()
    for character, times in characters.items():
        if character.isalpha():
            scripts[unicodedata.name(character, "UNNAMED").split()[0]] += times
    return scripts


def contradiction(scripts: Mapping[str, int], language: str) -> str | None:
    """Return in words that most letters are not those of the language; None where they are."""
    own = {script for script, codes in _LANGUAGES.items() if language in codes} or {"LATIN"}
    if language in _IN_ANY or 2 * sum(scripts.get(script, 0) for script in own) >= sum(scripts.values()):
        return None
    script = max(scripts, key=scripts.__getitem__)
    codes = _LANGUAGES.get(script)
    as_in = f", as in {' or '.join(codes[:3])}" if codes else ""
    return (
        f"most letters are {script if script == 'CJK' else script.capitalize()}{as_in}, and they are read as {language}"
    )
