"""An exported model under ONNX Runtime: `load("model.onnx").predict(["Not bad."])`, where there is no torch.

`sentiment export --onnx FILE` writes what is read here (see onnx_export.py).
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sentiment.config import TextConfig, recorded_text
from sentiment.errors import BundleError, ConfigError
from sentiment.predictor import LabelPredictor
from sentiment.text.vocabulary import PAD_ID, Vocabulary

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

INPUTS = ("token_ids", "lengths")  # (N, T) int64, filled up with <pad> on the right, and (N,) int32
OUTPUT = "probabilities"  # (N, C) float64
METADATA = ("name", "version", "labels", "vocabulary", "text")  # the last three are JSON


class OnnxClassifier(LabelPredictor):
    """A model ready to answer, as `sentiment.Classifier` is. One may be shared by threads, forked and pickled.

    `version` is that of the model folder it was exported from.
    """

    def __init__(
        self,
        content: bytes,
        session: "InferenceSession",
        *,
        name: str,
        version: str,
        labels: tuple[str, ...],
        vocabulary: Vocabulary,
        text_config: TextConfig,
    ) -> None:
        super().__init__(name=name, version=version, vocabulary=vocabulary, text_config=text_config)
        self.labels = labels
        self._content = content  # the session keeps it, too
        self._session = session

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what pickle keeps: what the exported file contains."""
        return of_bytes, (self._content, self.name)

    def _answers(self, token_ids: Sequence[Sequence[int]]) -> list[list[float]]:
        lengths = np.array([len(row) for row in token_ids], dtype=np.int32)  # (N,)
        padded = np.full((len(token_ids), lengths.max()), PAD_ID, dtype=np.int64)  # (N, T)
        for row, ids in zip(padded, token_ids, strict=True):
            row[: len(ids)] = ids
        [probabilities] = self._session.run([OUTPUT], dict(zip(INPUTS, (padded, lengths), strict=True)))  # (N, C)
        return probabilities.tolist()


def load(file: str | Path) -> OnnxClassifier:
    """Load an exported classifier; its probabilities are the model's in float32 within 1e-5, unless it is int8.

    Raises BundleError for a file that `sentiment export` did not write, ConfigError if ONNX Runtime is missing.
    """
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        raise BundleError(str(file), f"can't be read: {error.strerror}") from None
    return of_bytes(content, str(file))


def of_bytes(content: bytes, file: str) -> OnnxClassifier:
    """Load from a file's content; `file` is its name in errors."""
    session = _session(content, file)
    given = session.get_modelmeta().custom_metadata_map
    missing = [name for name in METADATA if name not in given]
    if missing:
        raise BundleError(file, f"`sentiment export` did not write it: it lacks the metadata {', '.join(missing)}")
    signature = {each.name: each.type for each in (*session.get_inputs(), *session.get_outputs())}
    if signature != {"token_ids": "tensor(int64)", "lengths": "tensor(int32)", OUTPUT: "tensor(double)"}:
        raise BundleError(file, f"its inputs and outputs are {signature}, not those that `sentiment export` writes")
    try:
        return OnnxClassifier(
            content,
            session,
            name=given["name"],
            version=given["version"],
            labels=tuple(json.loads(given["labels"])),
            vocabulary=Vocabulary(json.loads(given["vocabulary"])),
            text_config=TextConfig.of(recorded_text(json.loads(given["text"]))),
        )
    except (ConfigError, TypeError, ValueError) as error:
        raise BundleError(file, str(error)) from None


def _session(content: bytes, file: str) -> "InferenceSession":
    try:
        import onnxruntime
    except ImportError:
        raise ConfigError("ONNX models need one package more: pip install 'sentiment-bilstm[onnx]'") from None
    try:
        return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own kinds have no base but this
        raise BundleError(file, f"is no ONNX model that ONNX Runtime takes: {str(error).splitlines()[0]}") from None
