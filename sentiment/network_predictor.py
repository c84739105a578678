"""Predict with the torch network of a model folder, whatever it answers with."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from sentiment.batching import PaddedBatch
from sentiment.bundle import Bundle
from sentiment.nn.model import SentimentModel
from sentiment.nn.precision import in_dtype
from sentiment.predictor import AnswerT, Predictor


class NetworkPredictor(Predictor[AnswerT]):
    """A predictor of a bundle. Raises ConfigError for a `dtype` that is not one of `DTYPES`."""

    def __init__(self, bundle: Bundle, *, dtype: str = "float32") -> None:
        self._bundle = replace(bundle, model=in_dtype(bundle.model, dtype))
        super().__init__(
            name=bundle.name,
            version=bundle.version,
            vocabulary=bundle.vocabulary,
            text_config=bundle.text_config,
        )
        self.metrics = bundle.metrics
        self.card = bundle.card
        self.dtype = dtype
        self.num_parameters = bundle.model.num_parameters()

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what pickle keeps: the contents of the model folder's files, the weights as bytes of safetensors."""
        return partial(type(self), dtype=self.dtype), (self._bundle,)

    @property
    def model(self) -> SentimentModel:
        """Return the network itself."""
        return self._bundle.model

    def _buckets(self, lengths: Sequence[int]) -> list[list[int]]:
        return self.model.buckets(lengths)

    def _answers(self, token_ids: Sequence[Sequence[int]]) -> list[list[float]]:
        with torch.inference_mode():
            return self._numbers(self.model(PaddedBatch.of(token_ids)))  # (N, C)

    def _steps(self, token_ids: Sequence[int]) -> list[list[float]]:
        with torch.inference_mode():
            return self._numbers(self.model.steps(PaddedBatch.of([token_ids]))[0])  # (T, C)

    def _numbers(self, output: Tensor) -> list[list[float]]:
        """Return the answers of the network's output: (N, C)."""
        return output.tolist()
