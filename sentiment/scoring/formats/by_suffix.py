"""Choose formats by suffix, and refuse files whose content doesn't match their suffix."""

import codecs
from typing import BinaryIO

from sentiment.errors import DataError
from sentiment.storage.formats import LINE_SUFFIX, ROW_SUFFIXES, Format, format_of

INPUT_SUFFIXES = (*ROW_SUFFIXES, LINE_SUFFIX)
TEXT = "UTF-8 text"
_HEAD_BYTES = 1 << 16
_SIGNATURES = {  # of a file's first bytes; the longer of two that begin alike comes first
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh91AY&SY": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"PK\x03\x04": "zip",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"PAR1": "Parquet",
    b"ARROW1": "Arrow",
    b"\xff\xfe\0\0": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
_CURES = {
    TEXT: "name it by what it is",
    "gzip": "let its name end in .gz",
    "zstd": "let its name end in .zst",
    "Parquet": "let its name end in .parquet",
    "Arrow": "let its name end in .arrow",
    "zip": "unpack it, or export the spreadsheet as CSV",
    "UTF-16": "save it as UTF-8",
    "UTF-32": "save it as UTF-8",
    "an Excel workbook": "export it as CSV",
}


def input_format(name: str) -> Format:
    """Raise DataError if nothing reads it."""
    return format_of(name, INPUT_SUFFIXES, "score reads")


def output_format(name: str) -> Format:
    """Raise DataError if nothing writes it."""
    return format_of(name, ROW_SUFFIXES, "score writes")


def check_content(file: BinaryIO, path: str, expected: str) -> None:
    """Raise DataError if the first bytes are those of something else than `expected`: text, gzip, Parquet, ...

    Bytes that are nothing known are left to the reader, which says what it can't read of them.
    """
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    found = _content(head)
    if found is not None and found != expected:
        raise DataError(
            f"{path}: the file holds {found}, not {expected}; {_CURES.get(found, 'decompress or rename it')}"
        )
    if expected == TEXT and b"\r" in head.rstrip() and b"\n" not in head:
        raise DataError(f"{path}: its lines end in a carriage return alone; save it with line feeds (LF or CRLF)")


def _content(head: bytes) -> str | None:
    signature = next((start for start in _SIGNATURES if head.startswith(start)), None)
    if signature is not None:
        return _SIGNATURES[signature]
    start = head[:64]  # names of columns or keys: each second byte of them is 0 in UTF-16 without its mark
    zeros = start[::2].count(0), start[1::2].count(0)
    if min(zeros) == 0 and max(zeros) * 4 > len(start):
        return "UTF-16"
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)  # the last character may be cut
    except UnicodeDecodeError:
        return None
    return TEXT if text and "\0" not in text else None
