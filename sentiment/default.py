"""Locate the package's model: through a link to models/ in a checkout, as package data in a wheel."""

from importlib.resources import files
from pathlib import Path

DEFAULT_MODEL = Path(str(files("sentiment"))) / "models" / "default"
