"""The ways normalisation changes a text, plainly or followed back to the characters that each came from."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence

Span = tuple[int, int]  # start and end, in code points
Change = tuple[int, int, str]  # start, end, and what takes the place of the characters between
Replacement = str | Callable[[re.Match[str]], str]


class Edits:
    """Each returns the changed text, and remembers nothing."""

    def change(self, text: str, changes: Sequence[Change]) -> str:
        """Return `text` with each part replaced; they are in order and don't overlap."""
        pieces: list[str] = []
        done = 0
        for start, end, new in changes:
            pieces += (text[done:start], new)
            done = end
        return "".join(pieces) + text[done:]

    def substitute(self, pattern: re.Pattern[str], replacement: Replacement, text: str) -> str:
        """Return `text` with each match replaced."""
        return pattern.sub(replacement, text)

    def replace(self, old: str, new: str, text: str) -> str:
        """Return `text` with each `old` replaced."""
        return text.replace(old, new)

    def translate(self, table: Mapping[int, str | None], text: str) -> str:
        """Return `text` with each character of the table replaced or, where it says None, left out."""
        return text.translate(table)

    def lower(self, text: str) -> str:
        """Return `text` in lower case."""
        return text.lower()

    def compose(self, text: str) -> str:
        """Return `text` in Unicode's form NFC."""
        return unicodedata.normalize("NFC", text)


class Alignment(Edits):
    """The same changes to one text, and where in the original each character of the latest came from.

    A character left out belongs to the one before it. A replacement that is the beginning of what it replaces keeps
    its characters where they were; any other comes from the whole of what it replaces. So starts never decrease, nor
    do ends, and two spans overlap only where the same characters became several.
    """

    def __init__(self, places: Iterable[int]) -> None:
        """Start from `places`, the places of the text's characters in the original."""
        self._starts = list(places)
        self._ends = [place + 1 for place in self._starts]

    def span(self, start: int, end: int) -> Span:
        """Return the part of the original that the current text's characters `start` to `end` came from."""
        return self._starts[start], self._ends[end - 1]

    def change(self, text: str, changes: Sequence[Change]) -> str:
        """Change and track it. Text inserted between two characters comes from the second."""
        if not changes:
            return text
        starts: list[int] = []
        ends: list[int] = []
        done = 0
        for start, end, new in changes:
            kept = start + len(new) if end - start >= len(new) and text.startswith(new, start) else start
            starts += self._starts[done:kept]
            ends += self._ends[done:kept]
            if kept > start:
                ends[-1] = self._ends[end - 1]
            else:
                starts += [self._starts[start]] * len(new)
                ends += [self._ends[max(start, end - 1)]] * len(new)
            done = end
        self._starts, self._ends = starts + self._starts[done:], ends + self._ends[done:]
        return super().change(text, changes)

    def substitute(self, pattern: re.Pattern[str], replacement: Replacement, text: str) -> str:
        """Substitute and track it."""
        return self.change(
            text,
            [
                (*match.span(), match.expand(replacement) if isinstance(replacement, str) else replacement(match))
                for match in pattern.finditer(text)
            ],
        )

    def replace(self, old: str, new: str, text: str) -> str:
        """Replace and track it."""
        return self.substitute(re.compile(re.escape(old)), lambda _: new, text) if old in text else text

    def translate(self, table: Mapping[int, str | None], text: str) -> str:
        """Translate and track it."""
        changed = super().translate(table, text)
        if changed != text:
            self._stretch_each(text, lambda character: len(table.get(ord(character), character) or ""))
        return changed

    def lower(self, text: str) -> str:
        """Lower the case and track it."""
        if not text.isascii():
            self._stretch_each(text, lambda character: len(character.lower()))
        return super().lower(text)

    def compose(self, text: str) -> str:
        """Compose and track it, through the decomposed form that `text` and its composed form share."""
        composed = super().compose(text)
        if composed != text:
            self._stretch(_decomposed_lengths(text))
            starts, ends, place = [], [], 0
            for length in _decomposed_lengths(composed):
                starts.append(self._starts[place])
                ends.append(self._ends[place + length - 1])
                place += length
            self._starts, self._ends = starts, ends
        return composed

    def _stretch_each(self, text: str, length: Callable[[str], int]) -> None:
        """Track a change of each character of `text` by itself, to `length(character)` characters."""
        lengths = {character: length(character) for character in set(text)}
        if set(lengths.values()) != {1}:
            self._stretch([lengths[character] for character in text])

    def _stretch(self, lengths: Sequence[int]) -> None:
        """Track a change that made `lengths[i]` characters of character i."""
        starts: list[int] = []
        ends: list[int] = []
        for start, end, length in zip(self._starts, self._ends, lengths, strict=True):
            if length:
                starts += [start] * length
                ends += [end] * length
            elif ends:
                ends[-1] = end
        self._starts, self._ends = starts, ends


def _decomposed_lengths(text: str) -> list[int]:
    return [len(unicodedata.normalize("NFD", character)) for character in text]
