"""Read a text file record by record, each kept unchanged."""

from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

_BOM = b"\xef\xbb\xbf"


class Lines:
    """The lines of a file as text, from the byte at `offset` on, which then says where the next one starts.

    Those taken since `begin_record` are a record, which may have a `fault`.
    """

    def __init__(self, file: BinaryIO, offset: int = 0) -> None:
        self._file = file
        file.seek(offset)
        if offset == 0 and file.read(len(_BOM)) == _BOM:
            offset = len(_BOM)
        file.seek(offset)
        self.offset = offset
        self._again: deque[bytes] = deque()
        self._record: list[bytes] = []
        self.record_offset = offset
        self.fault: str | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._file.readline()
        if not line:
            raise StopIteration
        self.offset += len(line)
        self._record.append(line)
        try:
            return line.decode()
        except UnicodeDecodeError as error:
            self.fault = f"is not UTF-8: byte 0x{line[error.start]:02x}"
            return line.decode("utf-8", "surrogateescape")

    @property
    def raw(self) -> bytes:
        """Return the record as in the file, without its line end."""
        return b"".join(self._record).rstrip(b"\r\n")

    def begin_record(self) -> None:
        """Begin a record at `record_offset`, and forget the one before."""
        self._record.clear()
        self.record_offset = self.offset
        self.fault = None

    def give_up(self, fault: str) -> None:
        """End the record at its first line, as faulty; the other lines are read again, as they may be valid."""
        again = self._record[1:]
        self._again.extendleft(reversed(again))
        self.offset -= sum(map(len, again))
        del self._record[1:]
        self.fault = fault
