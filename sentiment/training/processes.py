"""Train with several processes started by `torchrun`: each learns from its share of every batch.

Gradients are added over gloo before each step, so all processes have the same weights at all times and the loss is that
of one process (data parallelism; Li et al. 2020). Only the first process evaluates, saves and reports.
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

from sentiment.errors import CheckpointError, ConfigError, ProcessLostError
from sentiment.training.resume.checkpoint import Saved

_STARTED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")  # set by torchrun in each process


@dataclass(frozen=True)
class Processes:
    """The processes of a training, as seen by the one with this `rank`. With one process, collectives do nothing."""

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Return whether this process evaluates, saves and reports."""
        return self.rank == 0

    @property
    def share(self) -> slice:
        """Return the slice of a batch that this process learns from; it may be empty.

        Neighbouring rows go to different processes, so that rows sorted by length give each the same work.
        """
        return slice(self.rank, None, self.size)

    def add_gradients(self, model: nn.Module, loss: Tensor) -> Tensor:
        """Return the sum of all processes' losses (), and sum their gradients in `model`."""
        if self.size == 1:
            return loss
        learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
        for parameter in learning:
            if parameter.grad is None:  # this process has no row of the batch
                parameter.grad = torch.zeros_like(parameter)
        gradients = [parameter.grad for parameter in learning if parameter.grad is not None]
        numbers = torch.cat([loss.reshape(1), *(gradient.flatten() for gradient in gradients)])
        with _report_lost_process():
            distributed.all_reduce(numbers)
        parts = numbers[1:].split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))
        return numbers[0]

    def broadcast(self, value: float) -> float:
        """Return the first process's `value` in every process."""
        if self.size == 1:
            return value
        sent = torch.tensor([value], dtype=torch.double)
        with _report_lost_process():
            distributed.broadcast(sent, src=0)
        return float(sent)

    def all_gather(self, numbers: Tensor) -> list[Tensor]:
        """Return the `numbers` of each process, in the order of their ranks; the shape must be the same in all."""
        if self.size == 1:
            return [numbers]
        gathered = [torch.empty_like(numbers) for _ in range(self.size)]
        with _report_lost_process():
            distributed.all_gather(gathered, numbers)
        return gathered

    def broadcast_saved(self, saved: Saved | None) -> Saved | None:
        """Return the first process's checkpoint, if any, in every process."""
        if self.size == 1:
            return saved
        numbers = self._broadcast_bytes(0, json.dumps(saved.numbers).encode() if saved is not None else b"")
        tensors = self._broadcast_bytes(0, safetensors.torch.save(saved.tensors) if saved is not None else b"")
        return Saved(safetensors.torch.load(tensors), json.loads(numbers)) if numbers else None

    def check_agree(self, fingerprint: Mapping[str, str]) -> None:
        """Raise CheckpointError in all processes if their data, settings or software differ."""
        if self.size == 1:
            return
        own = {name: hashlib.sha256(value.encode()).hexdigest() for name, value in fingerprint.items()}
        first = json.loads(self._broadcast_bytes(0, json.dumps(own).encode()))
        differing = sorted(name for name in own.keys() | first.keys() if own.get(name) != first.get(name))
        # All raise it, because torchrun stops the others as soon as one has ended.
        found = [json.loads(self._broadcast_bytes(rank, json.dumps(differing).encode())) for rank in range(self.size)]
        reasons = [
            f"process {rank} of {self.size} differs from the first in {', '.join(names)}"
            for rank, names in enumerate(found)
            if names
        ]
        if reasons:
            raise CheckpointError(f"{'; '.join(reasons)}; give all of them the same files, settings and software")

    def _broadcast_bytes(self, rank: int, content: bytes) -> bytes:
        sent = torch.tensor([len(content)])
        with _report_lost_process():
            distributed.broadcast(sent, src=rank)
            size = int(sent)
            if size == 0:
                return b""
            sent = torch.empty(size, dtype=torch.uint8)
            if rank == self.rank:
                sent = torch.frombuffer(bytearray(content), dtype=torch.uint8)
            distributed.broadcast(sent, src=rank)
        return sent.numpy().tobytes()


ALONE = Processes()


@contextmanager
def started_processes() -> Iterator[Processes]:
    """Join the processes that `torchrun` started; without torchrun, yield this process alone.

    Raises ConfigError if torchrun's variables are incomplete, ProcessLostError if another process can't be reached.
    """
    given = [name for name in _STARTED if os.environ.get(name)]
    if "WORLD_SIZE" not in given or os.environ["WORLD_SIZE"] == "1":
        yield ALONE
        return
    missing = [name for name in _STARTED if name not in given]
    if missing:
        raise ConfigError(
            f"WORLD_SIZE is set but {', '.join(missing)} not: start several processes by torchrun, or unset WORLD_SIZE"
        )
    with _report_lost_process():
        distributed.init_process_group("gloo")
    try:
        yield Processes(distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()


@contextmanager
def _report_lost_process() -> Iterator[None]:
    try:
        yield
    except (RuntimeError, ValueError) as error:  # gloo's, and torch's DistError of a rendezvous
        reason = str(error).splitlines()[0]
        raise ProcessLostError(
            f"another process of this training can't be reached any more: {reason}; the same command resumes at the "
            "last checkpoint"
        ) from None
