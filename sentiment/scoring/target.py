"""Where an output goes: one file or, where its name ends with a slash, a folder of parts."""

import os
from collections.abc import Sequence
from pathlib import Path

from sentiment.errors import DataError
from sentiment.scoring.formats import Format, output_format


class Target:
    """The place of an output, its format by its suffix. Raises DataError where nothing writes that."""

    def __init__(self, name: str) -> None:
        self.is_folder = name.endswith(("/", os.sep))
        self.path = Path(name)
        self.format: Format = output_format(self.path.name)

    def __str__(self) -> str:
        return str(self.path)

    @property
    def rejects(self) -> Path:
        """Where its rejects go: beside it."""
        return self.path.with_name(f"{self.path.name}.rejects.jsonl")

    def part_name(self, index: int) -> str:
        """The name of one of its parts, where it is a folder."""
        return f"part-{index:06d}{self.format}"

    def check(self, inputs: Sequence[str]) -> None:
        """Raises DataError where no output can be written: before hours of work, not after."""
        if self.path.is_dir() and not self.is_folder:
            raise DataError(f"{self.path}: is a folder; give a file, or {self.path}/ for a folder of parts")
        if self.path.is_file() and self.is_folder:
            raise DataError(f"{self.path}: is a file; a folder of this name is asked for")
        if not self.path.parent.is_dir():
            raise DataError(f"{self.path}: there is no folder {self.path.parent}")
        for name in inputs:
            path = Path(name)
            if self.path.exists() and path.exists() and path.samefile(self.path):
                raise DataError(f"{self.path}: is the input too; give the output another name")
            if self.is_folder and self.path.resolve() in path.resolve().parents:
                raise DataError(f"{self.path}: holds the input {name}; give the output another name")
