"""Text to tokens: spaCy's rules for the language, around what must stay whole in every language."""

import re
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import spacy
from spacy.lang.lex_attrs import is_punct
from spacy.language import Language
from spacy.pipeline import Sentencizer

from sentiment.config import TextConfig
from sentiment.errors import ConfigError
from sentiment.text.edits import Alignment, Span
from sentiment.text.normalization import normalize

SENTENCE_ENDS = frozenset(Sentencizer.default_punct_chars)
URL = "<url>"
HANDLE = "<user>"

MAX_WORDS_MET = 1_000_000  # then spaCy starts anew; a million take 32 MB of its table
RUNS_KEPT = 65_536  # between white space, with their tokens: most of what people write was written before
_MAX_RUN = 64  # spaCy peels affixes off a run one by one: bounded runs keep the time per character flat
_LONG_RUN = re.compile(rf"\S{{{_MAX_RUN}}}")
_EMOJI = r"\u231a\u231b\u23e9-\u23f3\u2600-\u27bf\u2b50\u2b55\U0001f000-\U0001f1e5\U0001f200-\U0001faff"
_FLAG = r"\U0001f1e6-\U0001f1ff"
# One set of first characters lets `re` skip to candidates; each alternative then looks back at its own.
_WHOLE = re.compile(
    rf"""
    [hw@:;=<^\\{_FLAG}{_EMOJI}]
    (?: (?P<url>  (?:(?<=h)ttps?://|(?<![\w.]w)(?<=w)ww\.)[^\s<>"]*[\w/] )
      | (?P<handle> (?<![\w@.]@)(?<=@)\w+ )
      | (?<=[{_FLAG}])[{_FLAG}]
      | (?<=[{_EMOJI}])(?:\u200d[{_EMOJI}])*
      | (?<=[:;=])(?: ['^]?-?[)(\[\]/\\|*@}}{{]+(?![\w/]) | (?<!\w[:;=])[-o^']?[dpo](?!\w) )
      | (?<=<)/?3(?!\w) | (?<=\^)_*\^ | (?<=\\)o/
    )
    """,
    re.VERBOSE,
)


class Tokens(NamedTuple):
    """The tokens of one text that are read, and whether any were left out between its head and its tail."""

    tokens: list[str]
    truncated: bool


class AlignedTokens(NamedTuple):
    """As `Tokens`, with the span of the text that each token came from, and those that were left out.

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
        self._nlp = _blank(config.language)
        self._warm: list[str] = []
        # As written: in lower case spaCy splits them, and their dot would end a sentence.
        rules = getattr(self._nlp.tokenizer, "rules", None) or {}
        self.abbreviations = frozenset(rule for rule in rules if rule.endswith("."))
        # Where no rule reaches over white space, a run of characters has the same tokens wherever it stands.
        self._by_runs = bool(rules) and not any(len(rule.split()) > 1 for rule in rules)
        self._tokens_of_run = lru_cache(RUNS_KEPT)(self._split_spaced)
        self._lock = threading.Lock()  # a memory zone belongs to the whole vocabulary, not to a thread
        self._zone: ExitStack | None = None  # where spaCy enters its own, once it is asked

    def warm(self, tokens: Iterable[str]) -> None:
        """Keeps these words for good, so that meeting them again costs a look-up only."""
        with self._lock:
            self._warm += tokens
            for token in self._warm:
                self._nlp.tokenizer(token)
                self._split_plain(token)

    def tokenize(self, texts: Iterable[str]) -> list[Tokens]:
        """The tokens of each text, in order. A text of more than `max_tokens` keeps its head and its tail."""
        with self._memory_zone():
            return [self._tokenize_one(text) for text in texts]

    def align(self, texts: Iterable[str]) -> list[AlignedTokens]:
        """The tokens that `tokenize` gives, each with its place in the text. Slower."""
        with self._memory_zone():
            return [self._align_one(text) for text in texts]

    def place(self, texts: Iterable[str]) -> list[PlacedTokens]:
        """Each text in its one form, with the places of its tokens in it."""
        with self._memory_zone():
            forms = [normalize(_joined(text, self._parts(text))) for text in texts]
            found = [(form, self._split(form)) for form in forms]
        return [PlacedTokens(form, tokens, list(_places(tokens, form))) for form, tokens in found]

    def adopt(self, texts: Iterable[Iterable[str]]) -> list[Tokens]:
        """As `tokenize`, of texts that were split elsewhere: their tokens in their one form, less those left blank."""
        adopted = []
        for given in texts:
            tokens = [form for form in map(_form, given) if form]
            unread = self._unread(len(tokens))
            del tokens[unread]
            adopted.append(Tokens(tokens, unread.stop > 0))
        return adopted

    @staticmethod
    def sentence_starts(tokens: Sequence[str]) -> list[int]:
        """The places where spaCy's sentencizer sees a sentence begin: by its rule and signs, without a Doc to fill."""
        starts = [0] if tokens else []
        ended = False
        for place, token in enumerate(tokens):
            if token in SENTENCE_ENDS:
                ended = True
            elif ended and not is_punct(token):
                starts.append(place)
                ended = False
        return starts

    @contextmanager
    def _memory_zone(self) -> Iterator[None]:
        """Without it spaCy keeps every word it ever met, and a service would grow for as long as it runs.

        With it spaCy still keeps a slot of its table for each, and only a new one is small again. Entered when spaCy is
        first asked: texts of runs met before need none, and it takes as long as to tokenize a short text.
        """
        with self._lock, ExitStack() as self._zone:
            if len(self._nlp.vocab) > len(self._warm) + MAX_WORDS_MET:
                self._nlp = _blank(self.config.language)
                for token in self._warm:
                    self._nlp.tokenizer(token)
            try:
                yield
            finally:
                self._zone = None

    def _enter_zone(self) -> None:
        if self._zone is not None:
            self._zone.enter_context(self._nlp.memory_zone())
            self._zone = None

    def _tokenize_one(self, text: str) -> Tokens:
        parts = self._parts(text)
        tokens = self._split(normalize(_joined(text, parts)))
        unread = self._unread(len(tokens))
        del tokens[unread]
        return Tokens(tokens, len(parts) > 1 or unread.stop > 0)

    def _align_one(self, text: str) -> AlignedTokens:
        parts = self._parts(text)
        omitted = [(head_end, tail_start) for (_, head_end), (tail_start, _) in pairwise(parts)]
        places = list(range(*parts[0]))
        for (joint, _), tail in zip(omitted, parts[1:], strict=True):
            places += [joint, *range(*tail)]
        alignment = Alignment(places)
        form = normalize(_joined(text, parts), alignment)
        tokens = self._split(form)
        spans = [alignment.span(*place) for place in _places(tokens, form)]
        unread = self._unread(len(tokens))
        if unread.stop > 0:
            start, end = spans[unread.start][0], spans[unread.stop - 1][1]
            omitted = sorted([(start, end), *(gap for gap in omitted if gap[0] < start or gap[1] > end)])
        del tokens[unread], spans[unread]
        return AlignedTokens(tokens, spans, omitted)

    def _parts(self, text: str) -> list[Span]:
        """What of the text is looked at: all of it or, where it is too long, its head and its tail."""
        limit = self.config.max_characters // 2
        if len(text) <= 2 * limit:
            return [(0, len(text))]
        start, end = len(text) - len(text.lstrip()), len(text.rstrip())
        if end - start <= 2 * limit:
            return [(start, end)]
        return [(start, start + limit), (end - limit, end)]

    def _unread(self, count: int) -> slice:
        """Which of `count` tokens are left out so that the rest are not too many."""
        tail = self.config.max_tokens // 2
        excess = count - self.config.max_tokens
        return slice(self.config.max_tokens - tail, count - tail) if excess > 0 else slice(0, 0)

    def _split(self, text: str) -> list[str]:
        tokens: list[str] = []
        start = 0
        for match in _WHOLE.finditer(text):
            tokens += self._split_plain(text[start : match.start()])
            tokens.append({"url": URL, "handle": HANDLE}.get(match.lastgroup or "") or match.group())
            start = match.end()
        return tokens + self._split_plain(text[start:])

    def _split_plain(self, text: str) -> list[str]:
        if not self._by_runs:
            return list(self._split_spaced(text)) if text else []
        tokens: list[str] = []
        for run in text.split():
            tokens += self._tokens_of_run(run) if len(run) < _MAX_RUN else self._split_spaced(run)
        return tokens

    def _split_spaced(self, text: str) -> tuple[str, ...]:
        self._enter_zone()
        spaced = _LONG_RUN.sub(r"\g<0> ", text)
        return tuple(token.text for token in self._nlp.tokenizer(spaced) if not token.is_space)


def _blank(language: str) -> Language:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            nlp = spacy.blank(language)
    except ImportError as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"language: spaCy has no tokenizer for {language!r} here: {reason}") from None
    if hasattr(nlp.tokenizer, "url_match"):
        nlp.tokenizer.url_match = None  # whole URLs never reach it
    return nlp


def _joined(text: str, parts: Iterable[Span]) -> str:
    return " ".join([text[start:end] for start, end in parts])


@lru_cache(RUNS_KEPT)
def _form(token: str) -> str:
    form = normalize(token).strip()
    match = _WHOLE.fullmatch(form)
    return {"url": URL, "handle": HANDLE}.get(match.lastgroup or "", form) if match else form


def _places(tokens: Iterable[str], form: str) -> Iterator[Span]:
    """Where in the normalised text each token stands: spaCy's tokens are its parts, with white space between them."""
    end = 0
    for token in tokens:
        if token in (URL, HANDLE):
            match = _WHOLE.search(form, end)
            assert match is not None
            start, end = match.span()
        else:
            start = form.index(token, end)
            end = start + len(token)
        yield start, end
