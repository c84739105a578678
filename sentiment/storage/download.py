"""Download a file with a known SHA-256, completely or not at all, resuming after a cut."""

import os
from collections.abc import Callable
from pathlib import Path

import requests
import urllib3

from sentiment.errors import DataError
from sentiment.storage.files import hash_file

TIMEOUT_SECONDS = (10, 60)  # to connect; between two pieces
_CHUNK_BYTES = 1 << 18
_UNSATISFIABLE = 416  # of a range that starts at the file's end: nothing of it is missing

Progress = Callable[[int, int | None], None]  # bytes that are here, bytes of the whole where the server says it


def download(url: str, target: Path, sha256: str, progress: Progress = lambda done, total: None) -> None:
    """Put the file of a URL in its place, unless it is there.

    Received bytes are in `target`.partial until it is complete: a connection that breaks, or a process that is killed,
    costs no byte twice if the server supports ranges (RFC 9110, 14). After a break the download resumes at once if
    any bytes had arrived.

    Raises DataError for a server that can't be reached or refuses, and for a file of another SHA-256, which is removed.
    """
    if target.exists():
        found = digest(target)
        if found != sha256:
            raise DataError(f"{target}: its SHA-256 is {found}, not {sha256}; remove it to download it again")
        return
    partial = target.with_name(f"{target.name}.partial")
    while (broken := _fetch(url, partial, progress)) is not None:
        before, reason = broken
        here = _bytes(partial)
        if here <= before:
            kept = f"; {here:,} bytes are in {partial}, and the same command resumes there" if here else ""
            raise DataError(f"{url}: {reason}{kept}")
    found = digest(partial)
    if found != sha256:
        partial.unlink()
        raise DataError(
            f"{url}: its SHA-256 is {found}, not {sha256}: it is another file, or was altered on the way; none of it "
            "was kept"
        )
    os.replace(partial, target)


def digest(file: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with file.open("rb") as content:
        return hash_file(content)[1]


def _fetch(url: str, partial: Path, progress: Progress) -> tuple[int, str] | None:
    """Return None once the file is whole; else how many bytes there were before, and what broke the connection."""
    before = _bytes(partial)
    # Identity: ranges count the bytes that are sent.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={before}-"} if before else {})
    try:
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as response:
            if before and response.status_code == _UNSATISFIABLE:
                return None
            if not response.ok:
                raise DataError(f"{url}: the server answers {response.status_code} {response.reason}")
            goes_on = response.headers.get("Content-Range", "").startswith(f"bytes {before}-")
            length = response.headers.get("Content-Length")
            done = before if goes_on else 0
            total = done + int(length) if length is not None else None
            with partial.open("ab" if goes_on else "wb") as file:
                # What has come is taken at once: a chunk that waits to be full is lost with the connection.
                while chunk := response.raw.read1(_CHUNK_BYTES):
                    file.write(chunk)
                    done += len(chunk)
                    progress(done, total)
                file.flush()
                os.fsync(file.fileno())
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        return before, f"the connection failed: {_reason(error)}"
    except OSError as error:
        raise DataError(
            f"{partial}: can't be written: {error.strerror}; once it can, the same command resumes"
        ) from None
    return None


def _bytes(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _reason(error: BaseException) -> str:
    # requests wraps what urllib3 wraps: the innermost says it in the fewest words.
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(error) or type(error).__name__
