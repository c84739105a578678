"""Turn texts into tokens, and find each token's place in its text."""

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from spacy.lang.lex_attrs import is_punct
from spacy.pipeline import Sentencizer

from sentiment.config import TextConfig
from sentiment.text.edits import Alignment, Span
from sentiment.text.normalization import normalize
from sentiment.text.splitter import Splitter

Lengths = Callable[[Sequence[str]], list[list[int]]]  # of the parts that each token is read as, in characters
SENTENCE_ENDS = frozenset(Sentencizer.default_punct_chars)


class Tokens(NamedTuple):
    """The tokens of one text that are read, and whether any were left out between its head and its tail."""

    tokens: list[str]
    truncated: bool


class AlignedTokens(NamedTuple):
    """Tokens with the span of the text that each part of a token came from, and the spans left out.

    Neither starts nor ends ever decrease; two spans overlap only where one character gave parts of two tokens.
    """

    tokens: list[str]
    spans: list[Span]
    omitted: list[Span]


class PlacedTokens(NamedTuple):
    """A text in its one form, its tokens, none left out, and the span of that form that each came from."""

    form: str
    tokens: list[str]
    spans: list[Span]


class Tokenizer:
    """Splits texts the way its language's rules say. One may be shared by threads.

    Raises ConfigError for a language that spaCy lacks or that needs a package that isn't installed.
    """

    def __init__(self, config: TextConfig) -> None:
        self.config = config
        self._splitter = Splitter(config.language, config.form)
        self.abbreviations = self._splitter.abbreviations

    @property
    def is_busy(self) -> bool:
        """Return whether it is splitting somebody's texts: who asks now waits."""
        return self._splitter.is_busy

    def warm(self, tokens: Iterable[str]) -> None:
        """Keep these words for good, so that meeting them again costs a look-up only."""
        self._splitter.warm(tokens)

    def tokenize(self, texts: Iterable[str]) -> list[Tokens]:
        """Return the tokens of each text, in order. A text of more than `max_tokens` keeps its head and its tail."""
        with self._splitter.memory_zone():
            return [self._tokenize_one(text) for text in texts]

    def align(self, texts: Iterable[str], lengths: Lengths | None = None) -> list[AlignedTokens]:
        """Return the tokens that `tokenize` gives, each with its place in the text, or those of its parts. Slower."""
        with self._splitter.memory_zone():
            return [self._align_one(text, lengths) for text in texts]

    def place(self, texts: Iterable[str]) -> list[PlacedTokens]:
        """Return each text in its one form, with the places of its tokens in it."""
        with self._splitter.memory_zone():
            forms = [normalize(_joined(text, self._parts(text)), form=self.config.form) for text in texts]
            found = [(form, self._splitter.split(form)) for form in forms]
        return [PlacedTokens(form, tokens, list(self._splitter.places(tokens, form))) for form, tokens in found]

    def adopt(self, texts: Iterable[Iterable[str]]) -> list[Tokens]:
        """Normalise the tokens of texts that were split elsewhere, and drop those left blank."""
        adopted = []
        for given in texts:
            tokens = [form for token in given for form in self._splitter.one_form(token)]
            unread = self._unread(len(tokens))
            del tokens[unread]
            adopted.append(Tokens(tokens, unread.stop > 0))
        return adopted

    @staticmethod
    def sentence_starts(tokens: Sequence[str]) -> list[int]:
        """Return the tokens at which spaCy's sentencizer starts a sentence, by its rule and signs, without a Doc."""
        starts = [0] if tokens else []
        ended = False
        for place, token in enumerate(tokens):
            if token in SENTENCE_ENDS:
                ended = True
            elif ended and not is_punct(token):
                starts.append(place)
                ended = False
        return starts

    def _tokenize_one(self, text: str) -> Tokens:
        parts = self._parts(text)
        tokens = self._splitter.split(normalize(_joined(text, parts), form=self.config.form))
        unread = self._unread(len(tokens))
        del tokens[unread]
        return Tokens(tokens, len(parts) > 1 or unread.stop > 0)

    def _align_one(self, text: str, lengths: Lengths | None) -> AlignedTokens:
        parts = self._parts(text)
        omitted = [(head_end, tail_start) for (_, head_end), (tail_start, _) in pairwise(parts)]
        places = list(range(*parts[0]))
        for (joint, _), tail in zip(omitted, parts[1:], strict=True):
            places += [joint, *range(*tail)]
        alignment = Alignment(places)
        form = normalize(_joined(text, parts), alignment, form=self.config.form)
        tokens = self._splitter.split(form)
        places_of_tokens = list(self._splitter.places(tokens, form))
        spans = [alignment.span(*place) for place in places_of_tokens]
        unread = self._unread(len(tokens))
        if unread.stop > 0:
            start, end = spans[unread.start][0], spans[unread.stop - 1][1]
            omitted = sorted([(start, end), *(gap for gap in omitted if gap[0] < start or gap[1] > end)])
        del tokens[unread], spans[unread], places_of_tokens[unread]
        if lengths is not None:
            parts_of_tokens = zip(places_of_tokens, lengths(tokens), strict=True)
            spans = [alignment.span(*part) for place, own in parts_of_tokens for part in _cut(place, own)]
        return AlignedTokens(tokens, spans, omitted)

    def _parts(self, text: str) -> list[Span]:
        """Return the parts of the text to read: all of it or, if it is too long, its head and its tail."""
        limit = self.config.max_characters // 2
        if len(text) <= 2 * limit:
            return [(0, len(text))]
        start, end = len(text) - len(text.lstrip()), len(text.rstrip())
        if end - start <= 2 * limit:
            return [(start, end)]
        return [(start, start + limit), (end - limit, end)]

    def _unread(self, count: int) -> slice:
        """Return the range of `count` tokens to leave out so that the rest are not too many."""
        tail = self.config.max_tokens // 2
        excess = count - self.config.max_tokens
        return slice(self.config.max_tokens - tail, count - tail) if excess > 0 else slice(0, 0)


def _cut(place: Span, lengths: Sequence[int]) -> list[Span]:
    """Return a token's spans in parts of these lengths; a single part, which may stand for a longer URL, has it all."""
    if len(lengths) == 1:
        return [place]
    return list(pairwise(accumulate(lengths, initial=place[0])))


def _joined(text: str, parts: Iterable[Span]) -> str:
    return " ".join([text[start:end] for start, end in parts])
