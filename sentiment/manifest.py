"""Write a folder of files with a manifest of their sizes and SHA-256 atomically, and verify it when read.

Checked in this order: the manifest, each file's size, each file's digest. A file that is read is read once, so that
what was verified is what is used. It may be a link, as in the cache of Hugging Face and in volumes of Kubernetes: the
digest is of the bytes that it leads to. The manifest itself names files of the folder alone.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from sentiment.errors import BundleError
from sentiment.storage.atomic import sync_folder

FORMAT_VERSION = 3  # written; all from 1 on are read
MAX_FILE_BYTES = 1 << 30  # a wrong or hostile manifest can't make the loader read more than this
MAX_MANIFEST_BYTES = 1 << 16

MANIFEST = "manifest.json"


def write(folder: Path, name: str, contents: Mapping[str, bytes]) -> str:
    """Write a folder and return its version. It appears whole, replacing one with the same files, or not at all."""
    folder = Path(os.path.realpath(folder))  # a link stays, and points to the new files
    check_target(folder, contents)
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        manifest = _manifest(name, contents)
        for file, content in {**contents, MANIFEST: manifest}.items():
            _write_synced(scratch / file, content)
        scratch.chmod(0o755)
        sync_folder(scratch)
        _put_in_place(scratch, folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return _version(manifest)


def check_target(folder: Path, files: Collection[str]) -> None:
    """Raise BundleError if `write` would replace something else than such a folder."""
    if folder.exists() and not folder.is_dir():
        raise BundleError(str(folder), "is a file: choose an empty or a new folder")
    names = {file.name for file in folder.iterdir()} if folder.is_dir() else set()
    if names and (MANIFEST not in names or names - {*files, MANIFEST}):
        raise BundleError(str(folder), "holds other files than a bundle's: choose an empty or a new folder")


def read(folder: Path, files: Collection[str]) -> tuple[str, str, dict[str, bytes]]:
    """Return the name, the version and the verified contents of a folder that contains just these files.

    Raises BundleError, naming the file, for anything missing, resized, altered or unlisted.
    """
    if not os.path.isdir(folder):  # like Path.is_dir, but never raises
        raise BundleError(str(folder), "there is no such folder")
    manifest_bytes = _read(folder, MANIFEST, MAX_MANIFEST_BYTES)
    manifest = _parse_manifest(manifest_bytes, files)
    listed = manifest["files"]
    for file in listed:
        _check_size(folder, file, listed[file]["bytes"])
    contents = {file: _read_hashed(folder, file, listed[file]["sha256"]) for file in listed}
    return manifest["name"], _version(manifest_bytes), contents


def to_json(value: Any) -> bytes:
    """Return the value as canonical JSON. Raises ValueError for values that JSON lacks."""
    return (json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def from_json(contents: Mapping[str, bytes], name: str, kind: type) -> Any:
    """Return the content of the file. Raises BundleError, naming it, if it is no JSON or of another type."""
    try:
        value = json.loads(contents[name], parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BundleError(name, f"is not JSON: {error}") from None
    if not isinstance(value, kind):
        raise BundleError(name, f"holds a {type(value).__name__} where a {kind.__name__} is expected")
    return value


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


def _manifest(name: str, contents: Mapping[str, bytes]) -> bytes:
    files = {
        file: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for file, content in contents.items()
    }
    body = {"format_version": FORMAT_VERSION, "name": name, "files": files}
    return to_json({**body, "sha256": hashlib.sha256(to_json(body)).hexdigest()})


def _version(manifest: bytes) -> str:
    return hashlib.sha256(manifest).hexdigest()[:12]


def _parse_manifest(content: bytes, expected: Collection[str]) -> dict[str, Any]:
    manifest = from_json({MANIFEST: content}, MANIFEST, dict)
    version = manifest.get("format_version")
    if type(version) is not int or not 1 <= version <= FORMAT_VERSION:  # nor true, which equals 1
        raise BundleError(MANIFEST, f"format_version is {version!r:.40}; this release reads 1 to {FORMAT_VERSION}")
    digest = manifest.pop("sha256", None)
    try:
        body, whole = to_json(manifest), to_json({**manifest, "sha256": digest})
    except (ValueError, RecursionError) as error:
        raise BundleError(MANIFEST, f"holds what `save` never writes: {error}") from None
    if digest != hashlib.sha256(body).hexdigest():
        raise BundleError(MANIFEST, "its own sha256 does not match: it was altered")
    # Byte for byte, so that no change anywhere in the file goes unseen.
    if content != whole:
        raise BundleError(MANIFEST, "is not written as `save` writes it: it was altered")
    files = manifest.get("files")
    if (
        not isinstance(manifest.get("name"), str)
        or not isinstance(files, dict)
        or not all(
            isinstance(entry, dict) and type(entry.get("bytes")) is int and isinstance(entry.get("sha256"), str)
            for entry in files.values()
        )
    ):
        raise BundleError(MANIFEST, "`name` and `files` (bytes and sha256 of each) are needed")
    for name in files:
        if name not in expected:
            raise BundleError(str(name), f"is not a file of a bundle; those are {', '.join(expected)}")
    for name in expected:
        if name not in files:
            raise BundleError(name, "is missing from the manifest")
    return manifest


def _check_size(folder: Path, name: str, expected: int) -> None:
    actual = _regular(folder, name).stat().st_size
    if expected > MAX_FILE_BYTES:
        raise BundleError(name, f"has {expected} bytes by the manifest; the limit is {MAX_FILE_BYTES}")
    if actual != expected:
        raise BundleError(name, f"has {actual} bytes where the manifest says {expected}")


def _regular(folder: Path, name: str) -> Path:
    path = folder / name
    if not os.path.isfile(path):  # like Path.is_file, but never raises
        raise BundleError(name, "is missing, or is not a regular file")
    return path


def _read(folder: Path, name: str, limit: int) -> bytes:
    path = _regular(folder, name)
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise BundleError(name, f"can't be read: {error.strerror}") from None
    if len(content) > limit:
        raise BundleError(name, f"has more than {limit} bytes, the limit")
    return content


def _read_hashed(folder: Path, name: str, expected: str) -> bytes:
    content = _read(folder, name, MAX_FILE_BYTES)
    actual = hashlib.sha256(content).hexdigest()
    if actual != expected:
        raise BundleError(name, f"sha256 is {actual[:12]}… where the manifest says {expected[:12]}…: it was altered")
    return content


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _put_in_place(scratch: Path, folder: Path) -> None:
    """Rename over a folder that isn't empty: move the old one aside first, and back on failure."""
    aside = scratch.with_name(f"{scratch.name}.old")
    replaced = folder.exists()
    if replaced:
        folder.rename(aside)
    try:
        scratch.rename(folder)
    except BaseException:  # an interrupt, too, must not leave the folder away
        if replaced:
            aside.rename(folder)
        raise
    sync_folder(folder.parent)
    shutil.rmtree(aside, ignore_errors=True)
