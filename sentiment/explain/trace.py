"""Trace gates and states token by token, and the answer as the text is read."""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from sentiment.batching import PaddedBatch
from sentiment.classifier import Classifier, EncodedText, Prediction
from sentiment.errors import ConfigError, TextError
from sentiment.explain.cell import QUANTITIES, Reading, read
from sentiment.nn.integers import LEVELS

MAX_TRACE_TOKENS = 512  # reading all beginnings of a text takes time in proportion to the square of its length


@dataclass(frozen=True, slots=True)
class TracedToken:
    """One token and its place in the text, in code points."""

    text: str  # as it was written
    start: int
    end: int
    unknown: bool  # not in the vocabulary


@dataclass(frozen=True, slots=True)
class Series:
    """One quantity of one direction of one layer, at every token."""

    values: Tensor  # (T, H)
    means: list[float]  # of the H units, at each token
    norms: list[float]  # Euclidean, over the H units, at each token

    @classmethod
    def of(cls, values: Tensor) -> "Series":
        """Return `values` (T, H) with the mean and the norm of each token's."""
        return cls(values, values.mean(dim=-1).tolist(), values.norm(dim=-1).tolist())

    def as_dict(self, *, values: bool = False) -> dict[str, Any]:
        """Return lists only, for JSON; `values` among them by request."""
        summary: dict[str, Any] = {"means": self.means, "norms": self.norms}
        return summary | {"values": self.values.tolist()} if values else summary


@dataclass(frozen=True, slots=True)
class LayerTrace:
    """The series of one direction of one layer; tokens in text order, also if it reads backwards."""

    layer: int  # from 0
    direction: str  # forward or backward
    series: dict[str, Series]  # input_gate, forget_gate, candidate, output_gate, c, h


@dataclass(frozen=True, slots=True)
class TensorShape:
    """The shape of one tensor on the way from text to answer, in letters and in numbers.

    N texts, T tokens of the longest, F features of an embedding, H hidden units, L layers, C classes.
    """

    name: str
    letters: tuple[str, ...]
    sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """The states of the network for one text."""

    prediction: Prediction
    tokens: list[TracedToken]
    layers: list[LayerTrace]  # in nn.LSTM's order: layer by layer, forward before backward
    running: dict[str, list[float]]  # of each label, the probability when the text is read up to each token
    shapes: list[TensorShape]

    def as_dict(self, *, values: bool = False) -> dict[str, Any]:
        """Return dicts, lists, strings and numbers only, for JSON; the units, (T, H) a series, by request."""
        return {
            "prediction": asdict(self.prediction),
            "tokens": [asdict(token) for token in self.tokens],
            "layers": [
                {
                    "layer": each.layer,
                    "direction": each.direction,
                    "series": {name: series.as_dict(values=values) for name, series in each.series.items()},
                }
                for each in self.layers
            ],
            "running": self.running,
            "shapes": [asdict(shape) for shape in self.shapes],
        }


def trace(classifier: Classifier, text: str) -> Trace:
    """Return the gates and states of every layer and direction at every token of one text, and its probabilities.

    `sentiment.explain.cell` has the equations, which match nn.LSTM within 1e-5. Probabilities, of the text up to each
    token, are exactly `predict`'s.
    Raises TextError as `predict` does, also for a text of more than `MAX_TRACE_TOKENS` tokens, and ConfigError where
    the classifier isn't float32, or its network is not an LSTM whose final `ht` is classified.
    """
    if classifier.dtype != "float32":
        raise ConfigError(f"a trace is computed in float32: the classifier's dtype is {classifier.dtype!r}")
    config = classifier.model.config
    if not config.is_plain_lstm:
        raise ConfigError(
            "a trace shows the gates of an LSTM whose final ht is classified: this model's encoder is "
            f"{config.encoder}, pooling {config.pooling}, initial_state {config.initial_state}"
        )
    [aligned] = classifier.align([text])
    token_ids = aligned.encoded.token_ids
    if len(token_ids) > MAX_TRACE_TOKENS:
        raise TextError(0, f"has {len(token_ids)} tokens: a trace reads at most {MAX_TRACE_TOKENS}")
    if config.reads_one_way:
        *running, prediction = classifier.predict_steps(text)
    else:
        beginnings = [EncodedText(token_ids[:end], truncated=False) for end in range(1, len(token_ids))]
        *running, prediction = classifier.classify([*beginnings, aligned.encoded])
    batch, unknown = PaddedBatch.of([token_ids]), classifier.vocabulary.is_unknown(token_ids)
    with torch.inference_mode():
        embedded = classifier.model.embedding(batch.token_ids)  # (N, T, F)
        levels = LEVELS if classifier.model.integer_lstm is not None else None
        readings = read(classifier.model.lstm, embedded, batch.lengths, levels=levels)
        shapes = _shapes(classifier, batch, embedded, readings)
    return Trace(
        prediction=prediction,
        tokens=[
            TracedToken(text[start:end], start, end, is_unknown)
            for (start, end), is_unknown in zip(aligned.spans, unknown, strict=True)
        ],
        layers=[
            LayerTrace(
                layer=reading.layer,
                direction="backward" if reading.backward else "forward",
                series={name: Series.of(getattr(reading, name)[0]) for name in QUANTITIES},
            )
            for reading in readings
        ],
        running={label: [each.probabilities[label] for each in (*running, prediction)] for label in classifier.labels},
        shapes=shapes,
    )


def _shapes(classifier: Classifier, batch: PaddedBatch, embedded: Tensor, readings: list[Reading]) -> list[TensorShape]:
    """Return the shapes from token ids to probabilities, of the tensors of the plain equations."""
    model = classifier.model
    times = "2" if model.directions == 2 else ""
    output = torch.cat([reading.h for reading in readings[-model.directions :]], dim=-1)  # (N, T, 2H)
    ht = torch.stack([reading.final(reading.h, batch.lengths) for reading in readings])  # (2L, N, H)
    ct = torch.stack([reading.final(reading.c, batch.lengths) for reading in readings])  # (2L, N, H)
    final = torch.cat(tuple(ht[-model.directions :]), dim=-1)  # (N, 2H)
    logits = model.classifier(final)  # (N, C)
    probabilities = torch.softmax(logits / classifier.temperature, dim=-1)  # (N, C)
    tensors: list[tuple[str, str, Tensor]] = [
        ("token_ids", "N T", batch.token_ids),
        ("lengths", "N", batch.lengths),
        ("embedded", "N T F", embedded),
        ("output", f"N T {times}H", output),
        ("ht", f"{times}L N H", ht),
        ("ct", f"{times}L N H", ct),
        ("final", f"N {times}H", final),
        ("logits", "N C", logits),
        ("probabilities", "N C", probabilities),
    ]
    return [TensorShape(name, tuple(letters.split()), tuple(tensor.shape)) for name, letters, tensor in tensors]
