"""Fit what a model of one's own has to beat: a linear model of the words, or of the characters."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sentiment.evaluation.answers import Floats
from sentiment.text.scripts import scripts_of

MAX_ROWS = 50_000  # a minute; more rows are no small table, and the network wins on them
_WITHOUT_SPACES = frozenset({"CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "MYANMAR", "KHMER", "TIBETAN"})


class LinearModel:
    """TF-IDF features with logistic regression, or with ridge regression of numbers.

    The features are words and pairs of words; in scripts without spaces one to three characters.
    """

    def __init__(self, texts: Sequence[str], targets: Sequence[Any], *, regression: bool = False) -> None:
        """Fit to texts and their labels, or numbers."""
        from sklearn.dummy import DummyClassifier
        from sklearn.feature_extraction.text import TfidfVectorizer  # a second, which serving need not wait for
        from sklearn.linear_model import LogisticRegression, Ridge
        from sklearn.pipeline import make_pipeline

        scripts = scripts_of(texts)
        spaced = 2 * sum(scripts[script] for script in _WITHOUT_SPACES) < max(1, sum(scripts.values()))
        features: dict[str, Any] = (
            {"ngram_range": (1, 2), "token_pattern": r"\w+|[^\w\s]+"}
            if spaced
            else {"ngram_range": (1, 3), "analyzer": "char"}
        )
        learner: Any = Ridge(alpha=1.0, random_state=0) if regression else LogisticRegression(C=10, max_iter=1000)
        if not regression and len(set(targets)) == 1:  # left of a tiny table when some rows are held out
            learner = DummyClassifier()
        self._pipeline = make_pipeline(TfidfVectorizer(sublinear_tf=True, **features), learner)
        self._pipeline.fit(list(texts), list(targets))

    def probabilities(self, texts: Sequence[str], labels: Sequence[str]) -> Floats:
        """Return the probability of each of `labels` for each text: (N, C), 0 for labels that no row had."""
        found = self._pipeline.predict_proba(list(texts))  # (N, labels learned)
        places = [list(labels).index(label) for label in self._pipeline.classes_]
        answers = np.zeros((len(texts), len(labels)))  # (N, C)
        answers[:, places] = found
        return answers

    def values(self, texts: Sequence[str]) -> Floats:
        """Return the number predicted for each text: (N,)."""
        return np.asarray(self._pipeline.predict(list(texts)), dtype=np.float64)
