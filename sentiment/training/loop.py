"""The training loop: length buckets, bfloat16 where the CPU has it, the best moving average kept."""

import copy
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from sentiment.batching import PaddedBatch, length_buckets, shuffled_buckets
from sentiment.config import TrainingConfig
from sentiment.nn.model import SentimentModel
from sentiment.nn.precision import has_bfloat16_units
from sentiment.text.vocabulary import PAD_ID, UNK_ID

EVALUATION_BATCH_TOKENS = 8192
MIN_STEPS = 50  # of an epoch: a small table in a few large batches would hardly be learned from


@dataclass(frozen=True)
class EncodedSet:
    """A labelled set as the network takes it."""

    name: str
    token_ids: list[list[int]]
    targets: list[int]


@dataclass(frozen=True)
class Progress:
    """How far a training is. `dev_score` is set at the end of an epoch only."""

    epoch: int  # from 1
    epochs: int
    step: int  # of the epoch, from 1
    steps: int
    loss: float
    tokens_per_second: float
    seconds_left: float
    dev_score: float | None = None


Report = Callable[[Progress], None]
Score = Callable[[SentimentModel], float]


def fit(
    model: SentimentModel,
    token_ids: Sequence[list[int]],
    targets: Tensor,
    score: Score,
    config: TrainingConfig,
    report: Report,
) -> tuple[SentimentModel, float]:
    """The moving average of the weights at its best `score`, and that score. Trains `model` in place.

    `targets` (rows, C) are the probabilities that each row of `token_ids` should be given; a row that an epoch reads
    twice stands there twice. The same seed on the same machine gives the same weights.
    """
    torch.manual_seed(config.seed)
    rng = random.Random(config.seed)
    average = copy.deepcopy(model).eval().requires_grad_(False)
    best, best_score, best_epoch = average, -math.inf, 0
    optimizer = _optimizer(model, config)
    rows = [_head_and_tail(row, config.max_tokens) for row in token_ids]
    lengths = [len(row) for row in rows]
    batch_tokens = min(config.max_batch_tokens, -(-sum(lengths) // MIN_STEPS))
    step = 0
    started, paused = time.monotonic(), 0.0
    tokens = 0
    for epoch in range(1, config.epochs + 1):
        batches = shuffled_buckets(lengths, batch_tokens, config.max_batch_rows, rng)
        model.train()
        loss = 0.0
        for place, batch_rows in enumerate(batches, start=1):
            batch = PaddedBatch.of([rows[row] for row in batch_rows])
            rate = config.learning_rate * _schedule(step, len(batches) * config.epochs, config.warmup_share)
            for group in optimizer.param_groups:
                group["lr"] = rate * group["share"]
            step_loss = _step(model, batch, targets[batch_rows], optimizer, config)
            step += 1
            _follow(average, model, config.ema_decay, step)
            tokens += int(batch.lengths.sum())
            loss += (step_loss - loss) / place
            spent = time.monotonic() - started - paused
            left = spent / step * (len(batches) * config.epochs - step)
            progress = Progress(epoch, config.epochs, place, len(batches), loss, tokens / spent, left)
            if place < len(batches):
                report(progress)
        judged = time.monotonic()
        dev_score = score(average)
        paused += time.monotonic() - judged
        report(Progress(**{**vars(progress), "dev_score": dev_score}))
        if dev_score > best_score:
            best, best_score, best_epoch = copy.deepcopy(average), dev_score, epoch
        if epoch - best_epoch >= config.patience:
            break
    return best, best_score


def logits_of(model: SentimentModel, token_ids: Sequence[Sequence[int]]) -> Tensor:
    """The logits (N, C) of each row, in the order given, in float32."""
    logits = torch.empty(len(token_ids), model.classifier.out_features)  # (N, C)
    with torch.inference_mode():
        for places in length_buckets([len(row) for row in token_ids], EVALUATION_BATCH_TOKENS):
            logits[places] = model(PaddedBatch.of([token_ids[place] for place in places]))  # (N, C)
    return logits


def _step(
    model: SentimentModel,
    batch: PaddedBatch,
    targets: Tensor,  # (N, C)
    optimizer: torch.optim.Optimizer,
    config: TrainingConfig,
) -> float:
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_bfloat16_units()):
        logits = model(_drop_words(batch, config.word_dropout))  # (N, C)
    loss = functional.cross_entropy(logits.float(), targets)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
    optimizer.step()
    return float(loss.detach())


def _optimizer(model: SentimentModel, config: TrainingConfig) -> torch.optim.Optimizer:
    rest = [parameter for name, parameter in model.named_parameters() if not name.startswith("embedding.")]
    return torch.optim.AdamW(
        [
            {
                "params": [model.embedding.weight],
                "weight_decay": 0.0,
                "share": config.embedding_learning_rate_share,
            },
            {"params": rest, "weight_decay": config.weight_decay, "share": 1.0},
        ],
        lr=config.learning_rate,
        fused=True,
    )


def _schedule(step: int, steps: int, warmup_share: float) -> float:
    """A share of the learning rate: up in a line, down along half a cosine."""
    warm = min(1.0, (step + 1) / (warmup_share * steps + 1))
    return warm * 0.5 * (1 + math.cos(math.pi * step / steps))


def _follow(average: SentimentModel, model: SentimentModel, decay: float, step: int) -> None:
    decay = min(decay, (1 + step) / (10 + step))  # the first steps are not worth remembering
    torch._foreach_lerp_(list(average.parameters()), [p.detach() for p in model.parameters()], 1 - decay)


def _drop_words(batch: PaddedBatch, rate: float) -> PaddedBatch:
    dropped = (torch.rand(batch.token_ids.shape) < rate) & (batch.token_ids != PAD_ID)  # (N, T)
    return PaddedBatch(batch.token_ids.masked_fill(dropped, UNK_ID), batch.lengths)


def _head_and_tail(row: list[int], limit: int) -> list[int]:
    """A third from the head and two from the tail, where reviews conclude (Sun et al. 2019 keep 128 and 382)."""
    head = limit // 3
    return row if len(row) <= limit else row[:head] + row[head - limit :]
