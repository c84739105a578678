"""Hold all that changes during training: a checkpoint contains it, and nothing else decides how training continues."""

import copy
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Generic

import torch
from torch import Tensor

from sentiment.config import TrainingConfig
from sentiment.training.optimization import LearnerT, adamw

Shuffle = tuple[Any, ...]  # a random.Random's state


@dataclass
class Counters:
    """The progress of a training, in numbers that JSON stores exactly."""

    shuffle: Shuffle  # the generator's state at the start of the epoch: its batches are drawn anew when resumed
    epoch: int = 1  # the one under way, from 1
    place: int = 0  # steps done in this epoch
    step: int = 0  # of all epochs
    loss: float = 0.0  # mean of the epoch's steps that are done
    dev_scores: list[float] = field(default_factory=list)  # of each epoch that is done
    dtype: str = "float32"  # of the steps' products
    start_score: float | None = None  # of the network that an epoch has to beat
    last_epoch: int | None = None  # to train to, whatever the scores

    @property
    def best_epoch(self) -> int:
        """Return the first of the epochs with the best dev score, from 1; 0 where the start is as good or no epoch."""
        if self.last_epoch is not None:
            return min(self.last_epoch, len(self.dev_scores))
        if not self.dev_scores or (self.start_score is not None and self.start_score >= max(self.dev_scores)):
            return 0
        return self.dev_scores.index(max(self.dev_scores)) + 1

    @property
    def best_score(self) -> float:
        """Return the score of the best epoch, or of the start."""
        if self.best_epoch:
            return self.dev_scores[self.best_epoch - 1]
        assert self.start_score is not None  # the best where no epoch is
        return self.start_score

    def finished(self, config: TrainingConfig) -> bool:
        """Return whether all epochs are done, or too many without a better dev score."""
        if self.last_epoch is not None:
            return self.epoch > self.last_epoch
        return self.epoch > config.epochs or self.epoch - 1 - self.best_epoch >= config.patience


class TrainingState(Generic[LearnerT]):
    """The weights, their moving average, the best that was kept, the optimizer, and the generators.

    Of several processes each draws its own dropout, so that the one with another `rank` has another generator.
    """

    def __init__(
        self,
        model: LearnerT,
        config: TrainingConfig,
        rank: int = 0,
        *,
        start: tuple[LearnerT, float] | None = None,
        last_epoch: int | None = None,
    ) -> None:
        torch.manual_seed(config.seed + rank)
        self._rank = rank
        self.model: LearnerT = model
        self.average: LearnerT = copy.deepcopy(model).eval().requires_grad_(False)
        self.best: LearnerT | None = copy.deepcopy(start[0]) if start is not None else None
        self.optimizer = adamw(model, config)
        self.rng = random.Random(config.seed)
        score = start[1] if start is not None else None
        self.counters = Counters(self.rng.getstate(), dtype=config.dtype, start_score=score, last_epoch=last_epoch)

    def end_epoch(self, dev_score: float, kept: LearnerT) -> None:
        """Record the epoch's score, keep its weights if they are the best so far, and start the next epoch."""
        counters = self.counters
        counters.dev_scores.append(dev_score)
        if counters.best_epoch == counters.epoch:
            self.best = copy.deepcopy(kept)
        counters.epoch, counters.place, counters.loss = counters.epoch + 1, 0, 0.0
        counters.shuffle = self.rng.getstate()

    def tensors(self, generators: Sequence[Tensor]) -> dict[str, Tensor]:
        """Return every tensor of the state, by name, with the generators' states of all processes."""
        named = {_generator(rank): generator for rank, generator in enumerate(generators)}
        for role, model in (("model", self.model), ("average", self.average), ("best", self.best)):
            if model is not None:
                named |= {f"{role}.{name}": tensor for name, tensor in model.state_dict().items()}
        for index, moments in self.optimizer.state_dict()["state"].items():
            named |= {f"optimizer.{index}.{name}": tensor for name, tensor in moments.items()}
        return named

    def numbers(self) -> dict[str, Any]:
        """Return everything else of the state, for JSON."""
        return asdict(self.counters)

    def restore(self, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
        """Restore the state from `tensors` and `numbers`."""
        version, words, gauss = numbers["shuffle"]
        self.counters = Counters(**{**numbers, "shuffle": (version, tuple(words), gauss)})
        self.rng.setstate(self.counters.shuffle)
        torch.set_rng_state(tensors[_generator(self._rank)])
        self.model.load_state_dict(_under("model.", tensors))
        self.average.load_state_dict(_under("average.", tensors))
        best = _under("best.", tensors)
        if best:
            self.best = copy.deepcopy(self.average)
            self.best.load_state_dict(best)
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _under("optimizer.", tensors).items():
            index, _, moment = name.partition(".")
            # A copy: the optimizer keeps what it is given, here a part of the file's own buffer.
            moments.setdefault(int(index), {})[moment] = tensor.clone()
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": moments})


def _generator(rank: int) -> str:
    return f"generator.{rank}" if rank else "generator"


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
