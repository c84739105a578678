"""Locate the package's model: through a link to models/ in a checkout, as package data in a wheel."""

from importlib.resources import files
from pathlib import Path

SHIPPED = "default"  # as the name of a model
LANGUAGE = "en"  # of its texts
NOTHING = "nothing"  # as the start of a training: no model
DEFAULT_MODEL = Path(str(files("sentiment"))) / "models" / SHIPPED


def model_folder(model: str | Path) -> Path:
    """Return a model's folder: the package's own for the name `default`, which as a Path or `./default` is a folder."""
    return DEFAULT_MODEL if model == SHIPPED else Path(model)


def default_start(language: str, *, is_own_network: bool) -> str:
    """Return the start of a training that names none: the shipped model, if it fits the language and the network."""
    return SHIPPED if language == LANGUAGE and not is_own_network else NOTHING
