"""Load a model folder and predict with its torch network."""

from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import torch
from torch import Tensor

from sentiment import bundle as bundles
from sentiment.bundle import Bundle
from sentiment.config import Task
from sentiment.default import DEFAULT_MODEL, model_folder
from sentiment.errors import BundleError, ConfigError, TextError
from sentiment.frames import Column
from sentiment.network_predictor import NetworkPredictor
from sentiment.nn.precision import DTYPES
from sentiment.predictor import AlignedText, AnyPrediction, EncodedText, LabelPredictor, Prediction, ValuePrediction

__all__ = [
    "DTYPES", "AlignedText", "AnyModel", "AnyPrediction", "Classifier", "EncodedText", "Prediction", "Regressor",
    "ValuePrediction", "load",
]  # fmt: skip

if TYPE_CHECKING:
    from sentiment.explain import Explanation, SentenceView, SplitText, Trace

GOLDEN_TOLERANCE = 1e-4


class Classifier(NetworkPredictor[Prediction], LabelPredictor):
    """A loaded classifier; it may be shared by threads, forked and pickled.

    Raises ConfigError for a model that answers with a number.
    """

    task: Literal["classification"] = "classification"

    def __init__(self, bundle: Bundle, *, dtype: str = "float32") -> None:
        check_task(bundle, "classification")
        super().__init__(bundle, dtype=dtype)
        self.labels = bundle.labels

    # The views from inside stand on a classifier, so they are imported when asked for: the arrow points down.
    def explain(self, texts: Sequence[str]) -> "list[Explanation]":
        """Return the weight of every word, an explanation a text. See sentiment/explain/attribution.py."""
        from sentiment.explain.attribution import explain

        return explain(self, texts)

    def trace(self, text: str) -> "Trace":
        """Return the gates and states of the LSTM for one text, token by token. See sentiment/explain/trace.py."""
        from sentiment.explain.trace import trace

        return trace(self, text)

    def read_sentences(self, texts: Sequence[str]) -> "list[SentenceView]":
        """Return a prediction a text and of each of its sentences. See sentiment/explain/sentences.py."""
        from sentiment.explain.sentences import read_sentences

        return read_sentences(self, texts)

    def split_sentences(self, texts: Sequence[str]) -> "list[SplitText]":
        """Split like `read_sentences`, without classifying."""
        from sentiment.explain.sentences import split_sentences

        return split_sentences(self, texts)

    def in_float32(self) -> "Classifier":
        """Return the same classifier in float32, with the numbers that its integers represent, for gradients."""
        other = Classifier.__new__(Classifier)  # that shares the text steps
        vars(other).update(vars(self), _bundle=replace(self._bundle, model=self.model.in_float32()))
        return other

    @property
    def temperature(self) -> float:
        """Return the divisor of the logits before the softmax."""
        return self._bundle.temperature

    def _numbers(self, output: Tensor) -> list[list[float]]:
        # In float64, so that the probabilities sum to 1 and none exceeds it.
        return torch.softmax(output.double() / self.temperature, dim=-1).tolist()


class Regressor(NetworkPredictor[ValuePrediction]):
    """A loaded regressor; it may be shared by threads, forked and pickled."""

    task: Literal["regression"] = "regression"

    def _columns(self) -> dict[str, Column]:
        return {"value": Column(float, attrgetter("value"))}

    def _prediction(self, text: EncodedText, answer: list[float]) -> ValuePrediction:
        [value] = answer
        return ValuePrediction(value, *self.vocabulary.count(text.token_ids), text.truncated)


AnyModel = Classifier | Regressor


@overload
def load(folder: str | Path = ..., *, dtype: str = ..., task: Literal["classification"] = ...) -> Classifier: ...


@overload
def load(folder: str | Path = ..., *, dtype: str = ..., task: Literal["regression"]) -> Regressor: ...


@overload
def load(folder: str | Path = ..., *, dtype: str = ..., task: None) -> AnyModel: ...


def load(
    folder: str | Path = DEFAULT_MODEL, *, dtype: str = "float32", task: Task | None = "classification"
) -> AnyModel:
    """Load the classifier of a model folder, or the package's own, verified down to its golden predictions.

    The str "default" is the package's own, too; a folder of that name is "./default", or a Path.
    With `task` "regression" it is the regressor of a model that answers with a number; with None, either.
    `dtype` "bfloat16" is faster on some processors and slower on others; its probabilities stay within 0.05 of
    float32's.
    Raises BundleError, naming the file at fault, and ConfigError for a model of the other task.
    """
    bundle = bundles.load(model_folder(folder))
    if task is not None:
        check_task(bundle, task)
    kind = Classifier if bundle.task == "classification" else Regressor
    try:
        model = kind(bundle)
    except ConfigError as error:
        raise BundleError(bundles.CONFIG, str(error)) from None
    _check_golden(model, bundle)
    return model if dtype == "float32" else kind(bundle, dtype=dtype)


def check_task(bundle: Bundle, task: Task) -> None:
    """Raise ConfigError for a model of the other task."""
    if bundle.task == task:
        return
    if task == "regression":
        raise ConfigError(f"the model {bundle.name!r} answers with labels, and one of numbers (regression) is needed")
    raise ConfigError(
        f"the model {bundle.name!r} answers with a number (its task is regression), and labels are needed here; "
        'predict, score, evaluate, info and serve take it, and so does load(folder, task="regression")'
    )


def _check_golden(model: AnyModel, bundle: Bundle) -> None:
    if not bundle.golden:
        raise BundleError(bundles.GOLDEN, "holds no prediction to check the model by")
    try:
        texts = [entry["text"] for entry in bundle.golden]
        expected = [_recorded(entry, bundle.labels) for entry in bundle.golden]
        found = [_numbers(prediction) for prediction in model.predict(texts)]
    except (KeyError, TypeError, ValueError, OverflowError, TextError) as error:
        raise BundleError(bundles.GOLDEN, f"{type(error).__name__}: {error}") from None
    # Of values, a share of the largest: they have any unit.
    limit = GOLDEN_TOLERANCE * (1.0 if bundle.labels else max(abs(value) for [value] in expected))
    for text, old, new in zip(texts, expected, found, strict=True):
        gaps = [abs(a - b) for a, b in zip(old, new, strict=True)]
        if not all(gap <= limit for gap in gaps):  # NaN, too, is refused
            reason = f"{text!r:.60} is answered {max(gaps):.2g} away from the recorded; the limit is {limit:.4g}"
            raise BundleError(bundles.GOLDEN, reason)


def _recorded(entry: dict[str, Any], labels: Sequence[str]) -> list[float]:
    """Return the numbers of a golden prediction: each label's probability, or the value."""
    return [float(entry["probabilities"][label]) for label in labels] if labels else [float(entry["value"])]


def _numbers(prediction: AnyPrediction) -> list[float]:
    return [prediction.value] if isinstance(prediction, ValuePrediction) else list(prediction.probabilities.values())
