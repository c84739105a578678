"""A scikit-learn classifier of texts: in pipelines, cross-validation, grid searches and calibration."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags, check_random_state, column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sentiment.classifier import Classifier
from sentiment.default import default_start
from sentiment.errors import DataError
from sentiment.text.inputs import checked_texts
from sentiment.training.data.dataset import LabelledTexts
from sentiment.training.data.splits import data_in_memory
from sentiment.training.loop import Progress
from sentiment.training.recipe import CROSS_VALIDATED_ROWS, Recipe
from sentiment.training.trainer import train


class SentimentEstimator(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A bidirectional LSTM that `fit` trains on texts and labels, as `sentiment train` does on a file.

    What is None is decided as the command decides it: `start` is the default model for English texts, unless a size or
    `vectors` are given, and "nothing" else. Cross-validation chooses the number of epochs and the temperature for
    tables of at most `cross_validated_rows`, a tenth of the rows, or `eval_set`, for others. The same `random_state`
    and `dtype` give the same model (None gives another each time; `dtype` "auto" measures which number format trains
    quicker here). `progress` is called with a `sentiment.training.loop.Progress` after each step. After `fit`
    `classes_` holds the labels, `classifier_` the classifier and `bundle_` what `sentiment.bundle.save` writes.
    """

    def __init__(
        self,
        *,
        start: str | None = None,
        language: str = "en",
        embedding_size: int | None = None,
        hidden_size: int | None = None,
        num_layers: int | None = None,
        epochs: int | None = None,
        learning_rate: float | None = None,
        vectors: Sequence[str] = (),
        class_weight: str | Mapping[Any, float] | None = None,
        cross_validated_rows: int = CROSS_VALIDATED_ROWS,
        dtype: str = "auto",
        random_state: int | np.random.RandomState | None = 0,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self.start = start
        self.language = language
        self.embedding_size = embedding_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.vectors = vectors
        self.class_weight = class_weight
        self.cross_validated_rows = cross_validated_rows
        self.dtype = dtype
        self.random_state = random_state
        self.progress = progress

    def fit(
        self,
        X: Iterable[str],
        y: Iterable[Any],
        sample_weight: Sequence[float] | None = None,
        eval_set: tuple[Iterable[str], Iterable[Any]] | None = None,
    ) -> "SentimentEstimator":
        """Train on the texts `X` and the label of each, `y`: names or numbers, (N,) or (N, 1). Returns itself.

        A row counts as `sample_weight` (N,) says, times the `class_weight` of its label; "balanced" gives each label
        the same. `eval_set`, texts and labels, judges the training instead of rows of `X`.
        Raises DataError for what is no column of texts, for labels that are missing or can't be learned, ConfigError
        for a setting out of its range, TextError for a text that can't be read.
        """
        texts, labels = checked_texts(X), _labels(y)  # (N,)
        check_consistent_length(texts, labels)
        if not texts:
            raise DataError("X: there is no row to learn from")
        classes = np.unique(labels)
        network = {
            "embedding_size": self.embedding_size,
            "hidden_size": self.hidden_size,
            "num_layers": self.num_layers,
        }
        model = {name: size for name, size in network.items() if size is not None}
        start = self.start
        if start is None:
            start = default_start(self.language, is_own_network=bool(model or self.vectors))
        training = {"epochs": self.epochs, "learning_rate": self.learning_rate}
        recipe = Recipe.of(
            {
                "name": "estimator",
                "labels": [str(label) for label in classes],
                "train": (),
                "text": {"language": self.language},
                "model": model,
                "training": {
                    **{name: value for name, value in training.items() if value is not None},
                    "vectors": self.vectors,
                    "start": start,
                    "cross_validated_rows": self.cross_validated_rows,
                    "linear_start": True,
                    "dtype": self.dtype,
                    "seed": _seed(self.random_state),
                },
            }
        )
        rows = LabelledTexts("X", texts, [str(label) for label in labels])
        if self.class_weight is not None or sample_weight is not None:
            weights = compute_sample_weight(self.class_weight, labels) * _check_sample_weight(sample_weight, labels)
            rows = replace(rows, weights=weights.tolist())
        dev = None
        if eval_set is not None:
            dev = LabelledTexts("eval_set", checked_texts(eval_set[0]), [str(each) for each in _labels(eval_set[1])])
            check_consistent_length(dev.texts, dev.labels)
        report = self.progress or (lambda progress: None)
        self.bundle_ = train(recipe, data_in_memory(recipe, rows, dev), report)
        self.classifier_ = Classifier(self.bundle_)
        self.classes_ = classes
        return self

    def predict(self, X: Iterable[str]) -> np.ndarray:
        """Return the label of each text, of the kind that `fit` was given: (N,)."""
        best = self.predict_proba(X).argmax(axis=1)  # (N,)
        return self.classes_[best]

    def predict_proba(self, X: Iterable[str]) -> np.ndarray:
        """Return the probability of each label for each text: (N, C), in the order of `classes_`."""
        check_is_fitted(self)
        predictions = self.classifier_.predict(X)
        return np.array([list(each.probabilities.values()) for each in predictions]).reshape(-1, len(self.classes_))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.one_d_array, tags.input_tags.string = False, True, True
        return tags

    # A classifier holds locks and caches: it is made anew from its bundle in another process.
    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if name != "classifier_"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "bundle_" in state:
            self.classifier_ = Classifier(self.bundle_)


def _labels(y: Any) -> np.ndarray:
    """Return the labels (N,). Raises DataError, naming the row, for one that is missing."""
    if isinstance(y, str | bytes | Mapping) or not isinstance(y, Iterable):
        raise DataError(f"y is a list of labels, one a text, not {type(y).__name__}")
    labels = column_or_1d(y if hasattr(y, "__array__") else np.array(list(y), dtype=object), warn=True)  # (N,)
    for row, label in enumerate(labels, start=1):
        if _is_missing(label):
            raise DataError(f"y: row {row} has no label ({label}); leave out the rows without one, in X as well")
    kinds = {type(label).__name__ for label in labels}
    if len(kinds) > 1 and "str" in kinds:
        raise DataError(f"y: labels are of one kind, not {' and '.join(sorted(kinds))}; make all of them str")
    return np.array(list(labels)) if labels.dtype == object else labels


def _is_missing(label: Any) -> bool:
    try:
        return label is None or bool(label != label)  # as NaN and NaT are
    except TypeError:  # pandas' NA is neither equal nor unequal to anything
        return True


def _check_sample_weight(sample_weight: Any, labels: np.ndarray) -> np.ndarray:
    """Return the weights (N,), ones where there are none. Raises DataError for one that is no positive number."""
    weights = np.ones(len(labels)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)  # (N,)
    check_consistent_length(weights, labels)
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(wrong):
        raise DataError(f"sample_weight: row {wrong[0] + 1} has {weights[wrong[0]]:g}; a weight is a number from 0 on")
    if not weights.any():
        raise DataError("sample_weight: every row has 0; give one of them more")
    return weights


def _seed(random_state: Any) -> Any:
    """Return a seed as scikit-learn draws it, or the given one."""
    if isinstance(random_state, Integral):
        return random_state
    return check_random_state(random_state).randint(1 << 31)
