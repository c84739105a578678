"""Train in length buckets, a step a batch, and keep the best moving average of the weights."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from sentiment.batching import PaddedBatch, length_buckets, shuffled_buckets
from sentiment.config import TrainingConfig
from sentiment.errors import TrainingDivergedError
from sentiment.training.distillation.token_states import StateTargets
from sentiment.training.optimization import (
    Criterion,
    LearnerT,
    Rewrite,
    batch_tokens,
    check_finite,
    set_learning_rate,
    train_step,
    truncate_rows,
    unchanged_rows,
    update_ema,
)
from sentiment.training.processes import ALONE, Processes
from sentiment.training.resume.checkpoint import Checkpoint
from sentiment.training.resume.train_state import TrainingState

EVALUATION_BATCH_TOKENS = 8192


@dataclass(frozen=True)
class EncodedSet:
    """A labelled set, encoded for the network."""

    name: str
    token_ids: list[list[int]]
    targets: Tensor  # (N,): the place of each row's label, or its number


@dataclass(frozen=True)
class Progress:
    """The progress of a training, or of a fold of its cross-validation.

    `dev_score` is set only at the end of an epoch, and of none in a fold.
    """

    epoch: int  # from 1
    epochs: int
    step: int  # of the epoch, from 1
    steps: int
    loss: float
    tokens_per_second: float
    seconds_left: float  # at most: it may stop early; 0 after the last epoch
    dev_score: float | None = None
    fold: int = 0  # of cross-validation, from 1; 0 in the training of the model


Report = Callable[[Progress], None]


def unchanged_model(average: LearnerT) -> LearnerT:
    """Return the moving average itself."""
    return average


def fit(
    model: LearnerT,
    token_ids: Sequence[list[int]],
    targets: Tensor | StateTargets,
    score: Callable[[LearnerT], float],
    config: TrainingConfig,
    report: Report,
    checkpoint: Checkpoint | None = None,
    *,
    criterion: Criterion = functional.cross_entropy,
    keep: Callable[[LearnerT], LearnerT] = unchanged_model,
    start: tuple[LearnerT, float] | None = None,
    last_epoch: int | None = None,
    processes: Processes = ALONE,
    rewrite: Rewrite = unchanged_rows,
) -> tuple[LearnerT, float]:
    """Train `model` in place. Return `keep` of the weights' moving average at its best `score`, and that score.

    With a `start`, a network and its score, that is what an epoch has to beat. With a `last_epoch` training ends after
    it, and what it ends with is returned, whatever its score.

    `targets` (rows, C) are the targets of `token_ids`: probabilities, or numbers with another `criterion` than cross
    entropy. With token states among them `model` is a StateReader. A row that an epoch reads twice is in it twice;
    `rewrite` returns the rows as a step reads them. The same seed on the same machine gives the same weights, also if
    the training was killed and resumed from its `checkpoint`, which only the first of several `processes` has.
    Raises TrainingDivergedError at the first loss, gradient or score that is not finite, and removes the checkpoint, as
    a resumed training would diverge again; raises ProcessLostError.
    """
    state = TrainingState(model, config, processes.rank, start=start, last_epoch=last_epoch)
    found = processes.broadcast_saved(checkpoint.saved if checkpoint is not None else None)
    if found is not None:
        state.restore(found.tensors, found.numbers)
    try:
        _run(state, token_ids, targets, score, config, report, checkpoint, criterion, keep, processes, rewrite)
    except TrainingDivergedError:
        if checkpoint is not None:
            checkpoint.remove()
        raise
    assert state.best is not None  # a first finite score is the best so far
    return state.best, state.counters.best_score


def _run(
    state: TrainingState[LearnerT],
    token_ids: Sequence[list[int]],
    targets: Tensor | StateTargets,  # (rows, C)
    score: Callable[[LearnerT], float],
    config: TrainingConfig,
    report: Report,
    checkpoint: Checkpoint | None,
    criterion: Criterion,
    keep: Callable[[LearnerT], LearnerT],
    processes: Processes,
    rewrite: Rewrite,
) -> None:
    rows = truncate_rows(token_ids, config)
    lengths = [len(row) for row in rows]
    most_tokens = batch_tokens(lengths, config)
    now = state.counters
    first_step = now.step
    started, paused = time.monotonic(), 0.0
    tokens = 0
    while not now.finished(config):
        batches = shuffled_buckets(lengths, most_tokens, config.max_batch_rows, state.rng)
        steps = len(batches) * config.epochs
        state.model.train()
        if config.frozen_embedding_epochs:
            state.model.embedding.weight.requires_grad_(now.epoch > config.frozen_embedding_epochs)
        for batch_rows in batches[now.place :]:
            batch = [rows[row] for row in batch_rows]
            set_learning_rate(state.optimizer, now.step, steps, config)
            loss = train_step(
                state.model, batch, targets[batch_rows], state.optimizer, config, criterion, processes, rewrite
            )
            now.step += 1
            now.place += 1
            now.loss += (loss - now.loss) / now.place
            update_ema(state.average, state.model, config.ema_decay, now.step)
            tokens += sum(map(len, batch))
            spent = time.monotonic() - started - paused
            left = spent / (now.step - first_step) * (steps - now.step)
            progress = Progress(now.epoch, config.epochs, now.place, len(batches), now.loss, tokens / spent, left)
            if now.place < len(batches):
                report(progress)
                if processes.broadcast(checkpoint is not None and checkpoint.due()):
                    _save(state, checkpoint, processes)
        evaluation_started = time.monotonic()
        kept = keep(state.average)
        dev_score = processes.broadcast(score(kept) if processes.is_first else math.nan)
        check_finite("dev score", dev_score, config)
        state.end_epoch(dev_score, kept)
        _save(state, checkpoint, processes)
        paused += time.monotonic() - evaluation_started
        left = 0.0 if now.finished(config) else progress.seconds_left
        report(replace(progress, dev_score=dev_score, seconds_left=left))


def _save(state: TrainingState[LearnerT], checkpoint: Checkpoint | None, processes: Processes) -> None:
    generators = processes.all_gather(torch.get_rng_state())
    if checkpoint is not None:
        checkpoint.save(state.tensors(generators), state.numbers())


def compute_logits(model: LearnerT, token_ids: Sequence[Sequence[int]]) -> Tensor:
    """Return the logits (N, C) of each row, in the order given, in float32."""
    logits = torch.empty(len(token_ids), model.classifier.out_features)  # (N, C)
    with torch.inference_mode():
        for rows in length_buckets([len(row) for row in token_ids], EVALUATION_BATCH_TOKENS):
            logits[rows] = model(PaddedBatch.of([token_ids[row] for row in rows]))  # (N, C)
    return logits
