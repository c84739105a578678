"""The models that answer, by name: a name in a path is a key of a dictionary and never becomes a path of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sentiment
from sentiment.errors import ConfigError
from service import metrics
from service.inference import Answer, Inference
from service.problems import UNKNOWN_MODEL, Problem
from service.shapes.models import ModelCard

if TYPE_CHECKING:
    from sentiment.classifier import AnyModel

DEFAULT = "default"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Model:
    """One model under its name."""

    def __init__(self, name: str, inference: Inference) -> None:
        self.name = name
        self.inference = inference
        metrics.serves(name, inference.model.version, None)

    def ask(self, texts: Sequence[str], *, sentences: bool) -> Answer[Any]:
        """A prediction a text or, with `sentences`, a view by them. Raises TextError for one that can't be read."""
        return self.inference.read_sentences(texts) if sentences else self.inference.predict(texts)

    def count(self, found: Sequence[Any]) -> None:
        """Counts at /metrics what is answered: what `ask` found, once nothing refuses the request any more."""
        metrics.predicted(self.name, [getattr(each, "prediction", each) for each in found])

    @property
    def card(self) -> ModelCard:
        """What the version that serves now is."""
        classifier = self.inference.classifier
        return ModelCard(
            name=self.name,
            model=self.inference.model,
            task=classifier.task,
            labels=[] if classifier.task == "regression" else list(classifier.labels),
            language=classifier.text_config.language,
            max_tokens=classifier.text_config.max_tokens,
            card=classifier.card,
        )


class Models:
    """All models of the service; the one named `default` answers where no name is given."""

    def __init__(self, inferences: Mapping[str, Inference]) -> None:
        self._models = {name: Model(name, inference) for name, inference in sorted(inferences.items())}

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models.values())

    def get(self, name: str = DEFAULT) -> Model:
        """The model of this name. Raises Problem if there is none."""
        try:
            return self._models[name]
        except KeyError:
            raise Problem(UNKNOWN_MODEL, "No model of this service has this name: see /v1/models.") from None


def folders(model: Path, models: Path | None) -> dict[str, Path]:
    """The folder of each model by name: each subfolder of `models`, else `model` as the default.

    Raises ConfigError for a name that doesn't fit a path of the API, and where none is named `default`.
    """
    if models is None:
        return {DEFAULT: model}
    if not models.is_dir():
        raise ConfigError(f"SENTIMENT_MODELS: must be a folder of model folders, not {str(models)!r}")
    # A bundle being written stands in a folder with a dot in front.
    found = {path.name: path for path in models.iterdir() if path.is_dir() and not path.name.startswith(".")}
    for name in found:
        if not _NAME.fullmatch(name):
            raise ConfigError(f"SENTIMENT_MODELS: a model's name is {_NAME.pattern}, not {name!r}")
    if DEFAULT not in found:
        raise ConfigError(f"SENTIMENT_MODELS: needs a folder {DEFAULT!r}, not only {sorted(found)}")
    return found


def load(model: Path, models: Path | None) -> dict[str, AnyModel]:
    """The warm classifier of each model by name. Raises ConfigError and BundleError."""
    return {name: sentiment.load(folder, task=None).warm() for name, folder in folders(model, models).items()}
