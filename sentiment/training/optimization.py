"""Train one step: the optimizer, its schedule, and the moving average of the weights."""

import math
from collections.abc import Callable, Sequence
from typing import TypeGuard, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from sentiment.batching import PaddedBatch, head_and_tail
from sentiment.config import TrainingConfig
from sentiment.errors import TrainingDivergedError
from sentiment.nn.encoders import real_steps
from sentiment.nn.model import SentimentModel
from sentiment.nn.precision import autocast
from sentiment.text.vocabulary import PAD_ID, UNK_ID
from sentiment.training.distillation.teacher import Teacher
from sentiment.training.distillation.token_states import StateReader, StateTargets, state_loss
from sentiment.training.processes import ALONE, Processes

LearnerT = TypeVar("LearnerT", SentimentModel, Teacher)  # the same loop teaches both
Rewrite = Callable[[Sequence[list[int]]], Sequence[list[int]]]  # rows of token ids as a step reads them
Criterion = Callable[[Tensor, Tensor], Tensor]  # predictions and targets, (N, C) each, to their loss

MIN_STEPS = 50  # of an epoch: a few large batches would learn little from a small table
HAS_FUSED_ADAMW = torch.__version__ >= "2.4"  # on a CPU


def adamw(model: LearnerT, config: TrainingConfig) -> torch.optim.Optimizer:
    """Return AdamW over all weights, with the embedding in its own group: no decay, its share of the learning rate."""
    embedding = model.embedding.weight
    rest = [parameter for parameter in model.parameters() if parameter is not embedding]
    return torch.optim.AdamW(
        [
            {
                "params": [embedding],
                "weight_decay": 0.0,
                "share": config.embedding_learning_rate_share,
            },
            {"params": rest, "weight_decay": config.weight_decay, "share": 1.0},
        ],
        lr=config.learning_rate,
        fused=HAS_FUSED_ADAMW,
    )


def set_learning_rate(optimizer: torch.optim.Optimizer, step: int, steps: int, config: TrainingConfig) -> None:
    """Set every group's learning rate for this step of `steps`: linear warm-up, then `config.schedule`."""
    warm = min(1.0, (step + 1) / (config.warmup_share * steps + 1))
    rate = config.learning_rate * warm * _schedule_factor(config.schedule, step / steps)
    for group in optimizer.param_groups:
        group["lr"] = rate * group["share"]


def _schedule_factor(schedule: str, done: float) -> float:
    """Return the factor of the learning rate when the share `done` of the steps is done."""
    match schedule:
        case "cosine":  # half of one (Loshchilov and Hutter 2017)
            return 0.5 * (1 + math.cos(math.pi * done))
        case "linear":
            return 1 - done
    return 1.0


def truncate_rows(token_ids: Sequence[list[int]], config: TrainingConfig) -> list[list[int]]:
    """Return the rows as training reads them: the head and the tail of long ones."""
    return [head_and_tail(row, config.max_tokens) for row in token_ids]


def batch_tokens(lengths: Sequence[int], config: TrainingConfig) -> int:
    """Return the maximum padded tokens of a batch, for rows of these lengths."""
    return min(config.max_batch_tokens, -(-sum(lengths) // MIN_STEPS))


def unchanged_rows(rows: Sequence[list[int]]) -> Sequence[list[int]]:
    """Return the rows themselves."""
    return rows


def train_step(
    model: LearnerT,
    rows: Sequence[list[int]],
    targets: Tensor | StateTargets,  # (N, C)
    optimizer: torch.optim.Optimizer,
    config: TrainingConfig,
    criterion: Criterion = functional.cross_entropy,
    processes: Processes = ALONE,
    rewrite: Rewrite = unchanged_rows,
) -> float:
    """Take a step on a batch of rows and return the loss before it, the same in all processes that share the batch.

    Raises TrainingDivergedError, with unchanged weights, if the loss or the gradient is not finite.
    """
    optimizer.zero_grad()
    loss = torch.zeros(())
    if own := rows[processes.share]:
        own_targets = targets[processes.share]
        read = rewrite(own)
        if isinstance(own_targets, StateTargets):  # states belong to the original words
            read = [
                old if states is not None else new
                for old, new, states in zip(own, read, own_targets.states, strict=True)
            ]
        loss = _loss(model, PaddedBatch.of(read), own_targets, config, criterion)
        if len(own) < len(rows):  # a mean over this process's part, to be added to the others'
            loss = loss * (_items(model, own) / _items(model, rows))
        loss.backward()
    loss = processes.add_gradients(model, loss.detach())
    check_finite("loss", float(loss), config)
    norm = nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
    check_finite("gradient's norm", float(norm), config)
    optimizer.step()
    return float(loss)


def _loss(
    model: LearnerT, batch: PaddedBatch, targets: Tensor | StateTargets, config: TrainingConfig, criterion: Criterion
) -> Tensor:
    """Return the mean loss () of a batch against targets (N, C), with words dropped."""
    batch = _drop_words(batch, config.word_dropout)
    if isinstance(targets, StateTargets):
        assert isinstance(model, StateReader)  # the two are made together
        with autocast(config.dtype):
            logits, states = model.with_states(batch)  # (N, C), (N, T, K)
        missed = state_loss(states.float(), batch.lengths, targets.states)  # ()
        return criterion(logits.float(), targets.probabilities) + missed  # ()
    with autocast(config.dtype):
        if _is_stepwise(model):
            logits, targets = flatten_steps(model.steps(batch), targets, batch.lengths)  # (steps, C) each
        else:
            logits = model(batch)  # (N, C)
    return criterion(logits.float(), targets)  # ()


def _items(model: LearnerT, rows: Sequence[list[int]]) -> int:
    """Return the number of losses that the mean of these rows is taken over."""
    return sum(map(len, rows)) if _is_stepwise(model) else len(rows)


def _is_stepwise(model: LearnerT) -> TypeGuard[SentimentModel]:
    return isinstance(model, SentimentModel) and model.config.pooling == "stepwise"


def flatten_steps(logits: Tensor, targets: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Flatten the logits (N, T, C) of all tokens to (steps, C), and repeat the target (N, C) of each one's row.

    Padding is left out, so it has no loss.
    """
    real = real_steps(lengths, logits.shape[1]).squeeze(-1)  # (N, T)
    return logits[real], targets.repeat_interleave(lengths, dim=0)  # (steps, C) each


def check_finite(quantity: str, value: float, config: TrainingConfig) -> None:
    """Raise TrainingDivergedError for NaN and infinities, naming the quantity, the settings and what to do."""
    if not math.isfinite(value):
        raise TrainingDivergedError(
            f"the {quantity} is {value}, not a finite number: training has diverged. Lower training.learning_rate "
            f"(now {config.learning_rate:g}) or training.clip_norm (now {config.clip_norm:g}) in a recipe, and look "
            "for extreme numbers in the word vectors"
        )


def update_ema(average: LearnerT, model: LearnerT, decay: float, step: int) -> None:
    """Move the moving `average` towards `model`; `step` counts from 1."""
    decay = min(decay, (1 + step) / (10 + step))  # forget the first steps soon
    moved = [pair for pair in zip(average.parameters(), model.parameters(), strict=True) if pair[1].requires_grad]
    torch._foreach_lerp_([own for own, _ in moved], [new.detach() for _, new in moved], 1 - decay)


def _drop_words(batch: PaddedBatch, rate: float) -> PaddedBatch:
    dropped = (torch.rand(batch.token_ids.shape) < rate) & (batch.token_ids != PAD_ID)  # (N, T)
    return PaddedBatch(batch.token_ids.masked_fill(dropped, UNK_ID), batch.lengths)
