"""Start a network from a linear model of its own rows, where the table is small and nothing else is there.

The network learns what the linear model answers to many short texts made of the rows (Hinton et al. 2015; Bucila et al.
2006), beside the rows themselves, and each word's vector begins with what it says to the linear model.
"""

import math
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sentiment.nn.model import SentimentModel
from sentiment.text.pieces import bare, is_piece
from sentiment.text.vocabulary import UNK_ID, Vocabulary
from sentiment.training.data.splits import Data
from sentiment.training.recipe import Recipe

MAX_ROWS = 10_000  # more rows teach a network by themselves
OWN_SHARE = 0.2  # of a row's own label in its target; the rest is the linear model's answer
_TEXTS_PER_ROW = 60
_MAX_TEXTS = 60_000  # bounds the time of an epoch
_MAX_UNLABELLED = 20_000
_MAX_TOKENS = 60  # of such a text
_MEAN_SPAN = 6  # tokens
_MODEL = {"embedding_size": 32, "hidden_size": 32, "embedding_dropout": 0.1, "output_dropout": 0.1}
_TRAINING = {"epochs": 3, "learning_rate": 8e-3, "word_dropout": 0.05}
_VOCABULARY = {"min_count": 1}


def is_small(recipe: Recipe, data: Data) -> bool:
    """Return whether the rows are to start from a linear model: few enough, of one source, equal in weight."""
    if not recipe.training.linear_start or len(data.train) > 1 or data.repeats != (1,):
        return False
    rows = data.train[0]
    return (
        rows.probabilities is None
        and rows.weights is None
        and len(rows.texts) <= MAX_ROWS
        and len(set(rows.labels)) > 1
    )


def small_table_recipe(recipe: Recipe, *, has_vectors: bool) -> Recipe:
    """Return the recipe with the settings that suit few rows, except those that it gives itself.

    Word vectors decide the size of the embedding.
    """
    has_vectors = has_vectors or bool(recipe.training.vectors)
    model = {name: value for name, value in _MODEL.items() if not (has_vectors and name == "embedding_size")}
    return recipe.model_copy(
        update={
            "model": _unless_given(recipe.model, model),
            "vocabulary": _unless_given(recipe.vocabulary, _VOCABULARY),
            "training": _unless_given(recipe.training, _TRAINING),
        }
    )


def _unless_given(settings: Any, values: dict[str, Any]) -> Any:
    return settings.model_copy(
        update={name: value for name, value in values.items() if name not in settings.model_fields_set}
    )


class LinearTeacher:
    """A linear model of tokens, their pairs and parts: logistic regression, twice, or ridge regression of numbers.

    The second logistic regression reads features weighted by how unequal the labels have them (Wang and Manning 2012).
    """

    def __init__(self, rows: Sequence[Sequence[str]], targets: Tensor) -> None:
        """Fit to the rows' tokens and their targets (N, C): of one 1 each, or numbers, where C is 1."""
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression, Ridge
        from sklearn.pipeline import make_union

        characters = 2 * sum(len(token) == 1 for row in rows for token in row) > sum(map(len, rows))
        words = {"token_pattern": r"\S+", "sublinear_tf": True}
        parts = {"analyzer": "char_wb", "ngram_range": (2, 5), "sublinear_tf": True}
        self._features = make_union(
            TfidfVectorizer(**words, ngram_range=(1, 3 if characters else 2)),
            TfidfVectorizer(**words, ngram_range=(1, 2)) if characters else TfidfVectorizer(**parts),
        )
        features = self._features.fit_transform(_joined(rows))  # (N, features)
        self._classes = targets.shape[1]
        if self._classes == 1:
            self._learner = Ridge(alpha=1.0, random_state=0).fit(features, targets.squeeze(1).numpy())
            return
        labels = targets.argmax(dim=1).numpy()  # (N,)
        self._learner = LogisticRegression(C=10, max_iter=1000).fit(features, labels)
        weights, biases = [], []
        for label in self._learner.classes_:
            own, other = (
                np.asarray(features[rows].sum(axis=0)).ravel() + 1 for rows in (labels == label, labels != label)
            )
            ratios = np.log(own / own.sum() * other.sum() / other)  # (features,)
            learner = LogisticRegression(C=10, max_iter=1000).fit(features.multiply(ratios).tocsr(), labels == label)
            weights.append(ratios * learner.coef_[0])
            biases.append(learner.intercept_[0])
        self._weights, self._biases = np.stack(weights, axis=1), np.array(biases)  # (features, C), (C,)

    def __call__(self, rows: Sequence[Sequence[str]]) -> Tensor:
        """Return the probabilities of the rows' labels, or their numbers: (N, C)."""
        features = self._features.transform(_joined(rows))  # (N, features)
        if self._classes == 1:
            return torch.from_numpy(self._learner.predict(features)).float().unsqueeze(1)  # (N, 1)
        second = features @ self._weights + self._biases  # (N, labels learned)
        logits = self._learner.predict_log_proba(features) - np.logaddexp(0, -second)  # (N, labels learned)
        answers = torch.zeros(len(rows), self._classes)  # (N, C)
        answers[:, self._learner.classes_] = torch.from_numpy(logits / 2).softmax(dim=1).float()
        return answers


def _joined(rows: Sequence[Sequence[str]]) -> list[str]:
    return [" ".join(row) for row in rows]


def transfer_rows(rows: Sequence[list[str]], unlabelled: Sequence[list[str]], seed: int) -> list[list[str]]:
    """Return token rows made of random spans of random rows, about as long as these, but short; and unlabelled rows."""
    rng = random.Random(seed)
    read = [row for row in (*rows, *unlabelled) if row]
    lengths = sorted(map(len, read))
    longest = min(_MAX_TOKENS, max(lengths[0] + 1, lengths[9 * len(lengths) // 10]))
    shortest = max(2, min(lengths[len(lengths) // 10], longest // 3))
    made = []
    for _ in range(min(_MAX_TEXTS, _TEXTS_PER_ROW * len(rows))):
        tokens: list[str] = []
        wanted = rng.randint(shortest, max(shortest, longest))
        while len(tokens) < wanted:
            row = rng.choice(read)
            span = min(len(row), 2 + int(rng.expovariate(1 / (_MEAN_SPAN - 2))))
            start = rng.randrange(len(row) - span + 1)
            tokens += row[start : start + span]
        made.append(tokens)
    return made + rng.sample(unlabelled, min(len(unlabelled), _MAX_UNLABELLED))


def mixed_targets(
    teacher: LinearTeacher, rows: Sequence[list[str]], targets: Tensor, made: Sequence[list[str]]
) -> Tensor:
    """Return the targets of the rows, of which the teacher's answer has a share, and of the texts made of them."""
    return torch.cat([OWN_SHARE * targets + (1 - OWN_SHARE) * teacher(rows), teacher(made)])  # (rows + made, C)


def start_from(
    model: SentimentModel, vocabulary: Vocabulary, teacher: LinearTeacher, *, mean_length: float, keep_vectors: bool
) -> None:
    """Begin each word's vector with the teacher's answer to it, and let an LSTM add up what it reads.

    Its forget gates keep what they read for about `mean_length` tokens (Tallec and Ollivier 2018).
    """
    if model.config.encoder == "lstm" and model.config.bias:
        hidden, keeping = model.config.hidden_size, math.log(max(2.0, mean_length))
        for name, bias in model.lstm.named_parameters():
            if name.startswith("bias_"):
                bias.data[hidden : 2 * hidden] = keeping if name.startswith("bias_ih") else 0.0
    if keep_vectors:
        return
    words = [bare(token) if is_piece(token) else token for token in vocabulary.tokens[2:]]
    answers = teacher([[word] for word in words])  # (V - 2, C)
    if answers.shape[1] > 1:
        answers = answers.clamp_min(1e-6).log()  # (V - 2, C)
        answers = answers - answers.mean(dim=1, keepdim=True)  # (V - 2, C)
    answers = answers - answers.mean(dim=0)  # (V - 2, C)
    size = min(answers.shape[1], model.embedding.embedding_dim)
    weight = model.embedding.weight.data  # (V, F)
    weight[UNK_ID, :size] = 0
    weight[2:, :size] = (answers / answers.std().clamp_min(1e-6))[:, :size]
