"""Find models by name; a name in a URL is only a dictionary key, never a path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import sentiment
from sentiment.errors import ConfigError
from service.http.problems import UNKNOWN_MODEL, Problem
from service.inference.batcher import Batcher
from service.inference.model import Model

if TYPE_CHECKING:
    from sentiment.classifier import AnyModel

DEFAULT = "default"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Models:
    """All models of the service; `default` answers requests without a name."""

    def __init__(self, classifiers: Mapping[str, AnyModel], batcher: Batcher) -> None:
        self.by_name = {name: Model(name, classifier, batcher) for name, classifier in sorted(classifiers.items())}

    def __iter__(self) -> Iterator[Model]:
        return iter(self.by_name.values())

    def get(self, name: str = DEFAULT) -> Model:
        """Return the model of this name. Raises Problem if there is none."""
        try:
            return self.by_name[name]
        except KeyError:
            raise Problem(UNKNOWN_MODEL, "No model of this service has this name: see /v1/models.") from None


def model_folders(model: Path, models: Path | None) -> dict[str, Path]:
    """Return the folder of each model by name: each subfolder of `models`, else `model` as the default.

    Raises ConfigError for a name that doesn't fit into a URL, and if none is named `default`.
    """
    if models is None:
        return {DEFAULT: model}
    if not models.is_dir():
        raise ConfigError(f"SENTIMENT_MODELS: must be a folder of model folders, not {str(models)!r}")
    # Folders with a leading dot are bundles being written.
    found = {path.name: path for path in models.iterdir() if path.is_dir() and not path.name.startswith(".")}
    for name in found:
        if not _NAME.fullmatch(name):
            raise ConfigError(f"SENTIMENT_MODELS: a model's name is {_NAME.pattern}, not {name!r}")
    if DEFAULT not in found:
        raise ConfigError(f"SENTIMENT_MODELS: needs a folder {DEFAULT!r}, not only {sorted(found)}")
    return found


def load(model: Path, models: Path | None) -> dict[str, AnyModel]:
    """Load and warm up the classifier of each model, by name. Raises ConfigError and BundleError."""
    return {name: sentiment.load(folder, task=None).warm() for name, folder in model_folders(model, models).items()}
