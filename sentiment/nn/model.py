"""The whole network, readable in one sitting: embed, read both ways, classify."""

import torch
from torch import Tensor, nn

from sentiment.batching import PaddedBatch
from sentiment.config import ModelConfig
from sentiment.nn.lstm import PaddedLSTM
from sentiment.text.vocabulary import PAD_ID


class SentimentModel(nn.Module):
    """Token ids to logits through the final `ht` of both directions of the top layer."""

    def __init__(self, config: ModelConfig, *, vocabulary_size: int, num_classes: int) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(vocabulary_size, config.embedding_size, padding_idx=PAD_ID)
        self.lstm = PaddedLSTM(
            config.embedding_size,
            config.hidden_size,
            num_layers=config.num_layers,
            bias=config.bias,
            dropout=config.dropout,
            bidirectional=config.bidirectional,
        )
        self.directions = 2 if config.bidirectional else 1
        self.output_dropout = nn.Dropout(config.output_dropout)
        self.classifier = nn.Linear(self.directions * config.hidden_size, num_classes)

    def forward(self, batch: PaddedBatch) -> Tensor:
        """The logits (N, C) of a batch; a row's don't depend on its neighbours nor on its padding."""
        embedded = self._drop(self.embedding(batch.token_ids))  # (N, T, F)
        ht = self.lstm.final_states(embedded, batch.lengths)  # (L x directions, N, H)
        final = torch.cat(tuple(ht[-self.directions :]), dim=-1)  # (N, 2H)
        return self.classifier(self.output_dropout(final))  # (N, C)

    def _drop(self, embedded: Tensor) -> Tensor:
        """Locked dropout: a feature is dropped at all time steps of a text or at none (Gal and Ghahramani 2016)."""
        keep = 1 - self.config.embedding_dropout
        if not self.training or keep == 1:
            return embedded
        mask = embedded.new_empty(embedded.shape[0], 1, embedded.shape[2]).bernoulli_(keep)  # (N, 1, F)
        return embedded * mask / keep

    def num_parameters(self) -> int:
        """How many numbers were learned."""
        return sum(parameter.numel() for parameter in self.parameters())
