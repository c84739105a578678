"""Read compressed files from any byte on, and write them."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Protocol, cast

from sentiment.errors import DataError

GZIP_LEVEL = 6  # gzip's own default; Python's 9 takes twice the time for a hundredth of the size
_BUFFER_BYTES = 1 << 20


class _Readable(Protocol):
    def readinto(self, buffer: memoryview, /) -> int | None: ...


def decompressed(file: BinaryIO, path: str, compression: str | None) -> BinaryIO:
    """Return the uncompressed file. Raises DataError, when read, if it is damaged or ends early."""
    if compression is None:
        return file
    return cast("BinaryIO", io.BufferedReader(_Decompressed(file, path, compression), _BUFFER_BYTES))


@contextmanager
def compressed(file: BinaryIO, compression: str | None) -> Iterator[BinaryIO]:
    """Yield a file that compresses onto this one, which stays open: the same content gives the same bytes."""
    if compression is None:
        yield file
    elif compression == "gzip":
        with gzip.GzipFile("", "wb", GZIP_LEVEL, file, mtime=0) as compressing:
            yield cast("BinaryIO", compressing)
    else:
        import pyarrow as pa

        with pa.CompressedOutputStream(pa.PythonFile(_KeptOpen(file), "w"), "zstd") as compressing:
            yield compressing


class _Decompressed(io.RawIOBase):
    """Reads forwards; seeking backwards starts again from the first byte."""

    def __init__(self, file: BinaryIO, path: str, compression: str) -> None:
        self._file = file
        self._path = path
        self._compression = compression
        self._begin()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._offset

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation("a compressed file is sought from its start only")
        if offset < self._offset:
            self._begin()
        block = memoryview(bytearray(_BUFFER_BYTES))
        while self._offset < offset and self.readinto(block[: offset - self._offset]):
            pass
        return self._offset

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            count = self._stream.readinto(buffer) or 0
        except (EOFError, OSError, zlib.error) as error:
            reason = str(error).splitlines()[0]
            raise DataError(
                f"{self._path}: can't be decompressed as {self._compression} after {self._offset} bytes of text: "
                f"{reason}"
            ) from None
        self._offset += count
        return count

    def _begin(self) -> None:
        self._file.seek(0)
        self._stream = _stream(self._file, self._compression)
        self._offset = 0


class _KeptOpen(io.RawIOBase):
    """Passes on what is read and written; closing it closes nothing."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def write(self, data: bytes) -> int:  # type: ignore[override]
        return self._file.write(data)


def _stream(file: BinaryIO, compression: str) -> _Readable:
    if compression == "gzip":
        return cast("_Readable", gzip.GzipFile(fileobj=file, mode="rb"))
    import pyarrow as pa

    return cast("_Readable", pa.CompressedInputStream(pa.PythonFile(_KeptOpen(file), "r"), "zstd"))
