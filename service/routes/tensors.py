"""Read and write tensors of the Open Inference Protocol, as JSON or as bytes after it (binary data extension)."""

import struct
from collections.abc import Iterator, Sequence

from service.http.problems import invalid_field

_LENGTH = struct.Struct("<I")


def read_strings(content: bytes, pointer: str) -> list[str]:
    """Return the strings of a BYTES tensor: each its length in four bytes, little end first, then its UTF-8.

    Raises Problem, pointing to the tensor or to its element.
    """
    strings: list[str] = []
    position = 0
    while position < len(content):
        start = position + _LENGTH.size
        length = _LENGTH.unpack_from(content, position)[0] if start <= len(content) else len(content)
        position = start + length
        if position > len(content):
            raise invalid_field(pointer, f"ends within element {len(strings)}")
        try:
            strings.append(content[start:position].decode())
        except UnicodeDecodeError as error:
            detail = f"is not valid UTF-8: see byte {error.start} of it"
            raise invalid_field(f"{pointer}/{len(strings)}", detail) from None
    return strings


def write_strings(strings: Sequence[str]) -> bytes:
    """Return a BYTES tensor of these strings."""
    return b"".join(_LENGTH.pack(len(content)) + content for content in map(str.encode, strings))


def write_doubles(numbers: Sequence[float]) -> bytes:
    """Return an FP64 tensor of these numbers."""
    return struct.pack(f"<{len(numbers)}d", *numbers)


def flatten(data: Sequence[object], pointer: str) -> Iterator[tuple[str, object]]:
    """Return each element of [N] or of [N, 1], with the pointer to it."""
    for index, row in enumerate(data):
        if isinstance(row, list):
            yield from ((f"{pointer}/{index}/{column}", item) for column, item in enumerate(row))
        else:
            yield f"{pointer}/{index}", row
