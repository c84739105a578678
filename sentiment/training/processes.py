"""One training by several processes, as `torchrun` starts them: each learns from its share of every batch.

Gradients are added over gloo before each step, so that all hold the same weights at all times and the loss is that of
one process, whatever their number (data parallelism; Li et al. 2020). The first one alone judges, saves and talks.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import safetensors.torch
import torch
from torch import Tensor, distributed, nn

from sentiment.errors import ConfigError
from sentiment.training.checkpoint import Saved
from sentiment.training.errors import CheckpointError, ProcessLostError

_STARTED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")  # what torchrun tells each process


@dataclass(frozen=True)
class Processes:
    """The processes of a training, seen from the one with this `rank`. Alone, there is nobody to tell nor to ask."""

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the one that judges, saves and talks."""
        return self.rank == 0

    @property
    def share(self) -> slice:
        """This one's rows of a batch; none where there are fewer rows than processes.

        Neighbours go to different ones, so that rows in the order of their lengths give each the same work.
        """
        return slice(self.rank, None, self.size)

    def add_gradients(self, model: nn.Module, loss: Tensor) -> Tensor:
        """The sum of all processes' losses (), and in `model` the sum of their gradients."""
        if self.size == 1:
            return loss
        learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
        for parameter in learning:
            if parameter.grad is None:  # no row of the batch was this one's
                parameter.grad = torch.zeros_like(parameter)
        gradients = [parameter.grad for parameter in learning if parameter.grad is not None]
        numbers = torch.cat([loss.reshape(1), *(gradient.flatten() for gradient in gradients)])
        with _nobody_lost():
            distributed.all_reduce(numbers)
        parts = numbers[1:].split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))
        return numbers[0]

    def first_says(self, value: float) -> float:
        """The first process's `value`, to each."""
        if self.size == 1:
            return value
        told = torch.tensor([value], dtype=torch.double)
        with _nobody_lost():
            distributed.broadcast(told, src=0)
        return float(told)

    def of_each(self, numbers: Tensor) -> list[Tensor]:
        """What each process gave, in the order of their ranks; of the same shape in all."""
        if self.size == 1:
            return [numbers]
        gathered = [torch.empty_like(numbers) for _ in range(self.size)]
        with _nobody_lost():
            distributed.all_gather(gathered, numbers)
        return gathered

    def first_found(self, saved: Saved | None) -> Saved | None:
        """What the first process found of a training that was killed, to each."""
        if self.size == 1:
            return saved
        numbers = self._told_by(0, json.dumps(saved.numbers).encode() if saved is not None else b"")
        tensors = self._told_by(0, safetensors.torch.save(saved.tensors) if saved is not None else b"")
        return Saved(safetensors.torch.load(tensors), json.loads(numbers)) if numbers else None

    def check_agree(self, identity: Mapping[str, str]) -> None:
        """Raises CheckpointError, in all processes, where they don't hold the same data, settings and software."""
        if self.size == 1:
            return
        own = {name: hashlib.sha256(value.encode()).hexdigest() for name, value in identity.items()}
        first = json.loads(self._told_by(0, json.dumps(own).encode()))
        differing = sorted(name for name in own.keys() | first.keys() if own.get(name) != first.get(name))
        # All say it, because torchrun ends the others as soon as one has ended.
        found = [json.loads(self._told_by(rank, json.dumps(differing).encode())) for rank in range(self.size)]
        reasons = [
            f"process {rank} of {self.size} differs from the first in {', '.join(names)}"
            for rank, names in enumerate(found)
            if names
        ]
        if reasons:
            raise CheckpointError(f"{'; '.join(reasons)}; give all of them the same files, settings and software")

    def _told_by(self, rank: int, content: bytes) -> bytes:
        told = torch.tensor([len(content)])
        with _nobody_lost():
            distributed.broadcast(told, src=rank)
            size = int(told)
            if size == 0:
                return b""
            told = torch.empty(size, dtype=torch.uint8)
            if rank == self.rank:
                told = torch.frombuffer(bytearray(content), dtype=torch.uint8)
            distributed.broadcast(told, src=rank)
        return told.numpy().tobytes()


ALONE = Processes()


@contextmanager
def started_processes() -> Iterator[Processes]:
    """The processes that `torchrun` started this one among, joined to each other; else this one alone.

    Raises ConfigError where what torchrun tells is not whole, ProcessLostError where the others can't be reached.
    """
    told = [name for name in _STARTED if os.environ.get(name)]
    if "WORLD_SIZE" not in told or os.environ["WORLD_SIZE"] == "1":
        yield ALONE
        return
    missing = [name for name in _STARTED if name not in told]
    if missing:
        raise ConfigError(
            f"WORLD_SIZE is set but {', '.join(missing)} not: start several processes by torchrun, or unset WORLD_SIZE"
        )
    with _nobody_lost():
        distributed.init_process_group("gloo")
    try:
        yield Processes(distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()


@contextmanager
def _nobody_lost() -> Iterator[None]:
    try:
        yield
    except (RuntimeError, ValueError) as error:  # gloo's, and torch's DistError of a rendezvous
        reason = str(error).splitlines()[0]
        raise ProcessLostError(
            f"another process of this training can't be reached any more: {reason}; the same command goes on from the "
            "last checkpoint"
        ) from None
