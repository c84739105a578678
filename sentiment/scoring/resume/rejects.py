"""Write the rows that weren't scored, each with its reason."""

import os
from collections.abc import Mapping
from typing import BinaryIO

from sentiment.scoring.formats.rows import RowBatch, to_json


class RejectsWriter:
    """One JSON object a line: `row`, counted from 1, `offset`, the byte it starts at, `reason`, and `raw`, as it stood.

    Bytes that are not UTF-8 are in `raw_base64` instead. A row of a table has no offset. `path`, if given, comes first.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.rows = 0
        self.last: str | None = None  # of them, in words

    def write(self, row_batch: RowBatch, reasons: Mapping[int, str], path: str | None = None) -> None:
        """Write the rows of a batch that have a reason, by index; `path` is their file."""
        for index in sorted(reasons):
            raw = row_batch.raw(index)
            record: dict[str, object] = {}
            if path is not None:
                record["file"] = os.fsencode(path).decode(errors="backslashreplace")  # a name may be any bytes
            record["row"] = row_batch.first_row + index
            if (offset := row_batch.offset(index)) is not None:
                record["offset"] = offset
            record["reason"] = reasons[index]
            try:
                record["raw"] = raw.decode() if isinstance(raw, bytes) else raw
            except UnicodeDecodeError:
                record["raw_base64"] = raw
            self._file.write(to_json(record) + b"\n")
            self.rows += 1
            of = "" if path is None else f" of {record['file']}"
            self.last = f"row {record['row']}{of}: {reasons[index]}"
