"""A model as one ONNX graph, written from its weights and checked against its own answers before it is believed.

The operator `LSTM` takes `sequence_lens` and then reads each row backwards from its own last token: no packing, and
no padding is ever looked at.
"""

import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from sentiment.classifier import Classifier, EncodedText, Prediction
from sentiment.errors import ConfigError, ExportError
from sentiment.integrations.onnx import INPUTS, OUTPUT, of_bytes
from sentiment.manifest import to_json
from sentiment.nn.lstm import PaddedLSTM, of_each_direction
from sentiment.text.vocabulary import UNK_ID

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

OPSET = 17
IR_VERSION = 8  # of the same age: every ONNX Runtime since 1.12 reads it
TOLERANCE = 1e-5
CHECKED_LENGTHS = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377)  # of the rows that are compared, in tokens
ROWS_EACH = 4


@dataclass(frozen=True)
class ExportFigures:
    """The largest differences of the exported model's probabilities from the original's, on the compared rows."""

    rows: int
    gap: float
    float_gap: float  # from the original's in float32, where that answers in integers
    batch_gap: float  # between a row alone and the same row in a ragged batch, both by the exported model
    bytes: int


def export(classifier: Classifier, file: Path, *, int8: bool = False) -> ExportFigures:
    """Return the figures of the file written: the whole model as one graph, any number of rows (N) of any length (T).

    The graph computes in float32. Of a model in integers it holds the numbers that they are for, and is checked against
    these: the model's own answers differ by what rounding `h` changes, and the figures say how far.

    `int8` holds the LSTM's weights in a quarter of the bytes and computes with them; answers then depend on what a text
    is batched with, and nothing is promised but what the figures say. Raises ExportError if a float32 export misses
    the original by more than 1e-5, and ConfigError where a package is missing or the classifier isn't float32.
    """
    if classifier.dtype != "float32":
        raise ConfigError(f"an export is made of float32: the classifier's dtype is {classifier.dtype!r}")
    config = classifier.model.config
    if not config.is_plain_lstm:
        raise ConfigError(
            "an export holds an LSTM whose final ht is classified: this model's encoder is "
            f"{config.encoder}, pooling {config.pooling}, initial_state {config.initial_state}"
        )
    model = _model(classifier)
    content = _quantized(model) if int8 else model.SerializeToString()
    figures = _compare(classifier, content, str(file))
    gap = max(figures.float_gap, figures.batch_gap)
    if not int8 and not gap <= TOLERANCE:  # NaN, too, is refused
        raise ExportError(f"the graph answers {gap:.2g} away from the model; the limit is {TOLERANCE}")
    try:
        file.write_bytes(content)
    except OSError as error:
        raise ConfigError(f"{file}: can't be written: {error.strerror}") from None
    return figures


def _model(classifier: Classifier) -> "ModelProto":
    try:
        from onnx import TensorProto, checker, helper, numpy_helper
    except ImportError:
        raise ConfigError("exporting needs more packages: pip install 'sentiment-bilstm[onnx]'") from None
    builder = _Graph()
    token_ids, lengths = INPUTS
    builder.probabilities(classifier, token_ids, lengths)
    graph = helper.make_graph(
        builder.nodes,
        "sentiment",
        inputs=[
            helper.make_tensor_value_info(token_ids, TensorProto.INT64, ["N", "T"]),
            helper.make_tensor_value_info(lengths, TensorProto.INT32, ["N"]),
        ],
        outputs=[helper.make_tensor_value_info(OUTPUT, TensorProto.DOUBLE, ["N", len(classifier.labels)])],
        initializer=[numpy_helper.from_array(array, name) for name, array in builder.weights.items()],
    )
    model = helper.make_model(
        graph, producer_name="sentiment", ir_version=IR_VERSION, opset_imports=[helper.make_opsetid("", OPSET)]
    )
    helper.set_model_props(
        model,
        {
            "name": classifier.name,
            "version": classifier.version,
            "labels": to_json(list(classifier.labels)).decode(),
            "vocabulary": to_json(list(classifier.vocabulary.tokens)).decode(),
            "text": to_json(classifier.text_config.model_dump()).decode(),
        },
    )
    checker.check_model(model, full_check=True)
    return model


class _Graph:
    """Nodes and weights, in the order in which they are computed. Each step's name is its output's."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.weights: dict[str, np.ndarray] = {}

    def probabilities(self, classifier: Classifier, token_ids: str, lengths: str) -> None:
        """Build SentimentModel.forward in its order and with its names, and then the probabilities."""
        model = classifier.model
        # In half the bytes where that loses nothing, as in a bundle.
        half = model.embedding.weight.half()  # (V, F)
        exact = torch.equal(half.float(), model.embedding.weight)
        table = self.weight("embedding.weight", half if exact else model.embedding.weight)  # (V, F)
        found = self.add("Gather", "embedded", table, token_ids)  # (N, T, F)
        embedded = self.add("Cast", "embedded_float32", found, to=1)  # (N, T, F)
        ht = self.lstm(model.lstm, self.add("Transpose", "steps", embedded, perm=[1, 0, 2]), lengths)  # (2, N, H)
        width = self.weight("final.shape", np.array([0, model.classifier.in_features]))
        final = self.add("Reshape", "final", self.add("Transpose", "ht", ht, perm=[1, 0, 2]), width)  # (N, 2H)
        weight = self.weight("classifier.weight", model.classifier.weight)  # (C, 2H)
        bias = self.weight("classifier.bias", model.classifier.bias)  # (C,)
        logits = self.add("Gemm", "logits", final, weight, bias, transB=1)  # (N, C)
        # In float64, so that the probabilities sum to 1 and none exceeds it.
        exactly = self.add("Cast", "logits_float64", logits, to=11)  # (N, C)
        temperature = self.weight("temperature", np.array(classifier.temperature))
        self.add("Softmax", OUTPUT, self.add("Div", "calibrated", exactly, temperature), axis=-1)  # (N, C)

    def lstm(self, lstm: PaddedLSTM, steps: str, lengths: str) -> str:
        """Return the final `ht` of the top layer (directions, N, H), from `steps` (T, N, F)."""
        directions = len(lstm.suffixes)
        for layer in range(lstm.num_layers):
            names = [f"lstm.{part}_l{layer}" for part in ("w", "r", "b")]
            weights = [self.weight(name, array) for name, array in zip(names, _lstm_weights(lstm, layer), strict=True)]
            output, ht = f"output_l{layer}", f"ht_l{layer}"
            self.add(
                "LSTM",
                (output, ht),
                *(steps, *weights, lengths),
                direction="bidirectional" if lstm.bidirectional else "forward",
                hidden_size=lstm.hidden_size,
            )  # (T, directions, N, H), (directions, N, H)
            if layer + 1 < lstm.num_layers:
                width = self.weight(f"steps_l{layer}.shape", np.array([0, 0, directions * lstm.hidden_size]))
                beside = self.add("Transpose", f"beside_l{layer}", output, perm=[0, 2, 1, 3])  # (T, N, directions, H)
                steps = self.add("Reshape", f"steps_l{layer}", beside, width)  # (T, N, directions x H)
        return ht

    def weight(self, name: str, values: "Tensor | np.ndarray") -> str:
        """Return the name under which nodes find these numbers."""
        self.weights[name] = values.detach().contiguous().numpy() if isinstance(values, Tensor) else values
        return name

    def add(self, operator: str, outputs: str | tuple[str, ...], *inputs: str, **attributes: Any) -> str:
        """Return the name of the first output of a node."""
        from onnx import helper

        names = (outputs,) if isinstance(outputs, str) else outputs
        self.nodes.append(helper.make_node(operator, inputs, names, name=names[0], **attributes))
        return names[0]


def _lstm_weights(lstm: PaddedLSTM, layer: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return W (directions, 4H, F), R (directions, 4H, H) and B (directions, 8H) in the order of ONNX's gates."""

    def of(name: str) -> Tensor:
        gates = torch.stack(of_each_direction(lstm, f"{name}_l{layer}"))  # (directions, 4H, ...)
        input_gate, forget_gate, candidate, output_gate = gates.chunk(4, dim=1)
        return torch.cat([input_gate, output_gate, forget_gate, candidate], dim=1)  # (directions, 4H, ...)

    w, r = of("weight_ih"), of("weight_hh")  # (directions, 4H, F), (directions, 4H, H)
    if not lstm.bias:
        return w, r, torch.zeros(len(w), 8 * lstm.hidden_size)
    return w, r, torch.cat([of("bias_ih"), of("bias_hh")], dim=1)  # (directions, 8H)


def _quantized(model: "ModelProto") -> bytes:
    from onnxruntime.quantization import quantize_dynamic
    from onnxruntime.quantization.quant_utils import add_pre_process_metadata

    add_pre_process_metadata(model)  # there is nothing to fuse, and a warning would say that it wasn't tried
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "int8.onnx"
        quantize_dynamic(model, target, op_types_to_quantize=["LSTM"])
        return target.read_bytes()


def _compare(classifier: Classifier, content: bytes, file: str) -> ExportFigures:
    exported = of_bytes(content, file)
    rows = list(_rows(len(classifier.vocabulary)))
    together = exported.classify(rows)
    alone = [exported.classify([row])[0] for row in rows]
    gap, float_gap = (
        max(_gap(expected, together), _gap(expected, alone))
        for expected in (classifier.classify(rows), classifier.in_float32().classify(rows))
    )
    return ExportFigures(len(rows), gap, float_gap, _gap(together, alone), len(content))


def _rows(vocabulary_size: int) -> Iterator[EncodedText]:
    """Return rows of every length from one token on, of random words of the vocabulary."""
    rng = random.Random(0)
    for length in CHECKED_LENGTHS * ROWS_EACH:
        yield EncodedText(rng.choices(range(UNK_ID, vocabulary_size), k=length), truncated=False)


def _gap(some: Sequence[Prediction], others: Sequence[Prediction]) -> float:
    """Return the largest difference of a probability. NaN where one is."""
    one, other = (np.array([list(each.probabilities.values()) for each in part]) for part in (some, others))  # (N, C)
    return float(np.abs(one - other).max())
