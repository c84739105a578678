"""One form of a text to tokens: spaCy's rules for the language, around what must stay whole in every language."""

import os
import re
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from weakref import WeakSet

import spacy
from spacy.language import Language

from sentiment.errors import ConfigError
from sentiment.text.edits import Span
from sentiment.text.informal import EMOJI
from sentiment.text.normalization import normalize
from sentiment.text.ratings import RATINGS, STARS, of_stars, ratings_in

URL = "<url>"
HANDLE = "<user>"
_STAND_INS = frozenset((URL, HANDLE, *RATINGS))  # tokens that are not what was written

MAX_WORDS_MET = 1_000_000  # then spaCy starts again; a million take 32 MB of its table
RUNS_KEPT = 65_536  # between white space, with their tokens: most of what people write was written before
_MAX_RUN = 64  # spaCy peels affixes off a run one by one: bounded runs keep the time per character flat
_LONG_RUN = re.compile(rf"\S{{{_MAX_RUN}}}")
_FLAG = r"\U0001f1e6-\U0001f1ff"
# One set of first characters lets `re` skip to candidates; each alternative then looks back at its own.
_WHOLE_1 = re.compile(
    rf"""
    [hw@:;=<^\\{_FLAG}{EMOJI}]
    (?: (?P<url>  (?:(?<=h)ttps?://|(?<![\w.]w)(?<=w)ww\.)[^\s<>"]*[\w/] )
      | (?P<handle> (?<![\w@.]@)(?<=@)\w+ )
      | (?<=[{_FLAG}])[{_FLAG}]
      | (?<=[{EMOJI}])(?:\u200d[{EMOJI}])*
      | (?<=[:;=])(?: ['^]?-?[)(\[\]/\\|*@}}{{]+(?![\w/]) | (?<!\w[:;=])[-o^']?[dpo](?!\w) )
      | (?<=<)/?3(?!\w) | (?<=\^)_*\^ | (?<=\\)o/
    )
    """,
    re.VERBOSE,
)
_WHOLE_2 = re.compile(
    _WHOLE_1.pattern.replace("(?: (?P<url>", rf"(?: (?P<stars> (?<=[{STARS}])[{STARS}]* ) | (?P<url>", 1), re.VERBOSE
)
_WHOLE_2_BUT_URLS = re.compile(_WHOLE_2.pattern.replace("[hw@", "[@", 1), re.VERBOSE)  # letters are what takes time


class Splitter:
    """Splits texts of one of TextConfig's forms, each in a `memory_zone`. One may be shared by threads.

    Raises ConfigError for a language that spaCy lacks or that needs a package that isn't installed.
    """

    def __init__(self, language: str, form: int) -> None:
        self.language = language
        self._form = form
        self._nlp = _blank(language)
        self._warm: list[str] = []
        # As written: in lower case spaCy splits them, and their dot would end a sentence.
        rules = getattr(self._nlp.tokenizer, "rules", None) or {}
        self.abbreviations = frozenset(rule for rule in rules if rule.endswith("."))
        # Where no rule reaches over white space, a run of characters has the same tokens everywhere.
        self._by_runs = bool(rules) and not any(len(rule.split()) > 1 for rule in rules)
        self.one_form = lru_cache(RUNS_KEPT)(self._one_form)
        self._tokens_of_run = lru_cache(RUNS_KEPT)(self._split_spaced)
        self._lock = threading.Lock()  # a memory zone belongs to the whole vocabulary, not to a thread
        self._zone: ExitStack | None = None  # where spaCy enters its own, once it is asked
        _splitters.add(self)

    @property
    def is_busy(self) -> bool:
        """Return whether a thread has it in a `memory_zone`."""
        return self._lock.locked()

    def warm(self, tokens: Iterable[str]) -> None:
        """Keep these words for good, so that meeting them again costs a look-up only."""
        with self._lock:
            self._warm += tokens
            for token in self._warm:
                self._nlp.tokenizer(token)
                self._split_plain(token)

    @contextmanager
    def memory_zone(self) -> Iterator[None]:
        """Free the words that spaCy meets meanwhile; it would keep them for as long as the process runs.

        With it spaCy still keeps a slot of its table for each, and only a new one is small again. Entered when spaCy is
        first asked: texts of runs met before need none, and it takes as long as to tokenize a short text.
        """
        with self._lock, ExitStack() as self._zone:
            if len(self._nlp.vocab) > len(self._warm) + MAX_WORDS_MET:
                self._start_anew()
            try:
                yield
            finally:
                self._zone = None

    def release_after_fork(self) -> None:
        """In a forked child, give up what a thread of the parent was in: its lock and its memory zone."""
        if self.is_busy:
            self._lock = threading.Lock()
            self._zone = None
            self._start_anew()

    def _start_anew(self) -> None:
        self._nlp = _blank(self.language)
        for token in self._warm:
            self._nlp.tokenizer(token)

    def split(self, text: str) -> list[str]:
        """Return a normalised text's tokens in order: its parts, or a stand-in such as `<url>` or `<rating:7>`."""
        tokens: list[str] = []
        start = 0
        for begin, end, token in self._kept_whole(text):
            tokens += self._split_plain(text[start:begin])
            tokens.append(token)
            start = end
        return tokens + self._split_plain(text[start:])

    def places(self, tokens: Iterable[str], text: str) -> Iterator[Span]:
        """Return the span of each token in the normalised text: they are its parts, with white space between them."""
        stand_ins = (place for *place, token in self._kept_whole(text) if token in _STAND_INS)
        end = 0
        for token in tokens:
            if token in _STAND_INS:
                start, end = next(stand_ins)
            else:
                start = text.index(token, end)
                end = start + len(token)
            yield start, end

    def _one_form(self, token: str) -> tuple[str, ...]:
        """Return a token that was split elsewhere, as `split` would write it; none where it is blank."""
        form = normalize(token, form=self._form).strip()
        if not form:
            return ()
        match self._kept_whole(form):
            case [(0, end, whole)] if end == len(form):
                return (whole,)
        return (form,) if self._form == 1 else tuple(form.split())

    def _kept_whole(self, text: str) -> list[tuple[int, int, str]]:
        """Return the span and the token of each part that spaCy doesn't split."""
        if self._form == 1:
            return [(*match.span(), _stand_in(match)) for match in _WHOLE_1.finditer(text)]
        pattern = _WHOLE_2 if (":" in text and "://" in text) or "www." in text else _WHOLE_2_BUT_URLS
        found = [(*match.span(), _stand_in(match)) for match in pattern.finditer(text)]
        ratings = ratings_in(text, self.language)
        if not ratings:
            return found
        taken = {place for start, end, _ in found for place in range(start, end)}
        return sorted(found + [each for each in ratings if taken.isdisjoint(range(*each[:2]))])

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

    def _enter_zone(self) -> None:
        if self._zone is not None:
            self._zone.enter_context(self._nlp.memory_zone())
            self._zone = None


def _release_after_fork() -> None:
    for splitter in _splitters:
        splitter.release_after_fork()


_splitters: WeakSet[Splitter] = WeakSet()
os.register_at_fork(after_in_child=_release_after_fork)


def _stand_in(match: re.Match[str]) -> str:
    found = match.group()
    match match.lastgroup:
        case "url":
            return URL
        case "handle":
            return HANDLE
        case "stars":
            return of_stars(found) or found
    return found


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
