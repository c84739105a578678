"""Fit the classifier of a pretrained network to new labels, before its other weights learn.

A network that starts from a fitted classifier forgets less and ends more accurate than one that starts from a random
one (Kumar et al. 2022, linear probing then fine-tuning).
"""

import torch
from torch import Tensor
from torch.nn import functional

from sentiment.batching import PaddedBatch, length_buckets
from sentiment.nn.model import SentimentModel
from sentiment.training.loop import EVALUATION_BATCH_TOKENS
from sentiment.training.optimization import Criterion

MAX_ROWS = 20_000  # that it is fitted to: more change it little
# Precisions of normal priors around the pretrained classifier: few rows move its answers and its features little.
PRECISION_OF_ANSWERS = 10.0
PRECISION_OF_FEATURES = 300.0
PRECISION_OF_BIASES = 0.1
MIN_DEVIATION = 1e-2  # of a feature, by which it is standardized


def fit_classifier(
    model: SentimentModel,
    token_ids: list[list[int]],
    targets: Tensor,  # (rows, C)
    pretrained: tuple[Tensor, Tensor],  # (K, 2H), (K,)
    known: list[int | None],  # of each of the C classes: which of the K it is
    criterion: Criterion = functional.cross_entropy,
) -> None:
    """Set the classifier's weights to the likeliest of these rows, under a prior around the pretrained classifier.

    A class reads the pretrained answers, a known one its own with weight 1 before any row is seen, and the standardized
    features.
    """
    drawn = torch.randperm(len(token_ids), generator=torch.Generator().manual_seed(0))[:MAX_ROWS]
    features = compute_features(model, [token_ids[row] for row in drawn]).double()  # (N, 2H)
    targets = targets[drawn].double()  # (N, C)
    old_weight, old_bias = (each.detach().double() for each in pretrained)
    answers = features @ old_weight.T + old_bias  # (N, K)
    mean, deviation = features.mean(dim=0), features.std(dim=0, correction=0) + MIN_DEVIATION  # (2H,)
    standardized = (features - mean) / deviation  # (N, 2H)
    prior = torch.zeros(len(known), len(old_weight), dtype=torch.double)  # (C, K)
    for row, place in enumerate(known):
        if place is not None:
            prior[row, place] = 1
    of_answers = prior.clone().requires_grad_()  # (C, K)
    of_features = torch.zeros(len(known), features.shape[1], dtype=torch.double, requires_grad=True)  # (C, 2H)
    biases = torch.zeros(len(known), dtype=torch.double, requires_grad=True)  # (C,)
    optimizer = torch.optim.LBFGS([of_answers, of_features, biases], max_iter=200, line_search_fn="strong_wolfe")

    def step() -> Tensor:
        optimizer.zero_grad()
        loss = criterion(answers @ of_answers.T + standardized @ of_features.T + biases, targets)
        prior_loss = (
            PRECISION_OF_ANSWERS * (of_answers - prior).square().sum()
            + PRECISION_OF_FEATURES * of_features.square().sum()
            + PRECISION_OF_BIASES * biases.square().sum()
        )
        loss = loss + prior_loss / (2 * len(features))
        loss.backward()
        return loss

    optimizer.step(step)
    with torch.no_grad():
        own = of_features / deviation  # (C, 2H)
        model.classifier.weight.copy_(of_answers @ old_weight + own)  # (C, 2H)
        model.classifier.bias.copy_(of_answers @ old_bias + biases - own @ mean)  # (C,)


def compute_features(model: SentimentModel, token_ids: list[list[int]]) -> Tensor:
    """Return what the classifier reads of each row: (N, 2H) of a bidirectional LSTM."""
    was_training = model.training
    model.eval()
    features = torch.empty(len(token_ids), model.classifier.in_features)  # (N, 2H)
    with torch.inference_mode():
        for rows in length_buckets([len(row) for row in token_ids], EVALUATION_BATCH_TOKENS):
            batch = PaddedBatch.of([token_ids[row] for row in rows])
            features[rows] = model.features(model.embedding(batch.token_ids), batch.lengths)  # (N, 2H)
    model.train(was_training)
    return features
