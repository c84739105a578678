"""Turn texts into predictions with any network. Python, commands, HTTP and files all predict through here.

Nothing here imports torch, so that an ONNX model answers where there is none.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Generic, Literal, TypeVar, overload

from sentiment.batching import MAX_BATCH_TOKENS, length_buckets
from sentiment.config import TextConfig
from sentiment.errors import ConfigError
from sentiment.frames import Column, texts_of, with_columns
from sentiment.text.edits import Span
from sentiment.text.inputs import checked_texts, column_of, read_each, refuse_blank
from sentiment.text.pieces import CONTINUES
from sentiment.text.tokenizer import Tokenizer, Tokens
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


AnyPrediction = Prediction | ValuePrediction
AnswerT = TypeVar("AnswerT", Prediction, ValuePrediction)
FrameT = TypeVar("FrameT")
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
        column = column_of(texts)
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
        for text, (tokens, spans, omitted) in zip(texts, refuse_blank(found), strict=True):
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
        return [EncodedText(self.vocabulary.encode(tokens), truncated) for tokens, truncated in refuse_blank(texts)]

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

    labels: tuple[str, ...]

    def _columns(self) -> dict[str, Column]:
        def probability(label: str) -> Callable[[Prediction], float]:
            return lambda prediction: prediction.probabilities[label]

        shares = {f"{PROBABILITY}{label}": Column(float, probability(label)) for label in self.labels}
        return {"label": Column(str, attrgetter("label")), **shares}

    def _prediction(self, text: EncodedText, answer: list[float]) -> Prediction:
        label = self.labels[max(range(len(answer)), key=answer.__getitem__)]
        probabilities = dict(zip(self.labels, answer, strict=True))
        return Prediction(label, probabilities, *self.vocabulary.count(text.token_ids), text.truncated)
