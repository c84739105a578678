"""Which words decided: integrated gradients over the embeddings (Sundararajan et al. 2017)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sentiment.batching import PaddedBatch, length_buckets
from sentiment.classifier import MAX_BATCH_TOKENS, AlignedText, Classifier, Prediction
from sentiment.errors import ConfigError
from sentiment.nn.model import SentimentModel
from sentiment.text.edits import Span
from sentiment.text.vocabulary import UNK_ID

if TYPE_CHECKING:
    from captum.attr import IntegratedGradients

MAX_GAP = 0.01  # of the change that the weights explain
NEGLIGIBLE_GAP = 1e-3  # log-odds: nobody sees it, however small the change
POINTS = (8, 16, 32, 64, 128, 256)  # on the path; more are taken until the gap is small enough


@dataclass(frozen=True, slots=True)
class TokenWeight:
    """One token: where it stands in the text, in code points, and how far it moved the answer."""

    text: str  # as it was written
    start: int
    end: int
    weight: float  # in log-odds: above 0 it speaks for the label, below 0 against it
    unknown: bool  # not in the vocabulary


@dataclass(frozen=True, slots=True)
class Explanation:
    """A prediction, and the part that each token has in it."""

    prediction: Prediction
    tokens: list[TokenWeight]
    omitted: list[Span]  # what of a truncated text was not read
    log_odds: float  # of the predicted label: log(p / (1 - p))
    baseline_log_odds: float  # the same of as many average words
    gap: float  # by how much the weights' sum misses the difference of these two
    points: int  # on the path from the one to the other


def explain(classifier: Classifier, texts: Sequence[str]) -> list[Explanation]:
    """An explanation a text, in the order given: what each token adds to the log-odds of the predicted label.

    Integrated gradients (Sundararajan et al. 2017) along the line from a text of average words, as long, to the text.
    The weights sum to the change of the log-odds within 1 % or 0.001, and don't depend on what a text is batched with.
    Raises TextError as `predict` does, and ConfigError where captum is missing or the classifier isn't float32.
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
    return [_explanation(text, predictions[place], explained[place]) for place, text in enumerate(aligned)]


@dataclass(frozen=True, slots=True)
class Attribution:
    """The weights of one text's tokens, and what they should sum to."""

    weights: list[float]
    log_odds: float
    baseline_log_odds: float
    points: int

    @property
    def gap(self) -> float:
        """By how much the weights miss what they should sum to."""
        return abs(sum(self.weights) - (self.log_odds - self.baseline_log_odds))

    @property
    def holds(self) -> bool:
        """Whether the gap is small enough."""
        return self.gap <= max(MAX_GAP * abs(self.log_odds - self.baseline_log_odds), NEGLIGIBLE_GAP)


class LogOdds:
    """The network from embeddings to the log-odds of one label a row, and the word that speaks for none."""

    def __init__(self, model: SentimentModel, temperature: float) -> None:
        self.model = model
        self.temperature = temperature
        known = model.embedding.weight[UNK_ID + 1 :]  # (words, F), the most frequent first
        shares = 1 / torch.arange(1, len(known) + 1)  # of running text, by Zipf's law
        # From zero, or from <unk>, the line leads where the LSTM jumps, and ten times the points are needed.
        self.average_word = shares @ known / shares.sum()  # (F,)

    def __call__(self, embedded: Tensor, lengths: Tensor, labels: Tensor) -> Tensor:
        """log(p / (1 - p)) of each row's label: (N,), from `embedded` (N, T, F), `lengths` (N,) and `labels` (N,)."""
        _, ht = self.model.lstm(embedded, lengths)  # (L x directions, N, H)
        final = torch.cat(tuple(ht[-self.model.directions :]), dim=-1)  # (N, 2H)
        logits = self.model.classifier(final) / self.temperature  # (N, C)
        chosen = torch.nn.functional.one_hot(labels, logits.shape[1]).bool()  # (N, C)
        return logits[chosen] - logits.masked_fill(chosen, -torch.inf).logsumexp(dim=-1)  # (N,)


def _attribute(log_odds: LogOdds, batch: PaddedBatch, labels: Tensor, points: int) -> list[Attribution]:
    embedded = log_odds.model.embedding(batch.token_ids)  # (N, T, F)
    average = log_odds.average_word.expand_as(embedded)  # (N, T, F)
    rows, longest = batch.token_ids.shape
    gradients = _integrated_gradients(log_odds).attribute(
        embedded,
        average,
        additional_forward_args=(batch.lengths, labels),
        n_steps=points,
        internal_batch_size=max(rows, MAX_BATCH_TOKENS // longest),
    )  # (N, T, F)
    with torch.inference_mode():
        values = log_odds(embedded, batch.lengths, labels).tolist()
        baselines = log_odds(average, batch.lengths, labels).tolist()
    weights = gradients.sum(dim=-1).tolist()  # (N, T)
    return [
        Attribution(weights[row][:length], values[row], baselines[row], points)
        for row, length in enumerate(batch.lengths.tolist())
    ]


def _integrated_gradients(log_odds: LogOdds) -> "IntegratedGradients":
    # Late: captum loads matplotlib, a second that nobody who only predicts should wait for.
    try:
        from captum.attr import IntegratedGradients
    except ImportError:
        raise ConfigError("explaining needs one package more: pip install 'sentiment-bilstm[explain]'") from None
    return IntegratedGradients(log_odds)


def _explanation(aligned: AlignedText, prediction: Prediction, attribution: Attribution) -> Explanation:
    tokens = [
        TokenWeight(aligned.text[start:end], start, end, weight, token_id == UNK_ID)
        for (start, end), token_id, weight in zip(
            aligned.spans, aligned.encoded.token_ids, attribution.weights, strict=True
        )
    ]
    return Explanation(
        prediction=prediction,
        tokens=tokens,
        omitted=aligned.omitted,
        log_odds=attribution.log_odds,
        baseline_log_odds=attribution.baseline_log_odds,
        gap=attribution.gap,
        points=attribution.points,
    )
