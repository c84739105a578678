"""Small networks whose rows get clearly different answers."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from sentiment.config import ModelConfig
from sentiment.nn.lstm import PaddedLSTM
from sentiment.nn.model import SentimentModel

V, C, F, H = 30, 3, 6, 8
ROWS = [[2, 3, 4, 5], [6], [7, 8], [9, 10, 11, 12, 13, 14, 15, 16]]


def model_of(*, vocabulary_size: int = V, seed: int = 3, scale: float = 2.0, **settings: Any) -> SentimentModel:
    """A seeded network in evaluation mode, its parameters `scale` times the usual."""
    torch.manual_seed(seed)
    config = ModelConfig.of({"embedding_size": F, "hidden_size": H, **settings})
    model = SentimentModel(config, vocabulary_size=vocabulary_size, num_classes=C)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.mul_(scale)
            if name.startswith("initial_state"):
                parameter.normal_()
    return model.eval()


def lstm_of(settings: dict[str, Any]) -> PaddedLSTM:
    """A seeded LSTM, its parameters twice the usual."""
    torch.manual_seed(1)
    lstm = PaddedLSTM(F, H, **settings)
    with torch.no_grad():
        for parameter in lstm.parameters():
            parameter.mul_(2.0)
    return lstm


def packed_states(lstm: nn.LSTM, embedded: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The output of all steps, the final `ht` and `ct`, by torch's own LSTM on packed input."""
    sequence = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
    output, (ht, ct) = nn.LSTM.forward(lstm, sequence)
    return pad_packed_sequence(output, batch_first=True)[0], ht, ct
