"""Texts with places for words: `The {thing} was {good:upper}.`, where `thing` and `good` are word lists."""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter

from sentiment.errors import ConfigError


def capitalised(text: str) -> str:
    """Return the text with a capital at its start."""
    return text[:1].upper() + text[1:]


def with_article(text: str) -> str:
    """Return the text after "a" or "an"."""
    return f"{'an' if text[:1].lower() in 'aeiou' else 'a'} {text}"


def bare(text: str) -> str:
    """Return the text without its final stops."""
    return text.rstrip(".!?")


def with_typo(text: str) -> str:
    """Return the text with two neighbouring letters within a word swapped: always the same two."""
    places = [
        place
        for place in range(1, len(text) - 1)
        if text[place - 1 : place + 2].isalpha() and text[place] != text[place + 1]
    ]
    if not places:
        return text
    place = random.Random(text).choice(places)
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


FORMS: dict[str, Callable[[str], str]] = {
    "": str,
    "a": with_article,
    "bare": bare,
    "capital": capitalised,
    "lower": str.lower,
    "typo": with_typo,
    "upper": str.upper,
}


@dataclass(frozen=True)
class Template:
    """A text in parts: literal text, then the name of a place and the form of its word, if any."""

    parts: tuple[tuple[str, str | None, str], ...]

    @classmethod
    def of(cls, text: str) -> "Template":
        """Parse a template. Raises ConfigError for unclosed braces and unknown forms."""
        try:
            parsed = list(Formatter().parse(text))
        except ValueError as error:
            raise ConfigError(f"{text!r}: {error}") from None
        for _, name, form, conversion in parsed:
            if conversion or (form or "") not in FORMS:
                wrong, known = conversion or form, ", ".join(filter(None, FORMS))
                raise ConfigError(f"{text!r}: the place {name!r} has the form {wrong!r}; there are {known}")
        return cls(tuple((literal, name, form or "") for literal, name, form, _ in parsed))

    @property
    def places(self) -> tuple[str, ...]:
        """Return the names of the places, each once, in order."""
        return tuple(dict.fromkeys(name for _, name, _ in self.parts if name is not None))

    def filled(self, words: Mapping[str, str]) -> str:
        """Return the text with each place filled by its word."""
        return "".join(
            literal + ("" if name is None else FORMS[form](words[name])) for literal, name, form in self.parts
        )


def fillings(
    places: Sequence[str], lists: Mapping[str, Sequence[str]], at_most: int, seed: str
) -> list[dict[str, str]]:
    """Return words for the places: all combinations, or a sample of `number`, the same for the same seed."""
    total = math.prod(len(lists[place]) for place in places)
    chosen = range(total) if total <= at_most else sorted(random.Random(seed).sample(range(total), at_most))
    found = []
    for number in chosen:
        words = {}
        for place in places:
            number, index = divmod(number, len(lists[place]))
            words[place] = lists[place][index]
        found.append(words)
    return found
