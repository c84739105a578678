"""Texts to predictions, whatever computes the probabilities: every way in reads and answers through here.

Nothing here imports torch, so that an ONNX model answers where there is none.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sentiment.batching import MAX_BATCH_TOKENS, length_buckets
from sentiment.config import TextConfig
from sentiment.errors import ConfigError, TextError
from sentiment.text.edits import Span
from sentiment.text.tokenizer import Tokenizer, Tokens
from sentiment.text.vocabulary import UNK_ID, Vocabulary


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model says of one text, and how much of it it could read."""

    label: str
    """The likeliest."""
    probabilities: dict[str, float]
    """Of each label; they sum to 1."""
    tokens: int
    """Read by the model."""
    unknown_tokens: int
    """Of these, not in the vocabulary."""
    truncated: bool
    """Whether the middle was left out."""


@dataclass(frozen=True, slots=True)
class ValuePrediction:
    """As `Prediction`, of a model that answers with a number."""

    value: float
    """What the model says: on the scale of the numbers that it learned from."""
    tokens: int
    """Read by the model."""
    unknown_tokens: int
    """Of these, not in the vocabulary."""
    truncated: bool
    """Whether the middle was left out."""


AnyPrediction = Prediction | ValuePrediction
AnswerT = TypeVar("AnswerT", Prediction, ValuePrediction)
PredictorT = TypeVar("PredictorT", bound="Predictor")  # type: ignore[type-arg]


@dataclass(frozen=True, slots=True)
class EncodedText:
    """One text as the network takes it: `token_ids` (T,), never empty."""

    token_ids: list[int]
    truncated: bool


@dataclass(frozen=True, slots=True)
class AlignedText:
    """One text as the network takes it, with the part of it, in code points, that each token came from."""

    text: str
    encoded: EncodedText
    tokens: list[str]  # in their one form; none for a text of signs that normalise to nothing
    spans: list[Span]  # of each token id; neither starts nor ends ever decrease
    omitted: list[Span]  # what of a truncated text was not read


class Predictor(ABC, Generic[AnswerT]):
    """Vocabulary and text steps of a model, and the way from texts to predictions through its network.

    Raises ConfigError for a language that can't be split into words here.
    """

    def __init__(self, *, name: str, version: str, vocabulary: Vocabulary, text_config: TextConfig) -> None:
        self.name = name
        self.version = version
        self.vocabulary = vocabulary
        self.text_config = text_config
        self._tokenizer = Tokenizer(text_config)

    def predict(self, texts: Sequence[str]) -> list[AnswerT]:
        """A prediction a text, in the order given. Raises TextError, naming the index, for one that can't be read."""
        return self.classify(self.encode(texts))

    def predict_steps(self, text: str) -> list[AnswerT]:
        """A prediction after each token that is read of the text, as if it ended there; the last one is `predict`'s.

        Raises TextError as `predict` does, and ConfigError for a network that doesn't read one way.
        """
        [encoded] = self.encode([text])
        return [
            self._prediction(EncodedText(encoded.token_ids[:end], encoded.truncated), answer)
            for end, answer in enumerate(self._steps(encoded.token_ids), start=1)
        ]

    def encode(self, texts: Sequence[str]) -> list[EncodedText]:
        """The token ids of each text. Raises TextError for a text that is blank, not a str or not valid Unicode."""
        return self._encoded(self._tokenizer.tokenize(checked_texts(texts)))

    def encode_tokens(self, texts: Sequence[Sequence[str]]) -> list[EncodedText]:
        """As `encode`, of texts that were split into tokens elsewhere."""
        return self._encoded(self._tokenizer.adopt(texts))

    def align(self, texts: Sequence[str]) -> list[AlignedText]:
        """As `encode`, with each token's place in its text. Slower."""
        texts = checked_texts(texts)
        aligned = []
        for text, (tokens, spans, omitted) in zip(texts, self._tokenizer.align(texts), strict=True):
            encoded = EncodedText(self.vocabulary.encode(tokens) or [UNK_ID], bool(omitted))
            aligned.append(AlignedText(text, encoded, tokens, spans or [(0, len(text))], omitted))
        return aligned

    def classify(self, encoded: Sequence[EncodedText]) -> list[AnswerT]:
        """A prediction for each encoded text, in the order given, whatever it is batched with."""
        answers: dict[int, list[float]] = {}
        for places in self._buckets([len(text.token_ids) for text in encoded]):
            rows = self._answers([encoded[place].token_ids for place in places])
            answers.update(zip(places, rows, strict=True))
        return [self._prediction(text, answers[place]) for place, text in enumerate(encoded)]

    @property
    def tokenizer(self) -> Tokenizer:
        """The step from text to tokens."""
        return self._tokenizer

    def warm(self: PredictorT) -> PredictorT:
        """Itself, its first answers as fast as its later ones: for a process that answers many."""
        self._tokenizer.warm(self.vocabulary.tokens)
        self.predict(["warm"])
        return self

    def _encoded(self, texts: Sequence[Tokens]) -> list[EncodedText]:
        # A text of signs that normalise to nothing still has a length: one token, unknown.
        return [EncodedText(self.vocabulary.encode(tokens) or [UNK_ID], truncated) for tokens, truncated in texts]

    def _buckets(self, lengths: Sequence[int]) -> list[list[int]]:
        """Which texts of these lengths the network reads together."""
        return length_buckets(lengths, MAX_BATCH_TOKENS)

    @abstractmethod
    def _answers(self, token_ids: Sequence[Sequence[int]]) -> list[list[float]]:
        """The numbers that the network answers each row of token ids with: (N, C)."""

    def _steps(self, token_ids: Sequence[int]) -> list[list[float]]:
        """The numbers that the network answers a row with after each of its tokens: (T, C)."""
        raise ConfigError("an answer after each word takes a model folder's own network, not an exported one")

    @abstractmethod
    def _prediction(self, text: EncodedText, answer: list[float]) -> AnswerT:
        """What the numbers (C,) say of the text."""


class LabelPredictor(Predictor[Prediction]):
    """A predictor whose network answers with the probability of each label: rows of (N, C), each summing to 1."""

    def __init__(
        self, *, name: str, version: str, labels: tuple[str, ...], vocabulary: Vocabulary, text_config: TextConfig
    ) -> None:
        super().__init__(name=name, version=version, vocabulary=vocabulary, text_config=text_config)
        self.labels = labels

    def _prediction(self, text: EncodedText, answer: list[float]) -> Prediction:
        return Prediction(
            label=self.labels[max(range(len(answer)), key=answer.__getitem__)],
            probabilities=dict(zip(self.labels, answer, strict=True)),
            tokens=len(text.token_ids),
            unknown_tokens=text.token_ids.count(UNK_ID),
            truncated=text.truncated,
        )


def checked_texts(texts: Sequence[str]) -> list[str]:
    """The texts. Raises TextError, naming the index, for one that is blank, not a str or not valid Unicode."""
    if isinstance(texts, str):
        raise TextError(0, "texts are a list of str: wrap a single one in []")
    texts = list(texts)  # read twice: an iterator would be empty the second time
    for index, text in enumerate(texts):
        _check(index, text)
    return texts


def _check(index: int, text: object) -> None:
    if not isinstance(text, str):
        raise TextError(index, f"must be a str, not {type(text).__name__}")
    if not text or text.isspace():
        raise TextError(index, "is empty or blank")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        surrogate = f"U+{ord(text[error.start]):04X}"
        reason = f"holds the lone surrogate {surrogate} at character {error.start}: it is not valid Unicode"
        raise TextError(index, reason) from None
