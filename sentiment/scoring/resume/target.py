"""Write an output: one file or, if its name ends with a slash, a folder of parts; local or a URL."""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

from sentiment.errors import DataError
from sentiment.scoring.formats.by_suffix import output_format
from sentiment.scoring.resume.parts import Parts, PartsFolder, Publishable
from sentiment.scoring.resume.remote_parts import RemoteFile, RemoteParts
from sentiment.storage import remote
from sentiment.storage.atomic import PartialFile, sync_folder
from sentiment.storage.formats import Format

SUCCESS = "_SUCCESS"  # marks a folder of parts as complete, and names its job; readers of such folders skip it
Files = Mapping[str, Callable[[BinaryIO], None]]  # what writes each, by name


class Target(Protocol):
    """An output file or folder, with its rejects and parts."""

    is_folder: bool
    format: Format

    @property
    def path(self) -> Path | str:
        """Return its name: a str if it is a URL."""

    @property
    def rejects(self) -> Path | str:
        """Return the path of its rejects, beside it."""

    def part_name(self, index: int) -> str:
        """Return the name of one of its parts, where it is a folder."""

    def check(self, inputs: Sequence[str]) -> None:
        """Raise DataError if no output can be written: before hours of work, not after."""

    def parts(self) -> Parts:
        """Return its finished parts."""

    def create(self, parts: Parts) -> Publishable:
        """Return the file, to be written."""

    def create_rejects(self, parts: Parts) -> Publishable:
        """Return the file of its rejects, to be written."""

    def drop_rejects(self) -> None:
        """Remove the rejects, if any."""

    def publish_folder(self, files: Files, success: bytes) -> None:
        """Write the files of a folder, last the one that marks it complete. Do nothing if it is complete already."""

    def size(self) -> int:
        """Return its size in bytes, with all its files; 0 if there is none."""

    def is_free(self) -> bool:
        """Return whether no file is in the way of a folder."""

    def success(self) -> bytes | None:
        """Return the content of the file that marks a complete folder, if there is one."""


def target_of(name: str) -> Target:
    """Return the target of an output, its format by its suffix. Raises DataError if nothing writes that."""
    return RemoteTarget(name) if remote.is_remote(name) else LocalTarget(name)


class LocalTarget:
    """A file or a folder of this machine."""

    def __init__(self, name: str) -> None:
        self.is_folder = name.endswith(("/", os.sep))
        self.path = Path(name)
        self.format = output_format(self.path.name)

    def __str__(self) -> str:
        return str(self.path)

    @property
    def rejects(self) -> Path:
        """Return the path of its rejects, beside it."""
        return self.path.with_name(f"{self.path.name}.rejects.jsonl")

    def part_name(self, index: int) -> str:
        """Return the name of one of its parts, where it is a folder."""
        return f"part-{index:06d}{self.format}"

    def check(self, inputs: Sequence[str]) -> None:
        """Raise DataError if no output can be written: before hours of work, not after."""
        if self.path.is_dir() and not self.is_folder:
            raise DataError(f"{self.path}: is a folder; give a file, or {self.path}/ for a folder of parts")
        if self.path.is_file() and self.is_folder:
            raise DataError(f"{self.path}: is a file; a folder of this name is asked for")
        if self.is_folder and (self.path.is_symlink() or self.path.is_mount()):
            kind = "a link" if self.path.is_symlink() else "where a disk is mounted"
            raise DataError(f"{self.path}: is {kind}, which a folder can't replace; name a new folder in it")
        if self.rejects.is_dir():
            raise DataError(f"{self.rejects}: is a folder, and where rejects go; give the output another name")
        if not self.path.parent.is_dir():
            raise DataError(f"{self.path}: there is no folder {self.path.parent}; make it first")
        for name in inputs:
            path = Path(name)
            if self.path.exists() and path.exists() and path.samefile(self.path):
                raise DataError(f"{self.path}: is the input too; give the output another name")
            if self.rejects.exists() and path.exists() and path.samefile(self.rejects):
                raise DataError(f"{self.rejects}: is the input, and where new rejects go; give the output another name")
            if self.is_folder and self.path.resolve() in path.resolve().parents:
                raise DataError(f"{self.path}: holds the input {name}; give the output another name")

    def parts(self) -> PartsFolder:
        """Return its finished parts."""
        return PartsFolder(self.path)

    def create(self, parts: Parts) -> PartialFile:
        """Return the file, to be written among the parts."""
        return PartialFile(self.path, Path(str(parts)))

    def create_rejects(self, parts: Parts) -> PartialFile:
        """Return the file of its rejects, to be written among the parts."""
        return PartialFile(self.rejects, Path(str(parts)))

    def drop_rejects(self) -> None:
        """Remove the rejects, if any."""
        self.rejects.unlink(missing_ok=True)

    def publish_folder(self, files: Files, success: bytes) -> None:
        """Write the files of a folder, which takes its name when all are in it."""
        if self.success() is not None:
            return
        scratch = self.path.with_name(f"{self.path.name}.partial")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        for name, write in {**files, SUCCESS: lambda file: _write(file, success)}.items():
            with PartialFile(scratch / name) as output:
                write(output.file)
                output.publish()
        scratch.replace(self.path)
        sync_folder(self.path.parent)

    def size(self) -> int:
        """Return its size in bytes, with all its files; 0 if there is none."""
        if not self.path.exists():
            return 0
        return sum(path.stat().st_size for path in (self.path.iterdir() if self.is_folder else [self.path]))

    def is_free(self) -> bool:
        """Return whether no file is in the way of a folder."""
        return not self.path.exists() or not any(self.path.iterdir())

    def success(self) -> bytes | None:
        """Return the content of the file that marks a complete folder, if there is one."""
        path = self.path / SUCCESS
        return path.read_bytes() if path.exists() else None


class RemoteTarget:
    """An object, or the objects under a prefix, behind a URL."""

    def __init__(self, name: str) -> None:
        self.is_folder = name.endswith("/")
        self.path = name.rstrip("/")
        self.format = output_format(self.path.rsplit("/", 1)[-1])

    def __str__(self) -> str:
        return self.path

    @property
    def rejects(self) -> str:
        """Return the path of its rejects, beside it."""
        return f"{self.path}.rejects.jsonl"

    def part_name(self, index: int) -> str:
        """Return the name of one of its parts, where it is a folder."""
        return f"part-{index:06d}{self.format}"

    def check(self, inputs: Sequence[str]) -> None:
        """Raise DataError if no output can be written: before hours of work, not after."""
        if self.path in inputs:
            raise DataError(f"{self.path}: is the input too; give the output another name")
        if self.path.startswith("http"):
            raise DataError(f"{self.path}: a web server is read from, not written to")

    def parts(self) -> Parts:
        """Return its finished parts."""
        return RemoteParts(self.path)

    def create(self, parts: Parts) -> RemoteFile:
        """Return the file, to be written."""
        return RemoteFile(self.path)

    def create_rejects(self, parts: Parts) -> RemoteFile:
        """Return the file of its rejects, to be written."""
        return RemoteFile(self.rejects)

    def drop_rejects(self) -> None:
        """Remove the rejects, if any."""
        remote.delete(self.rejects)

    def publish_folder(self, files: Files, success: bytes) -> None:
        """Write the files one by one, and last the one that says that all are there."""
        if self.success() is not None:
            return
        for name, write in {**files, SUCCESS: lambda file: _write(file, success)}.items():
            with RemoteFile(f"{self.path}/{name}") as output:
                write(output.file)
                output.publish()

    def size(self) -> int:
        """Return its size in bytes, with all its files; 0 if there is none."""
        if self.is_folder:
            return sum(remote.size(f"{self.path}/{name}") for name in remote.names(self.path))
        return remote.size(self.path) if remote.exists(self.path) else 0

    def is_free(self) -> bool:
        """Return whether no file is in the way of a folder; files of parts are of a job that was killed."""
        return not remote.exists(f"{self.path}/{SUCCESS}")

    def success(self) -> bytes | None:
        """Return the content of the file that marks a complete folder, if there is one."""
        if not remote.exists(f"{self.path}/{SUCCESS}"):
            return None
        with remote.open_to_read(f"{self.path}/{SUCCESS}") as file:
            return file.read()


def _write(file: BinaryIO, content: bytes) -> None:
    file.write(content)
