"""Teach a small network an encoder's hidden states of each token, beside the labels.

A label is one number or two a text; the states are some of each token, and show its meaning in context. A
model that predicts them learns from few texts what takes many labels (Mukherjee and Awadallah 2020 distil the
states of a text; here it is those of its tokens). The head that predicts them is removed after training.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sentiment.batching import PaddedBatch
from sentiment.config import ModelConfig
from sentiment.errors import DataError
from sentiment.nn.encoders import real_steps
from sentiment.nn.model import SentimentModel
from sentiment.training.data.dataset import LabelledTexts

STATE_SIZE = 64  # K, of an encoder's hundreds: they hold three quarters of the variance
STATES_MAX_TOKENS = 64  # of a text: of longer ones they would take more room than they teach


@dataclass(frozen=True)
class Projection:
    """An encoder's states along their directions of most variance, scaled so that all variance sums to 1."""

    mean: Tensor  # (F,)
    directions: Tensor  # (F, K)

    @classmethod
    def of(cls, states: Tensor, size: int) -> "Projection":
        """Return that of at most F directions of states (tokens, F), leaving out those with NaN."""
        states = states[~states[:, 0].isnan()]
        if not len(states):
            return cls(states.new_zeros(states.shape[1]), states.new_zeros(states.shape[1], size))
        mean = states.mean(dim=0)  # (F,)
        centred = (states - mean).double()  # (tokens, F)
        variances, directions = torch.linalg.eigh(centred.T @ centred / len(centred))  # in ascending order
        directions = directions[:, -size:].flip(1)  # (F, K)
        return cls(mean, (directions / variances[-size:].sum().clamp_min(1e-12).sqrt()).float())

    def __call__(self, states: Tensor) -> Tensor:
        """Return the states (..., F) in their short form: (..., K)."""
        return (states - self.mean) @ self.directions  # (..., K)


def read_states(part: LabelledTexts, tokens: Sequence[Sequence[str]], max_tokens: int) -> list[Tensor | None]:
    """Return the teacher's states of each row's tokens, (T, K); None if it has none, or the tokens were truncated.

    Raises DataError for states that are not those of these tokens.
    """
    found: list[Tensor | None] = []
    size = None
    for index, row in enumerate(tokens):
        content = part.states[index] if part.states is not None else None
        if content is None or not 0 < len(row) <= max_tokens:
            found.append(None)
            continue
        try:
            states = from_bytes(content, len(row))
            size = size or states.shape[1]
            if states.shape[1] != size:
                raise ValueError(f"{states.shape[1]} numbers for each of {len(row)} tokens, and {size} in rows before")
            found.append(states)
        except ValueError as error:
            raise DataError(
                f"{part.origin(index)} holds states of another text or of other tokens: {error}; have a "
                "teacher label the file again, with the language and the settings of this training"
            ) from None
    return found


def to_bytes(states: Tensor) -> bytes:
    """Return a text's states (T, K) as a table holds them: row by row, in float16."""
    return states.numpy().astype("<f2").tobytes()


def from_bytes(content: bytes, tokens: int) -> Tensor:
    """Return the states (T, K) of a text of so many tokens, in float16. Raises ValueError if they can't be its own."""
    numbers = np.frombuffer(content, dtype="<f2")
    if len(numbers) % tokens:
        raise ValueError(f"{len(numbers)} numbers can't be shared by {tokens} tokens")
    return torch.from_numpy(numbers.reshape(tokens, -1).astype(np.float16))  # (T, K)


@dataclass(frozen=True)
class StateTargets:
    """The target probabilities of each row, and the states of its tokens if they are known."""

    probabilities: Tensor  # (rows, C)
    states: Sequence[Tensor | None]  # (T, K) each

    def __getitem__(self, rows: Sequence[int] | slice) -> "StateTargets":
        chosen = self.states[rows] if isinstance(rows, slice) else [self.states[row] for row in rows]
        return StateTargets(self.probabilities[rows], chosen)


class StateReader(SentimentModel):
    """The network with a second head on the LSTM's output, which predicts an encoder's state of each token."""

    def __init__(self, config: ModelConfig, *, state_size: int, **sizes: Any) -> None:
        super().__init__(config, **sizes)
        self.state_size = state_size
        self.state_head = nn.Linear(self.directions * config.hidden_size, state_size)

    def with_states(self, batch: PaddedBatch) -> tuple[Tensor, Tensor]:
        """Return the logits (N, C) of a batch, and what it says of each token: (N, T, K)."""
        output, ht = self.lstm(self._drop(self.embedding(batch.token_ids)), batch.lengths)  # (N, T, 2H), (2L, N, H)
        logits = self.classifier(self.output_dropout(self._top(ht)))  # (N, C)
        return logits, self.state_head(output)  # (N, C), (N, T, K)

    def num_parameters(self) -> int:
        """Return the number of learned parameters that are kept."""
        return super().num_parameters() - sum(parameter.numel() for parameter in self.state_head.parameters())

    def without_states(self) -> SentimentModel:
        """Return the network alone, of the same weights."""
        rows, classes = self.embedding.num_embeddings, self.classifier.out_features
        model = SentimentModel(self.config, vocabulary_size=rows, num_classes=classes)
        model.load_state_dict({name: self.state_dict()[name] for name in model.state_dict()})
        return model.eval().requires_grad_(False)


def can_learn_states(config: ModelConfig) -> bool:
    """Return whether such a network can learn states: one whose classifier reads the final `ht`, from zeros on."""
    return config.is_plain_lstm and config.pooling == "final" and config.initial_state == "zero"


def state_loss(predicted: Tensor, lengths: Tensor, states: Sequence[Tensor | None]) -> Tensor:
    """Return the mean share of the states' variance that `predicted` (N, T, K) misses, over tokens, then rows: ().

    Rows without states count as missing none, and so does a token that the encoder left out, whose state is NaN.
    """
    indices = [index for index, known in enumerate(states) if known is not None]
    if not indices:
        return predicted.sum() * 0  # ()
    true = torch.cat([known for known in states if known is not None]).float()  # (tokens, K)
    real = real_steps(lengths[indices], predicted.shape[1]).squeeze(-1)  # (n, T)
    # Left out before the square: behind it the gradient of a NaN would be one.
    missed = torch.where(true.isnan(), 0.0, predicted[indices][real] - true).square().sum(dim=-1)  # (tokens,)
    shares = (1 / lengths[indices]).repeat_interleave(lengths[indices])  # (tokens,)
    return (missed * shares).sum() / len(states)  # ()
