"""Turn texts into predictions with any network. Python, commands, HTTP and files all predict through here.

Nothing here imports torch, so that an ONNX model answers where there is none.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from operator import attrgetter
from typing import Generic, Literal, TypeVar, overload

from sentiment.batching import MAX_BATCH_TOKENS, length_buckets
from sentiment.config import TextConfig
from sentiment.errors import ConfigError, DataError, TextError
from sentiment.frames import Column, texts_of, with_columns
from sentiment.text.edits import Span
from sentiment.text.pieces import CONTINUES
from sentiment.text.tokenizer import AlignedTokens, Tokenizer, Tokens
from sentiment.text.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer to one text, and how much of the text was read."""

    label: str
    """The most probable label."""
    probabilities: dict[str, float]
    """The probability of each label; they sum to 1."""
    tokens: int
    """The number of tokens read."""
    unknown_tokens: int
    """The number of tokens that are not in the vocabulary."""
    truncated: bool
    """True if the middle of the text was left out."""


@dataclass(frozen=True, slots=True)
class ValuePrediction:
    """A `Prediction` of a model that answers with a number."""

    value: float
    """The predicted number, on the scale of the training data."""
    tokens: int
    """The number of tokens read."""
    unknown_tokens: int
    """The number of tokens that are not in the vocabulary."""
    truncated: bool
    """True if the middle of the text was left out."""


BLANK = "is empty or blank"
AnyPrediction = Prediction | ValuePrediction
AnswerT = TypeVar("AnswerT", Prediction, ValuePrediction)
TokensT = TypeVar("TokensT", Tokens, AlignedTokens)
FrameT = TypeVar("FrameT")
ReadT = TypeVar("ReadT")
OnError = Literal["raise", "skip"]
READ_AT_ONCE = 256  # texts; of these, those around one that can't be read are read twice
PROBABILITY = "probability_"  # and a label: the name of its column
PredictorT = TypeVar("PredictorT", bound="Predictor")  # type: ignore[type-arg]


@dataclass(frozen=True, slots=True)
class EncodedText:
    """One text, encoded for the network: `token_ids` (T,), never empty."""

    token_ids: list[int]
    truncated: bool


@dataclass(frozen=True, slots=True)
class AlignedText:
    """One text, encoded for the network, with the span of each token in code points."""

    text: str
    encoded: EncodedText
    tokens: list[str]  # normalised; a word that the vocabulary lacks as its pieces
    spans: list[Span]  # of each token id; neither starts nor ends ever decrease
    omitted: list[Span]  # parts of a truncated text that were not read


_READING = {
    "tokens": Column(int, attrgetter("tokens")),
    "unknown_tokens": Column(int, attrgetter("unknown_tokens")),
    "truncated": Column(bool, attrgetter("truncated")),
}


class Predictor(ABC, Generic[AnswerT]):
    """A model's text steps and vocabulary; subclasses add the network.

    Raises ConfigError for a language that spaCy can't split here.
    """

    def __init__(self, *, name: str, version: str, vocabulary: Vocabulary, text_config: TextConfig) -> None:
        self.name = name
        self.version = version
        self.vocabulary = vocabulary
        self.text_config = text_config
        self._tokenizer = Tokenizer(text_config)

    def __repr__(self) -> str:
        shown = ("name", "version", "labels", "num_parameters")  # of which not every predictor has all
        facts = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown if hasattr(self, name))
        return f"<{type(self).__name__} {facts}>"

    @overload
    def predict(self, texts: Iterable[str], *, on_error: Literal["raise"] = ...) -> list[AnswerT]: ...

    @overload
    def predict(self, texts: Iterable[str], *, on_error: OnError) -> "list[AnswerT | None]": ...

    def predict(self, texts: Iterable[str], *, on_error: OnError = "raise") -> "list[AnswerT] | list[AnswerT | None]":
        """Return a prediction a text of a list, a Series, an array, or a column of Arrow or Polars, in its order.

        Raises TextError, with its index, for an unreadable text, and DataError for a table, a dict, a single
        str, bytes or None, saying what to pass instead. With `on_error` "skip" an unreadable text, or what is no str,
        is answered None.
        """
        if on_error == "raise":
            return self.classify(self.encode(texts))
        if on_error != "skip":
            raise ConfigError(f'on_error is "raise" or "skip", not {on_error!r:.60}')
        column = _column(texts)
        encoded = [
            each
            for start in range(0, len(column), READ_AT_ONCE)
            for each in read_each(column[start : start + READ_AT_ONCE], self.encode)
        ]
        answers = iter(self.classify([each for each in encoded if not isinstance(each, str)]))
        return [None if isinstance(each, str) else next(answers) for each in encoded]

    def predict_frame(
        self, frame: FrameT, text: str = "text", *, prefix: str = "", on_error: OnError = "raise"
    ) -> FrameT:
        """Return the pandas or Polars frame with what `predict` answers to its column `text`.

        The columns added are named as in `sentiment score`: the label and `probability_` of each, or the value, then
        tokens, unknown_tokens and truncated; each after `prefix`. Raises DataError for what is no such frame or lacks
        the column, ConfigError for a frame that has a column of a name to add, and TextError as `predict` does, unless
        `on_error` is "skip": then the row has missing values.
        """
        columns = {f"{prefix}{name}": each for name, each in (self._columns() | _READING).items()}
        found: FrameT = with_columns(frame, columns, self.predict(texts_of(frame, text, columns), on_error=on_error))
        return found

    def predict_steps(self, text: str) -> list[AnswerT]:
        """Return a prediction after each token, as if the text ended there; the last one is `predict`'s.

        Raises TextError as `predict` does, and ConfigError for a network that doesn't read one way.
        """
        [encoded] = self.encode([text])
        return [
            self._prediction(EncodedText(encoded.token_ids[:end], encoded.truncated), answer)
            for end, answer in enumerate(self._steps(encoded.token_ids), start=1)
        ]

    def encode(self, texts: Iterable[str]) -> list[EncodedText]:
        """Return the token ids of each text. Raises TextError if one is blank, not a str or not valid Unicode."""
        return self._encoded(self._tokenizer.tokenize(checked_texts(texts)))

    def encode_tokens(self, texts: Sequence[Sequence[str]]) -> list[EncodedText]:
        """Encode texts that were split into tokens elsewhere."""
        return self._encoded(self._tokenizer.adopt(texts))

    def align(self, texts: Iterable[str]) -> list[AlignedText]:
        """Encode like `encode`, with each token's span in its text. Slower."""
        texts, read = checked_texts(texts), self.vocabulary.read
        aligned = []
        found = self._tokenizer.align(texts, lambda tokens: [[part.length for part in parts] for parts in read(tokens)])
        for text, (tokens, spans, omitted) in zip(texts, _refuse_blank(found), strict=True):
            token_ids, names = [], []
            for token, parts in zip(tokens, read(tokens), strict=True):
                start = 0
                for part in parts:
                    token_ids.append(part.token_id)
                    names.append(f"{CONTINUES * part.continues}{token[start : start + part.length]}")
                    start += part.length
            aligned.append(AlignedText(text, EncodedText(token_ids, bool(omitted)), names, spans, omitted))
        return aligned

    def classify(self, encoded: Sequence[EncodedText]) -> list[AnswerT]:
        """Return a prediction for each encoded text, in the order given, independent of its batch."""
        answers: dict[int, list[float]] = {}
        for places in self._buckets([len(text.token_ids) for text in encoded]):
            rows = self._answers([encoded[place].token_ids for place in places])
            answers.update(zip(places, rows, strict=True))
        return [self._prediction(text, answers[place]) for place, text in enumerate(encoded)]

    @property
    def tokenizer(self) -> Tokenizer:
        """Return the tokenizer."""
        return self._tokenizer

    def warm(self: PredictorT) -> PredictorT:
        """Compute once, so that the first answers are as fast as later ones. Returns the predictor itself."""
        self._tokenizer.warm(self.vocabulary.words)
        self.predict(["warm"])
        return self

    def _encoded(self, texts: Sequence[Tokens]) -> list[EncodedText]:
        return [EncodedText(self.vocabulary.encode(tokens), truncated) for tokens, truncated in _refuse_blank(texts)]

    def _buckets(self, lengths: Sequence[int]) -> list[list[int]]:
        """Group the indices of texts of these lengths into the network's batches."""
        return length_buckets(lengths, MAX_BATCH_TOKENS)

    @abstractmethod
    def _answers(self, token_ids: Sequence[Sequence[int]]) -> list[list[float]]:
        """Return the network's numbers for each row of token ids: (N, C)."""

    def _steps(self, token_ids: Sequence[int]) -> list[list[float]]:
        """Return the network's numbers after each token of a row: (T, C)."""
        raise ConfigError("an answer after each word takes a model folder's own network, not an exported one")

    @abstractmethod
    def _columns(self) -> dict[str, Column]:
        """Return the columns of a frame that hold an answer, by name."""

    @abstractmethod
    def _prediction(self, text: EncodedText, answer: list[float]) -> AnswerT:
        """Return the prediction of the network's numbers (C,) for the text."""


class LabelPredictor(Predictor[Prediction]):
    """A predictor whose network answers with the probability of each label: rows of (N, C), each summing to 1."""

    def __init__(
        self, *, name: str, version: str, labels: tuple[str, ...], vocabulary: Vocabulary, text_config: TextConfig
    ) -> None:
        super().__init__(name=name, version=version, vocabulary=vocabulary, text_config=text_config)
        self.labels = labels

    def _columns(self) -> dict[str, Column]:
        def probability(label: str) -> Callable[[Prediction], float]:
            return lambda prediction: prediction.probabilities[label]

        shares = {f"{PROBABILITY}{label}": Column(float, probability(label)) for label in self.labels}
        return {"label": Column(str, attrgetter("label")), **shares}

    def _prediction(self, text: EncodedText, answer: list[float]) -> Prediction:
        tokens, unknown_tokens = self.vocabulary.count(text.token_ids)
        return Prediction(
            label=self.labels[max(range(len(answer)), key=answer.__getitem__)],
            probabilities=dict(zip(self.labels, answer, strict=True)),
            tokens=tokens,
            unknown_tokens=unknown_tokens,
            truncated=text.truncated,
        )


def checked_texts(texts: Iterable[str]) -> list[str]:
    """Return the texts of a list, a tuple, a Series, an array of NumPy, or a column of Arrow or Polars.

    Raises DataError for anything else than a column of texts, and TextError, with its index, if one is blank, not a
    str or not valid Unicode.
    """
    found = _column(texts)
    for index, text in enumerate(found):
        _check(index, text)
    return found


def read_each(texts: Sequence[str], read: Callable[[Sequence[str]], Sequence[ReadT]]) -> list[ReadT | str]:
    """Return what `read` makes of each text, or why it can't be read: one that fails costs the others nothing."""
    found: list[ReadT | str] = []
    while len(found) < len(texts):
        rest = texts[len(found) :]
        try:
            found += read(rest)
        except TextError as error:  # those after the one refused are still to be read, and those before it once more:
            found += read_each(rest[: error.index], read)  # what is blank in its one form is refused after all others
            found.append(error.reason)
    return found


def _column(texts: Iterable[str]) -> list[str]:
    if reason := _not_a_column(texts):
        raise DataError(f"texts are a list of str, {reason}")
    # Arrow's own elements are no str. Read twice: an iterator would be empty the second time.
    return texts.to_pylist() if hasattr(texts, "to_pylist") else list(texts)


def _not_a_column(texts: object) -> str | None:
    """Return what to pass instead of something that has no texts in an order; None for what has."""
    if isinstance(texts, str):
        return "not a str: wrap a single one in []"
    if isinstance(texts, bytes | bytearray | memoryview):
        return f"not {type(texts).__name__}: decode them, as in [texts.decode()]"
    if isinstance(texts, Mapping):
        return f"not a {type(texts).__name__}: pass the texts in it, as in list(texts.values())"
    if isinstance(texts, set | frozenset):
        return f"not a {type(texts).__name__}, which has no order: pass a list"
    shape = tuple(getattr(texts, "shape", (0,)))
    if len(shape) != 1:
        names = list(getattr(texts, "column_names", getattr(texts, "columns", ())))  # Arrow's, else pandas' and Polars'
        if not names:
            return f"not an array of shape {shape}: pass one of shape (N,), as in array[:, 0]"
        column, others = "text" if "text" in names else names[0], ", ".join(map(str, names))
        return f"not a table: pass one of its columns, as in table[{column!r:.60}], of {others:.200}"
    if isinstance(texts, Iterable | Sized):  # the latter by their places, as PyTorch's data sets are read
        return None
    return f"not {type(texts).__name__}: pass a list, a Series or an array of str"


def _refuse_blank(texts: Sequence[TokensT]) -> Sequence[TokensT]:
    """Return the texts. Raises TextError, naming the index, for one of markup or invisible signs alone."""
    for index, text in enumerate(texts):
        if not text.tokens:
            raise TextError(index, BLANK)
    return texts


def _check(index: int, text: object) -> None:
    if not isinstance(text, str):
        raise TextError(index, f"must be a str, not {type(text).__name__}")
    if not text or text.isspace():
        raise TextError(index, BLANK)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        surrogate = f"U+{ord(text[error.start]):04X}"
        reason = f"holds the lone surrogate {surrogate} at character {error.start}: it is not valid Unicode"
        raise TextError(index, reason) from None
