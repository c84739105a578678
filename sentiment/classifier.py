"""Texts to predictions: the one way from text to probabilities, for every way in."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sentiment import bundle as bundles
from sentiment.batching import PaddedBatch, length_buckets
from sentiment.bundle import Bundle
from sentiment.config import TextConfig
from sentiment.errors import BundleError, ConfigError, TextError
from sentiment.nn.model import SentimentModel
from sentiment.text.edits import Span
from sentiment.text.tokenizer import Tokenizer
from sentiment.text.vocabulary import UNK_ID, Vocabulary

if TYPE_CHECKING:
    from sentiment.explain import Explanation, SentenceView, SplitText, Trace

MAX_BATCH_TOKENS = 8192  # padded; larger batches leave the cache and get slower (benchmarks/core.py)
GOLDEN_TOLERANCE = 1e-4
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model says of one text, and how much of it it could read."""

    label: str
    probabilities: dict[str, float]  # of each label; they sum to 1
    tokens: int  # read by the model
    unknown_tokens: int  # of these, not in the vocabulary
    truncated: bool  # whether the middle was left out


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


class Classifier:
    """A model ready to answer. One may be shared by threads."""

    def __init__(self, bundle: Bundle, *, dtype: str = "float32") -> None:
        if dtype not in DTYPES:
            raise ConfigError(f"dtype: one of {', '.join(DTYPES)}, not {dtype!r}")
        self.name = bundle.name
        self.version = bundle.version
        self.labels = bundle.labels
        self.metrics = bundle.metrics
        self.card = bundle.card
        self.vocabulary: Vocabulary = bundle.vocabulary
        self.text_config: TextConfig = bundle.text_config
        self.dtype = dtype
        self.num_parameters = bundle.model.num_parameters()
        self._temperature = bundle.temperature
        self._tokenizer = Tokenizer(bundle.text_config)
        # Another dtype is another model: the bundle's own stays as it is.
        model = bundle.model if dtype == "float32" else copy.deepcopy(bundle.model)
        self._model = model.to(DTYPES[dtype]).eval()

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """A prediction a text, in the order given. Raises TextError, naming the index, for one that can't be read."""
        return self.classify(self.encode(texts))

    def encode(self, texts: Sequence[str]) -> list[EncodedText]:
        """The token ids of each text. Raises TextError for a text that is blank, not a str or not valid Unicode."""
        texts = _checked(texts)
        encoded = []
        for tokens, truncated in self._tokenizer.tokenize(texts):
            # A text of signs that normalise to nothing still has a length: one token, unknown.
            encoded.append(EncodedText(self.vocabulary.encode(tokens) or [UNK_ID], truncated))
        return encoded

    def align(self, texts: Sequence[str]) -> list[AlignedText]:
        """As `encode`, with each token's place in its text. Slower."""
        texts = _checked(texts)
        aligned = []
        for text, (tokens, spans, omitted) in zip(texts, self._tokenizer.align(texts), strict=True):
            encoded = EncodedText(self.vocabulary.encode(tokens) or [UNK_ID], bool(omitted))
            aligned.append(AlignedText(text, encoded, tokens, spans or [(0, len(text))], omitted))
        return aligned

    def classify(self, encoded: Sequence[EncodedText]) -> list[Prediction]:
        """A prediction for each encoded text, in the order given, whatever it is batched with."""
        probabilities: dict[int, list[float]] = {}
        for places in length_buckets([len(text.token_ids) for text in encoded], MAX_BATCH_TOKENS):
            batch = PaddedBatch.of([encoded[place].token_ids for place in places])
            probabilities.update(zip(places, self._probabilities(batch).tolist(), strict=True))
        return [self._prediction(text, probabilities[place]) for place, text in enumerate(encoded)]

    # The views from inside stand on a classifier, so they are imported when asked for: the arrow points down.
    def explain(self, texts: Sequence[str]) -> "list[Explanation]":
        """Which words decided: an explanation a text, in the order given. See sentiment/explain/words.py."""
        from sentiment.explain.words import explain

        return explain(self, texts)

    def trace(self, text: str) -> "Trace":
        """What the LSTM remembered of one text, token by token. See sentiment/explain/trace.py."""
        from sentiment.explain.trace import trace

        return trace(self, text)

    def read_sentences(self, texts: Sequence[str]) -> "list[SentenceView]":
        """A prediction a text and of each of its sentences. See sentiment/explain/sentences.py."""
        from sentiment.explain.sentences import read_sentences

        return read_sentences(self, texts)

    def split_sentences(self, texts: Sequence[str]) -> "list[SplitText]":
        """As `read_sentences`, for those who do the classifying themselves."""
        from sentiment.explain.sentences import split_sentences

        return split_sentences(self, texts)

    @property
    def model(self) -> SentimentModel:
        """The network itself, for those who look inside."""
        return self._model

    @property
    def tokenizer(self) -> Tokenizer:
        """The step from text to tokens."""
        return self._tokenizer

    @property
    def temperature(self) -> float:
        """What the logits are divided by before the softmax."""
        return self._temperature

    def warm(self) -> "Classifier":
        """Itself, its first answers as fast as its later ones: for a process that answers many."""
        self._tokenizer.warm(self.vocabulary.tokens)
        self.predict(["warm"])
        return self

    def _probabilities(self, batch: PaddedBatch) -> Tensor:
        with torch.inference_mode():
            logits = self._model(batch)  # (N, C)
            # In float64, so that the probabilities sum to 1 and none exceeds it.
            return torch.softmax(logits.double() / self._temperature, dim=-1)  # (N, C)

    def _prediction(self, text: EncodedText, probabilities: list[float]) -> Prediction:
        return Prediction(
            label=self.labels[max(range(len(probabilities)), key=probabilities.__getitem__)],
            probabilities=dict(zip(self.labels, probabilities, strict=True)),
            tokens=len(text.token_ids),
            unknown_tokens=text.token_ids.count(UNK_ID),
            truncated=text.truncated,
        )


def load(folder: str | Path, *, dtype: str = "float32") -> Classifier:
    """The classifier of a model folder, verified down to its golden predictions.

    `dtype` "bfloat16" is faster where the CPU has it; its probabilities stay within 0.05 of float32's.
    Raises BundleError, naming the file at fault.
    """
    bundle = bundles.load(Path(folder))
    try:
        classifier = Classifier(bundle)
    except ConfigError as error:
        raise BundleError(bundles.CONFIG, str(error)) from None
    _check_golden(classifier, bundle)
    return classifier if dtype == "float32" else Classifier(bundle, dtype=dtype)


def _checked(texts: Sequence[str]) -> list[str]:
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


def _check_golden(classifier: Classifier, bundle: Bundle) -> None:
    if not bundle.golden:
        raise BundleError(bundles.GOLDEN, "holds no prediction to check the model by")
    try:
        texts = [entry["text"] for entry in bundle.golden]
        expected = [[float(entry["probabilities"][label]) for label in bundle.labels] for entry in bundle.golden]
        predictions = classifier.predict(texts)
    except (KeyError, TypeError, ValueError, OverflowError, TextError) as error:
        raise BundleError(bundles.GOLDEN, f"{type(error).__name__}: {error}") from None
    for text, old, new in zip(texts, expected, predictions, strict=True):
        gaps = [abs(a - b) for a, b in zip(old, new.probabilities.values(), strict=True)]
        if not all(gap <= GOLDEN_TOLERANCE for gap in gaps):  # NaN, too, is refused
            reason = f"{text!r:.60} is answered {max(gaps):.2g} away from the recorded; the limit is {GOLDEN_TOLERANCE}"
            raise BundleError(bundles.GOLDEN, reason)
