"""Attribute an answer to its words: integrated gradients over the embeddings (Sundararajan et al. 2017)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sentiment.batching import MAX_BATCH_TOKENS, PaddedBatch, length_buckets
from sentiment.classifier import AlignedText, Classifier, Prediction
from sentiment.errors import ConfigError
from sentiment.explain import lstm_gradients
from sentiment.nn.model import SentimentModel
from sentiment.text.vocabulary import UNK_ID

MAX_GAP = 0.01  # of the change that the weights explain
NEGLIGIBLE_GAP = 1e-3  # log-odds: invisible, however small the change
POINTS = (8, 16, 32, 64, 128, 256)  # on the path; more are taken until the gap is small enough


@dataclass(frozen=True, slots=True)
class TokenWeight:
    """One token, its place in the text in code points, and how far it moved the answer."""

    text: str  # as it was written
    start: int
    end: int
    weight: float  # in log-odds: above 0 for the label, below 0 against it
    unknown: bool  # not in the vocabulary


@dataclass(frozen=True, slots=True)
class Omission:
    """A part of a truncated text that was not read, in code points."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """A prediction, and how much each token contributed to it."""

    prediction: Prediction
    tokens: list[TokenWeight]
    omitted: list[Omission]  # none of a text that was read in full
    log_odds: float  # of the predicted label: log(p / (1 - p)); of a model in integers, before `h` is rounded
    baseline_log_odds: float  # the same of as many average words
    gap: float  # between the weights' sum and the difference of these two
    points: int  # on the path from the one to the other


def explain(classifier: Classifier, texts: Sequence[str]) -> list[Explanation]:
    """Return an explanation a text, in the order given: what each token adds to the log-odds of the predicted label.

    Integrated gradients (Sundararajan et al. 2017) along the line from a text of average words, as long, to the text.
    The weights sum to the change of the log-odds within 1 % or 0.001, and don't depend on what a text is batched with.
    Raises TextError as `predict` does, and ConfigError if the classifier isn't float32.
    """
    if classifier.dtype != "float32":
        raise ConfigError(f"an explanation is computed in float32: the classifier's dtype is {classifier.dtype!r}")
    aligned = classifier.align(texts)
    predictions = classifier.classify([text.encoded for text in aligned])
    labels = [classifier.labels.index(prediction.label) for prediction in predictions]
    log_odds = LogOdds(classifier.model, classifier.temperature)
    explained: dict[int, Attribution] = {}
    for points in POINTS:
        open_places = [place for place in range(len(aligned)) if place not in explained or not explained[place].holds]
        lengths = [len(aligned[place].encoded.token_ids) for place in open_places]
        for bucket in length_buckets(lengths, MAX_BATCH_TOKENS // points):
            places = [open_places[each] for each in bucket]
            batch = PaddedBatch.of([aligned[place].encoded.token_ids for place in places])
            chosen = torch.tensor([labels[place] for place in places])  # (N,)
            explained.update(zip(places, _attribute(log_odds, batch, chosen, points), strict=True))
    return [
        _explanation(
            text, classifier.vocabulary.is_unknown(text.encoded.token_ids), predictions[place], explained[place]
        )
        for place, text in enumerate(aligned)
    ]


@dataclass(frozen=True, slots=True)
class Attribution:
    """The weights of one text's tokens, and what they should sum to."""

    weights: list[float]
    log_odds: float
    baseline_log_odds: float
    points: int

    @property
    def gap(self) -> float:
        """Return the error of the weights' sum."""
        return abs(sum(self.weights) - (self.log_odds - self.baseline_log_odds))

    @property
    def holds(self) -> bool:
        """Return whether the gap is small enough."""
        return self.gap <= max(MAX_GAP * abs(self.log_odds - self.baseline_log_odds), NEGLIGIBLE_GAP)


class LogOdds:
    """The network from embeddings to the log-odds of one label a row, and a word that favours no label."""

    def __init__(self, model: SentimentModel, temperature: float) -> None:
        self.model = model
        self.temperature = temperature
        known = model.embedding.weight[UNK_ID + 1 :]  # (words, F), the most frequent first
        shares = 1 / torch.arange(1, len(known) + 1)  # of running text, by Zipf's law
        # From zero, or from <unk>, the line crosses regions where the LSTM jumps, and needs ten times the points.
        self.average_word = shares @ known / shares.sum()  # (F,)

    def __call__(self, embedded: Tensor, lengths: Tensor, labels: Tensor) -> Tensor:
        """Return log(p / (1 - p)) of each row's label, (N,), of `embedded` (N, T, F), `lengths` (N,), `labels` (N,)."""
        return self.of_features(self.model.features(embedded, lengths), labels)

    def of_features(self, features: Tensor, labels: Tensor) -> Tensor:
        """Return the same, (N,), from the features of the classifier, (N, 2H)."""
        logits = self.model.classifier(features) / self.temperature  # (N, C)
        chosen = torch.nn.functional.one_hot(labels, logits.shape[1]).bool()  # (N, C)
        return logits[chosen] - logits.masked_fill(chosen, -torch.inf).logsumexp(dim=-1)  # (N,)


@dataclass(frozen=True, slots=True)
class Line:
    """The straight line from `baseline` to `embedded`, both (N, T, F), of rows of `lengths` (N,) and `labels` (N,)."""

    baseline: Tensor
    embedded: Tensor
    lengths: Tensor
    labels: Tensor

    @property
    def delta(self) -> Tensor:
        """Return the change from start to end: (N, T, F)."""
        return self.embedded - self.baseline


def _attribute(log_odds: LogOdds, batch: PaddedBatch, labels: Tensor, points: int) -> list[Attribution]:
    with torch.inference_mode():
        embedded = log_odds.model.embedding(batch.token_ids)  # (N, T, F)
        average = log_odds.average_word.expand_as(embedded)  # (N, T, F)
        values = log_odds(embedded, batch.lengths, labels).tolist()
        baselines = log_odds(average, batch.lengths, labels).tolist()
    line = Line(average, embedded, batch.lengths, labels)
    weights = integrated_gradients(log_odds, line, points).tolist()  # (N, T)
    return [
        Attribution(weights[row][:length], values[row], baselines[row], points)
        for row, length in enumerate(batch.lengths.tolist())
    ]


def integrated_gradients(log_odds: LogOdds, line: Line, points: int) -> Tensor:
    """Return the weight of each token on the line: (N, T).

    It is the integral of the gradient along the line, by Gauss-Legendre quadrature, times the delta.
    """
    embedded = line.embedded  # (N, T, F)
    rule = np.polynomial.legendre.leggauss(points)  # of [-1, 1]
    nodes, shares = (torch.tensor(each, dtype=embedded.dtype) for each in ((rule[0] + 1) / 2, rule[1] / 2))  # (P,)
    in_a_batch = max(len(embedded), MAX_BATCH_TOKENS // embedded.shape[1]) // len(embedded)  # points
    integrate = lstm_gradients.integrate if log_odds.model.is_plain else _integrate
    weights = embedded.new_zeros(embedded.shape[:2])  # (N, T)
    for some, part in zip(nodes.split(in_a_batch), shares.split(in_a_batch), strict=True):
        weights += integrate(log_odds, line, some, part)
    return weights


def _integrate(log_odds: LogOdds, line: Line, nodes: Tensor, shares: Tensor) -> Tensor:
    """Return each token's weight, (N, T), from autograd at these points of the line, (P,) in [0, 1]."""
    delta = line.delta  # (N, T, F)
    here = len(nodes)
    passed = line.baseline + nodes.view(-1, 1, 1, 1) * delta  # (P, N, T, F)
    on_the_line = passed.flatten(end_dim=1).requires_grad_()  # (P x N, T, F)
    values = log_odds(on_the_line, line.lengths.repeat(here), line.labels.repeat(here))  # (P x N,)
    [gradients] = torch.autograd.grad(values.sum(), on_the_line)  # (P x N, T, F)
    total = torch.tensordot(shares, gradients.unflatten(0, (here, len(delta))), 1)  # (N, T, F)
    return (total * delta).sum(dim=-1)  # (N, T)


def _explanation(
    aligned: AlignedText, unknown: Sequence[bool], prediction: Prediction, attribution: Attribution
) -> Explanation:
    tokens = [
        TokenWeight(aligned.text[start:end], start, end, weight, is_unknown)
        for (start, end), is_unknown, weight in zip(aligned.spans, unknown, attribution.weights, strict=True)
    ]
    return Explanation(
        prediction=prediction,
        tokens=tokens,
        omitted=[Omission(start, end) for start, end in aligned.omitted],
        log_odds=attribution.log_odds,
        baseline_log_odds=attribution.baseline_log_odds,
        gap=attribution.gap,
        points=attribution.points,
    )
