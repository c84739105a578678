"""The lines of a text file, record by record, each kept as it stands."""

from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

_BOM = b"\xef\xbb\xbf"


class Lines:
    """The lines of a file as text. Those taken since `begin_record` are a record, which may have a `fault`."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        first = file.readline()
        self.bytes_read = len(first)
        self._again = deque([first.removeprefix(_BOM)] if first != _BOM else [])
        self._record: list[bytes] = []
        self.fault: str | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._again:
            line = self._again.popleft()
        else:
            line = self._file.readline()
            self.bytes_read += len(line)
        if not line:
            raise StopIteration
        self._record.append(line)
        try:
            return line.decode()
        except UnicodeDecodeError as error:
            self.fault = f"is not UTF-8: byte 0x{line[error.start]:02x}"
            return line.decode("utf-8", "surrogateescape")

    @property
    def raw(self) -> bytes:
        """The record as it stands in the file, without its line end."""
        return b"".join(self._record).rstrip(b"\r\n")

    def begin_record(self) -> None:
        """Forgets the record before."""
        self._record.clear()
        self.fault = None

    def give_up(self, fault: str) -> None:
        """The record is its first line only, at fault; the others are read anew, as they may be sound."""
        self._again.extendleft(reversed(self._record[1:]))
        del self._record[1:]
        self.fault = fault
