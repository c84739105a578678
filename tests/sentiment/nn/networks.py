"""Small networks whose rows get clearly different answers."""

from typing import Any

import torch

from sentiment.config import ModelConfig
from sentiment.nn.model import SentimentModel

V, C, F, H = 40, 3, 6, 8
ROWS = [[2, 3, 4, 5], [6], [7, 8], [9, 10, 11, 12, 13, 14, 15, 16]]


def model_of(*, scale: float = 2.0, **settings: Any) -> SentimentModel:
    """A seeded network in evaluation mode, its parameters `scale` times the usual."""
    torch.manual_seed(3)
    config = ModelConfig.of({"embedding_size": F, "hidden_size": H, **settings})
    model = SentimentModel(config, vocabulary_size=V, num_classes=C)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.mul_(scale)
            if name.startswith("initial_state"):
                parameter.normal_()
    return model.eval()
