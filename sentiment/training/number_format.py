"""Choose a training's number format: from its settings, its checkpoint, or by measuring which is faster."""

import copy
import random
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from sentiment.batching import shuffled_buckets
from sentiment.config import TrainingConfig
from sentiment.nn.precision import DTYPES, DtypeChoice, choose_dtype
from sentiment.training.distillation.token_states import StateTargets
from sentiment.training.optimization import Criterion, LearnerT, adamw, batch_tokens, train_step, truncate_rows
from sentiment.training.processes import ALONE, Processes
from sentiment.training.resume.checkpoint import Saved


def training_dtype(
    model: LearnerT,
    token_ids: Sequence[list[int]],
    targets: Tensor | StateTargets,  # (rows, C)
    config: TrainingConfig,
    saved: Saved | None = None,
    *,
    criterion: Criterion = functional.cross_entropy,
    processes: Processes = ALONE,
) -> DtypeChoice:
    """Return the format in which `model` is trained; the first of several `processes` decides for all.

    A training that is resumed from `saved` keeps its format. `config.dtype` "auto" is decided by a step on a copy of
    the model, of a batch of median size.
    """
    if not processes.is_first:
        choice = DtypeChoice(next(iter(DTYPES)))
    elif saved is not None:
        choice = DtypeChoice(saved.numbers["dtype"])
    elif config.dtype != "auto":
        choice = DtypeChoice(config.dtype)
    else:
        choice = _measure_dtype(model, token_ids, targets, config, criterion)
    index = processes.broadcast(list(DTYPES).index(choice.dtype))
    return DtypeChoice(list(DTYPES)[int(index)], choice.seconds)


def _measure_dtype(
    model: LearnerT,
    token_ids: Sequence[list[int]],
    targets: Tensor | StateTargets,
    config: TrainingConfig,
    criterion: Criterion,
) -> DtypeChoice:
    rows = truncate_rows(token_ids, config)
    lengths = [len(row) for row in rows]
    batches = shuffled_buckets(
        lengths, batch_tokens(lengths, config), config.max_batch_rows, random.Random(config.seed)
    )
    batches.sort(key=lambda batch: sum(lengths[row] for row in batch))
    batch = batches[len(batches) // 2]
    learner = copy.deepcopy(model).train()
    optimizer = adamw(learner, config)
    for group in optimizer.param_groups:
        group["lr"] = 0.0  # a step of no length takes as long, and never diverges

    def step(dtype: str) -> None:
        settings = config.model_copy(update={"dtype": dtype})
        train_step(learner, [rows[row] for row in batch], targets[batch], optimizer, settings, criterion)

    with torch.random.fork_rng(devices=[]):
        return choose_dtype(step)
