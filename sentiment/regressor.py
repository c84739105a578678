"""Load a model folder whose network answers with one number, and predict with it."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import Any, Literal

import torch

from sentiment.batching import PaddedBatch
from sentiment.bundle import Bundle
from sentiment.frames import Column
from sentiment.nn.model import SentimentModel
from sentiment.nn.precision import in_dtype
from sentiment.predictor import EncodedText, Predictor, ValuePrediction


class Regressor(Predictor[ValuePrediction]):
    """A loaded regressor; it may be shared by threads, forked and pickled."""

    task: Literal["regression"] = "regression"

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
            return self.model(PaddedBatch.of(token_ids)).tolist()  # (N, 1)

    def _steps(self, token_ids: Sequence[int]) -> list[list[float]]:
        with torch.inference_mode():
            return self.model.steps(PaddedBatch.of([token_ids]))[0].tolist()  # (T, 1)

    def _columns(self) -> dict[str, Column]:
        return {"value": Column(float, attrgetter("value"))}

    def _prediction(self, text: EncodedText, answer: list[float]) -> ValuePrediction:
        [value] = answer
        tokens, unknown_tokens = self.vocabulary.count(text.token_ids)
        return ValuePrediction(
            value=value,
            tokens=tokens,
            unknown_tokens=unknown_tokens,
            truncated=text.truncated,
        )
