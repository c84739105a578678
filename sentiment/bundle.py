"""Save and load a model as a folder of data files, verified before anything is used.

First the files (see manifest.py), then what they hold: settings, names, shapes, finiteness. Nothing is unpickled; a
bundle that is pickled travels as the contents of its files, which are checked in the same way.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import safetensors.torch
import torch
from pydantic import BeforeValidator, Field
from safetensors import SafetensorError
from torch import Tensor

from sentiment import manifest
from sentiment.config import ModelConfig, Settings, Task, TextConfig, recorded_text
from sentiment.errors import BundleError, ConfigError
from sentiment.manifest import from_json, to_json
from sentiment.nn.integers import QuantizedWeight
from sentiment.nn.model import SentimentModel
from sentiment.text.vocabulary import Vocabulary

WEIGHTS = "weights.safetensors"
CONFIG = "config.json"
VOCABULARY = "vocabulary.json"
LABELS = "labels.json"
GOLDEN = "golden.json"
METRICS = "metrics.json"
CARD = "README.md"
SCALES = ".scales"  # suffix of the tensor with the scale of each row of an integer tensor
FILES = (WEIGHTS, CONFIG, VOCABULARY, LABELS, GOLDEN, METRICS, CARD)


class BundleConfig(Settings):
    """The content of `config.json`."""

    text: Annotated[TextConfig, BeforeValidator(recorded_text)]
    model: ModelConfig
    task: Task = "classification"  # not written: such a folder is as before there were others
    temperature: Annotated[float, Field(gt=0, strict=True, allow_inf_nan=False)]


@dataclass(frozen=True)
class Bundle:
    """The content of a model folder. `temperature` divides the logits before the softmax."""

    name: str
    model: SentimentModel = field(repr=False)
    vocabulary: Vocabulary = field(repr=False)
    labels: tuple[str, ...]  # empty for a regression
    text_config: TextConfig
    task: Task = "classification"
    temperature: float = 1.0
    golden: tuple[dict[str, Any], ...] = field(
        default=(), repr=False
    )  # texts, and the model's answers when it was saved
    metrics: dict[str, Any] = field(default_factory=dict, repr=False)
    card: str = field(default="", repr=False)
    version: str = ""  # the manifest's digest, shortened: another file, another version

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what pickle keeps: the contents of the files, the weights as bytes of safetensors."""
        return _parse, (self.name, self.version, _serialize(self))


def save(bundle: Bundle, folder: Path) -> str:
    """Save a bundle and return its version. The folder appears whole, replacing an earlier bundle, or not at all."""
    return manifest.write(folder, bundle.name, _serialize(bundle))


def check_target(folder: Path) -> None:
    """Raise BundleError if `save` would replace something that is not a bundle."""
    manifest.check_target(folder, FILES)


def load(folder: Path) -> Bundle:
    """Load and verify a bundle, its model in evaluation mode, float32.

    Raises BundleError, naming the file, for anything missing, resized, altered or out of form.
    """
    return _parse(*manifest.read(Path(folder), FILES))


def _parse(name: str, version: str, contents: Mapping[str, bytes]) -> Bundle:
    try:
        config = BundleConfig.of(from_json(contents, CONFIG, dict))
    except ConfigError as error:
        raise BundleError(CONFIG, str(error)) from None
    labels = from_json(contents, LABELS, list)
    if config.task == "regression":
        if labels:
            raise BundleError(LABELS, f"must be an empty list, as this model answers with numbers, not {labels!r:.80}")
    elif not all(isinstance(label, str) for label in labels) or len(labels) < 2 or len(set(labels)) != len(labels):
        raise BundleError(LABELS, f"at least two different names are needed, not {labels!r:.80}")
    try:
        vocabulary = Vocabulary(from_json(contents, VOCABULARY, list))
    except (TypeError, ValueError) as error:
        raise BundleError(VOCABULARY, str(error)) from None
    model = SentimentModel(config.model, vocabulary_size=len(vocabulary), num_classes=len(labels) or 1)
    _load_weights(model, contents[WEIGHTS])
    return Bundle(
        name=name,
        model=model.eval().requires_grad_(False),
        vocabulary=vocabulary,
        labels=tuple(labels),
        text_config=config.text,
        task=config.task,
        temperature=config.temperature,
        golden=tuple(from_json(contents, GOLDEN, list)),
        metrics=from_json(contents, METRICS, dict),
        card=contents[CARD].decode("utf-8", "replace"),
        version=version,
    )


def _serialize(bundle: Bundle) -> dict[str, bytes]:
    weights = {name: _compact(tensor.contiguous()) for name, tensor in bundle.model.state_dict().items()}
    if bundle.model.integer_lstm is not None:
        for name, integers in bundle.model.integer_lstm.weights.items():
            weights |= {name: integers.values, f"{name}{SCALES}": integers.scales}
    config = {
        "text": bundle.text_config.model_dump(),
        "model": bundle.model.config.model_dump(),
        "temperature": bundle.temperature,
    } | ({"task": bundle.task} if bundle.task != "classification" else {})
    return {
        WEIGHTS: safetensors.torch.save(weights),
        CONFIG: to_json(config),
        VOCABULARY: to_json(list(bundle.vocabulary.tokens)),
        LABELS: to_json(list(bundle.labels)),
        GOLDEN: to_json(list(bundle.golden)),
        METRICS: to_json(bundle.metrics),
        CARD: bundle.card.encode(),
    }


def _compact(tensor: Tensor) -> Tensor:
    """Return the tensor in half the bytes if that loses nothing."""
    half = tensor.half()
    return half if torch.equal(half.to(tensor.dtype), tensor) else tensor


def _load_weights(model: SentimentModel, content: bytes) -> None:
    try:
        weights = safetensors.torch.load(content)
    except (SafetensorError, ValueError, KeyError) as error:
        raise BundleError(WEIGHTS, f"is not a safetensors file: {error}") from None
    integer_names = model.integer_names if any(name.endswith(SCALES) for name in weights) else []
    shapes = {name: tensor.shape for name, tensor in model.state_dict().items()}
    shapes |= {f"{name}{SCALES}": shapes[name][:1] for name in integer_names}
    if weights.keys() != shapes.keys():
        missing, unknown = sorted(shapes.keys() - weights.keys()), sorted(weights.keys() - shapes.keys())
        raise BundleError(WEIGHTS, f"tensors missing: {missing}; not of this network: {unknown}")
    for name, shape in shapes.items():
        _check_tensor(name, weights[name], shape, is_integer=name in integer_names)
    model.load_state_dict({name: weights[name] for name in model.state_dict()})
    if integer_names:
        model.answer_in_integers(
            {name: QuantizedWeight(weights[name], weights[f"{name}{SCALES}"].float()) for name in integer_names}
        )


def _check_tensor(name: str, actual: Tensor, shape: torch.Size, *, is_integer: bool) -> None:
    if actual.shape != shape:
        raise BundleError(WEIGHTS, f"{name} has shape {tuple(actual.shape)} where {tuple(shape)} is expected")
    if is_integer and actual.dtype != torch.int8:
        raise BundleError(WEIGHTS, f"{name} holds {actual.dtype}, not torch.int8, and there are scales for it")
    if not is_integer and not actual.is_floating_point():
        raise BundleError(WEIGHTS, f"{name} holds {actual.dtype}, not floating point numbers")
    if not torch.isfinite(actual.float()).all():  # as float32, which the model computes in
        raise BundleError(WEIGHTS, f"{name} has NaN or infinity; train the model again, or copy it again")
