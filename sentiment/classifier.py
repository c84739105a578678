"""A model folder, ready to answer: the network of torch behind the one way from text to probabilities."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from sentiment import bundle as bundles
from sentiment.batching import PaddedBatch
from sentiment.bundle import Bundle
from sentiment.default import DEFAULT_MODEL
from sentiment.errors import BundleError, ConfigError, TextError
from sentiment.nn.model import SentimentModel
from sentiment.predictor import AlignedText, EncodedText, Prediction, Predictor

__all__ = ["DTYPES", "AlignedText", "Classifier", "EncodedText", "Prediction", "load"]

if TYPE_CHECKING:
    from sentiment.explain import Explanation, SentenceView, SplitText, Trace

GOLDEN_TOLERANCE = 1e-4
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class Classifier(Predictor):
    """A model ready to answer. One may be shared by threads."""

    def __init__(self, bundle: Bundle, *, dtype: str = "float32") -> None:
        if dtype not in DTYPES:
            raise ConfigError(f"dtype: one of {', '.join(DTYPES)}, not {dtype!r}")
        super().__init__(
            name=bundle.name,
            version=bundle.version,
            labels=bundle.labels,
            vocabulary=bundle.vocabulary,
            text_config=bundle.text_config,
        )
        self.metrics = bundle.metrics
        self.card = bundle.card
        self.dtype = dtype
        self.num_parameters = bundle.model.num_parameters()
        self._temperature = bundle.temperature
        # Another dtype is another model: the bundle's own stays as it is.
        model = bundle.model if dtype == "float32" else copy.deepcopy(bundle.model)
        self._model = model.to(DTYPES[dtype]).eval()

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
    def temperature(self) -> float:
        """What the logits are divided by before the softmax."""
        return self._temperature

    def _probabilities(self, token_ids: Sequence[Sequence[int]]) -> list[list[float]]:
        with torch.inference_mode():
            logits = self._model(PaddedBatch.of(token_ids))  # (N, C)
            # In float64, so that the probabilities sum to 1 and none exceeds it.
            return torch.softmax(logits.double() / self._temperature, dim=-1).tolist()  # (N, C)


def load(folder: str | Path = DEFAULT_MODEL, *, dtype: str = "float32") -> Classifier:
    """The classifier of a model folder, else of the model that comes with it, verified down to its golden predictions.

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
