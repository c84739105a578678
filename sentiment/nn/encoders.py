"""Encoders besides the LSTM, and the pooling of recurrent ones.

Each reads a padded batch and ignores its padding.
"""

import torch
from torch import Tensor, nn

from sentiment.nn.lstm import InitialStates

KERNEL_SIZES = (3, 4, 5)  # tokens in the window of a filter
RANDOM_STATE_SPREAD = 0.1  # standard deviation


def real_steps(lengths: Tensor, longest: int) -> Tensor:
    """Return a mask of the steps that are tokens, not padding: (N, T, 1)."""
    return (torch.arange(longest, device=lengths.device) < lengths.unsqueeze(1)).unsqueeze(-1)


class BagOfWords(nn.Module):
    """A hidden layer over the mean of a text's embeddings: order is lost (Iyyer et al. 2015)."""

    def __init__(self, embedding_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(embedding_size, hidden_size)

    def forward(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """Return the features (N, H) of `embedded` (N, T, F)."""
        return torch.relu(self.hidden(_mean(embedded, lengths)))  # (N, H)


class TextCNN(nn.Module):
    """The maximum of each filter over windows of 3, 4 and 5 tokens (Kim 2014)."""

    def __init__(self, embedding_size: int, hidden_size: int) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv1d(embedding_size, hidden_size, size, padding=size // 2) for size in KERNEL_SIZES
        )

    def forward(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """Return the features (N, 3H) of `embedded` (N, T, F)."""
        real = real_steps(lengths, embedded.shape[1])  # (N, T, 1)
        # A text alone has zeros beside it; it must have them beside longer ones, too.
        steps = (embedded * real).transpose(1, 2)  # (N, F, T)
        answers = [convolution(steps)[:, :, : steps.shape[2]] for convolution in self.convolutions]  # (N, H, T) each
        windows = torch.cat(answers, dim=1)  # (N, 3H, T)
        return torch.relu(_max(windows.transpose(1, 2), lengths))  # (N, 3H)


class Pooling(nn.Module):
    """One summary of every step's output: `max`, `mean`, or `attention`, a mean weighted by a learned score."""

    def __init__(self, kind: str, size: int) -> None:
        super().__init__()
        self.kind = kind
        if kind == "attention":  # Lin et al. 2017, with one head
            self.hidden = nn.Linear(size, size)
            self.score = nn.Linear(size, 1, bias=False)

    def forward(self, output: Tensor, lengths: Tensor) -> Tensor:
        """Return the summary (N, H x directions) of `output` (N, T, H x directions)."""
        if self.kind == "max":
            return _max(output, lengths)
        if self.kind == "mean":
            return _mean(output, lengths)
        scores = self.score(torch.tanh(self.hidden(output)))  # (N, T, 1)
        weights = scores.masked_fill(~real_steps(lengths, output.shape[1]), -torch.inf).softmax(dim=1)  # (N, T, 1)
        return (weights * output).sum(dim=1)  # (N, H x directions)


class InitialState(nn.Module):
    """The initial `h0` and `c0` of a recurrence where they are not zero."""

    def __init__(self, kind: str, states: int, hidden_size: int, *, has_cell: bool = True) -> None:
        super().__init__()
        self.states, self.hidden_size = states, hidden_size
        if kind == "learned":
            self.h0 = nn.Parameter(torch.zeros(states, 1, hidden_size))
            if has_cell:
                self.c0 = nn.Parameter(torch.zeros(states, 1, hidden_size))

    def forward(self, rows: int) -> InitialStates | None:
        """Return `h0` and `c0`, (L x directions, N, H) each, or None for zeros."""
        shape = (self.states, rows, self.hidden_size)
        if hasattr(self, "h0"):
            h0 = self.h0.expand(shape)  # (L x directions, N, H)
            return h0, self.c0.expand(shape) if hasattr(self, "c0") else h0  # a plain RNN reads no c0
        if not self.training:
            return None
        h0, c0 = RANDOM_STATE_SPREAD * torch.randn(2, *shape)  # (L x directions, N, H)
        return h0, c0


def _mean(steps: Tensor, lengths: Tensor) -> Tensor:
    summed = (steps * real_steps(lengths, steps.shape[1])).sum(dim=1)  # (N, F)
    return summed / lengths.unsqueeze(1)


def _max(steps: Tensor, lengths: Tensor) -> Tensor:
    return steps.masked_fill(~real_steps(lengths, steps.shape[1]), -torch.inf).amax(dim=1)  # (N, F)
