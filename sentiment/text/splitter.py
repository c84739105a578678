"""One form of a text to tokens: spaCy's rules for the language, around what must stay whole in every language."""

import re
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache

import spacy
from spacy.language import Language

from sentiment.errors import ConfigError
from sentiment.text.edits import Span
from sentiment.text.normalization import normalize

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


class Splitter:
    """Splits normalised texts, each in a `memory_zone`. One may be shared by threads.

    Raises ConfigError for a language that spaCy lacks or that needs a package that isn't installed.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self._nlp = _blank(language)
        self._warm: list[str] = []
        # As written: in lower case spaCy splits them, and their dot would end a sentence.
        rules = getattr(self._nlp.tokenizer, "rules", None) or {}
        self.abbreviations = frozenset(rule for rule in rules if rule.endswith("."))
        # Where no rule reaches over white space, a run of characters has the same tokens wherever it stands.
        self._by_runs = bool(rules) and not any(len(rule.split()) > 1 for rule in rules)
        self._tokens_of_run = lru_cache(RUNS_KEPT)(self._split_spaced)
        self._lock = threading.Lock()  # a memory zone belongs to the whole vocabulary, not to a thread
        self._zone: ExitStack | None = None  # where spaCy enters its own, once it is asked

    @property
    def is_busy(self) -> bool:
        """Whether a thread has it in a `memory_zone`."""
        return self._lock.locked()

    def warm(self, tokens: Iterable[str]) -> None:
        """Keeps these words for good, so that meeting them again costs a look-up only."""
        with self._lock:
            self._warm += tokens
            for token in self._warm:
                self._nlp.tokenizer(token)
                self._split_plain(token)

    @contextmanager
    def memory_zone(self) -> Iterator[None]:
        """Without it spaCy keeps every word it ever met, and a service would grow for as long as it runs.

        With it spaCy still keeps a slot of its table for each, and only a new one is small again. Entered when spaCy is
        first asked: texts of runs met before need none, and it takes as long as to tokenize a short text.
        """
        with self._lock, ExitStack() as self._zone:
            if len(self._nlp.vocab) > len(self._warm) + MAX_WORDS_MET:
                self._nlp = _blank(self.language)
                for token in self._warm:
                    self._nlp.tokenizer(token)
            try:
                yield
            finally:
                self._zone = None

    def split(self, text: str) -> list[str]:
        """The tokens of a normalised text: those without white space are its parts, in order."""
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

    def _enter_zone(self) -> None:
        if self._zone is not None:
            self._zone.enter_context(self._nlp.memory_zone())
            self._zone = None


@lru_cache(RUNS_KEPT)
def one_form(token: str) -> str:
    """A token that was split elsewhere, as `Splitter` would write it; empty where it is blank."""
    form = normalize(token).strip()
    match = _WHOLE.fullmatch(form)
    return {"url": URL, "handle": HANDLE}.get(match.lastgroup or "", form) if match else form


def places_of(tokens: Iterable[str], form: str) -> Iterator[Span]:
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
