"""Write an output: one file or, if its name ends with a slash, a folder of parts; local or a URL."""

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
Files = Mapping[str, Callable[[BinaryIO], object]]  # what writes each, by name, `SUCCESS` last


class Target(Protocol):
    """An output file or folder, with its rejects and parts."""

    is_folder: bool
    format: Format
    path: Path | str  # a str if it is a URL
    rejects: Path | str  # beside it

    def __str__(self) -> str:
        return str(self.path)

    def part_name(self, index: int) -> str:
        """Return the name of one of its parts, where it is a folder."""
        return f"part-{index:06d}{self.format}"

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

    def publish_folder(self, files: Files) -> None:
        """Write the files of a folder, in order."""

    def size(self) -> int:
        """Return its size in bytes, with all its files; 0 if there is none."""

    def is_free(self) -> bool:
        """Return whether no file is in the way of a folder."""

    def success(self) -> bytes | None:
        """Return the content of the file that marks a complete folder, if there is one."""


def target_of(name: str) -> Target:
    """Return the target of an output, its format by its suffix. Raises DataError if nothing writes that."""
    return RemoteTarget(name) if remote.is_remote(name) else LocalTarget(name)


class LocalTarget(Target):
    """A file or a folder of this machine."""

    def __init__(self, name: str) -> None:
        self.is_folder = name.endswith("/")
        self.path = Path(name)
        self.format = output_format(self.path.name)
        self.rejects = self.path.with_name(f"{self.path.name}.rejects.jsonl")

    def check(self, inputs: Sequence[str]) -> None:
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
        return PartsFolder(self.path)

    def create(self, parts: Parts) -> PartialFile:
        return PartialFile(self.path, Path(str(parts)))

    def create_rejects(self, parts: Parts) -> PartialFile:
        return PartialFile(self.rejects, Path(str(parts)))

    def drop_rejects(self) -> None:
        self.rejects.unlink(missing_ok=True)

    def publish_folder(self, files: Files) -> None:
        scratch = self.path.with_name(f"{self.path.name}.partial")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        for name, write in files.items():
            with PartialFile(scratch / name) as output:
                write(output.file)
                output.publish()
        scratch.replace(self.path)
        sync_folder(self.path.parent)

    def size(self) -> int:
        if not self.path.exists():
            return 0
        return sum(path.stat().st_size for path in (self.path.iterdir() if self.is_folder else [self.path]))

    def is_free(self) -> bool:
        return not self.path.exists() or not any(self.path.iterdir())

    def success(self) -> bytes | None:
        path = self.path / SUCCESS
        return path.read_bytes() if path.exists() else None


class RemoteTarget(Target):
    """An object, or the objects under a prefix, behind a URL."""

    def __init__(self, name: str) -> None:
        self.is_folder = name.endswith("/")
        self.path = name.rstrip("/")
        self.format = output_format(self.path.rsplit("/", 1)[-1])
        self.rejects = f"{self.path}.rejects.jsonl"

    def check(self, inputs: Sequence[str]) -> None:
        if self.path in inputs:
            raise DataError(f"{self.path}: is the input too; give the output another name")
        if self.path.startswith("http"):
            raise DataError(f"{self.path}: a web server is read from, not written to")

    def parts(self) -> Parts:
        return RemoteParts(self.path)

    def create(self, parts: Parts) -> RemoteFile:
        return RemoteFile(self.path)

    def create_rejects(self, parts: Parts) -> RemoteFile:
        return RemoteFile(self.rejects)

    def drop_rejects(self) -> None:
        remote.delete(self.rejects)

    def publish_folder(self, files: Files) -> None:
        for name, write in files.items():
            with RemoteFile(f"{self.path}/{name}") as output:
                write(output.file)
                output.publish()

    def size(self) -> int:
        if self.is_folder:
            return sum(remote.size(f"{self.path}/{name}") for name in remote.names(self.path))
        return remote.size(self.path) if remote.exists(self.path) else 0

    def is_free(self) -> bool:
        # Files of parts are of a job that was killed.
        return not remote.exists(f"{self.path}/{SUCCESS}")

    def success(self) -> bytes | None:
        return None if self.is_free() else remote.read(f"{self.path}/{SUCCESS}")
