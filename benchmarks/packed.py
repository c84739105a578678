"""The peer: `pack_padded_sequence`, as the textbooks have it, with the same weights."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from sentiment.batching import PaddedBatch
from sentiment.bundle import Bundle
from sentiment.nn.lstm import InitialStates, PaddedLSTM
from sentiment.nn.model import SentimentModel
from sentiment.text.tokenizer import Tokenizer
from sentiment.text.vocabulary import UNK_ID


class PackedLSTM(PaddedLSTM):
    """PaddedLSTM's parameters and results by way of packing."""

    def forward(  # type: ignore[override]
        self, embedded: Tensor, lengths: Tensor, initial: InitialStates | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return `output` (N, T, H x directions) and the final `ht` (L x directions, N, H)."""
        packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        output, (ht, _) = nn.LSTM.forward(self, packed, initial)
        return pad_packed_sequence(output, batch_first=True)[0], ht

    def final_states(self, embedded: Tensor, lengths: Tensor, initial: InitialStates | None = None) -> Tensor:
        """Return the `ht` of `forward`: packing has no cheaper way to it."""
        return self(embedded, lengths, initial)[1]


def packed_model(model: SentimentModel) -> SentimentModel:
    """Return a copy of the model that packs."""
    model = copy.deepcopy(model)
    model.lstm.__class__ = PackedLSTM
    return model


class PackedLoop:
    """Texts to labels one after the other, as most tutorials serve a model."""

    def __init__(self, bundle: Bundle) -> None:
        self._tokenizer = Tokenizer(bundle.text_config)
        self._tokenizer.warm(bundle.vocabulary.words)
        self._vocabulary = bundle.vocabulary
        self._labels = bundle.labels
        self._model = packed_model(bundle.model)

    def predict(self, texts: Sequence[str]) -> list[str]:
        """Return the label of each text."""
        return [self._predict_one(text) for text in texts]

    def _predict_one(self, text: str) -> str:
        [(tokens, _)] = self._tokenizer.tokenize([text])
        batch = PaddedBatch.of([self._vocabulary.encode(tokens) or [UNK_ID]])
        with torch.inference_mode():
            probabilities = torch.softmax(self._model(batch), dim=-1)  # (1, C)
        return self._labels[int(probabilities.argmax())]
