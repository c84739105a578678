"""The values of Arrow columns, of every type, as what JSON and CSV can say."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_UNIT_DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of this type holds text."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def plain_values(column: pa.Array) -> list[Any]:
    """The column's values, those of nested columns too, without a type that JSON lacks.

    Text that isn't UTF-8 is bytes; dates, times and decimals are text, durations as ISO 8601 has them; a map is a list
    of pairs, as is a struct with two members of one name.
    """
    kind, types = column.type, pa.types
    if types.is_dictionary(kind):
        return plain_values(column.dictionary_decode())
    if types.is_run_end_encoded(kind):
        return plain_values(pc.run_end_decode(column))
    if is_text(kind):
        return [_decoded(cell) for cell in column.cast(pa.large_string()).cast(pa.large_binary()).to_pylist()]
    if types.is_float32(kind):  # 0.1, not 0.10000000149011612
        return [None if number is None else float(number) for number in column.cast(pa.string()).to_pylist()]
    if types.is_duration(kind):
        counts = column.cast(pa.int64()).to_pylist()
        return [None if count is None else _iso_duration(count, _UNIT_DIGITS[kind.unit]) for count in counts]
    if types.is_interval(kind):
        return [None if each is None else _iso_interval(*each) for each in column.to_pylist()]
    if types.is_temporal(kind) or types.is_decimal(kind):
        return _as_text(column)
    if types.is_struct(kind):
        return _structs(column)
    if types.is_union(kind):
        return _unions(column)
    if types.is_map(kind):
        pairs = column.cast(pa.list_(pa.struct([("key", kind.key_type), ("value", kind.item_type)])))
        return [None if row is None else [list(pair.values()) for pair in row] for row in _lists(pairs)]
    if types.is_nested(kind):
        return list(_lists(column))
    if isinstance(kind, pa.UuidType):
        return [None if each is None else str(each) for each in column.to_pylist()]
    if isinstance(kind, pa.BaseExtensionType) and not isinstance(kind, pa.Bool8Type):
        return plain_values(column.storage)
    return column.to_pylist()


def taken(column: pa.Array, places: Sequence[int]) -> pa.Array:
    """The rows at these places, in order, of the column's type."""
    indices = pa.array(places, pa.int64())
    for view, dense in ((pa.string_view(), pa.large_string()), (pa.binary_view(), pa.large_binary())):
        if column.type.equals(view):
            return column.cast(dense).take(indices).cast(view)
    try:
        rows = column.take(indices)
        return _without_gaps(rows) if _is_list_view(column.type) else rows
    except pa.ArrowNotImplementedError:  # of run ends, and of views within others
        pieces = [column.slice(start, count) for start, count in _runs(places)]
        return pa.concat_arrays(pieces or [column.slice(0, 0)])


def _is_list_view(kind: pa.DataType) -> bool:
    return pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind)


def _without_gaps(rows: pa.Array) -> pa.Array:
    """The same lists, without the values that no row points to: a few rows may come from a file with millions."""
    values, sizes = rows.flatten(), pc.list_value_length(rows).fill_null(0)
    offsets = pc.subtract(pc.cumulative_sum(sizes), sizes)
    return type(rows).from_arrays(offsets, sizes, values, type=rows.type, mask=rows.is_null())


def _decoded(cell: bytes | None) -> object:
    try:
        return cell if cell is None else cell.decode()
    except UnicodeDecodeError:
        return cell


def _as_text(column: pa.Array) -> list[Any]:
    try:
        return column.cast(pa.string()).to_pylist()
    except pa.ArrowInvalid:  # a time zone that this machine doesn't know
        times = column.cast(pa.timestamp(column.type.unit)).cast(pa.string()).to_pylist()
        return [None if time is None else f"{time}Z" for time in times]


def _iso_duration(count: int, digits: int) -> str:
    whole, part = divmod(abs(count), 10**digits)
    fraction = f".{part:0{digits}d}" if part else ""
    return f"PT{'-' if count < 0 else ''}{whole}{fraction}S"


def _iso_interval(months: int, days: int, nanoseconds: int) -> str:
    return f"P{months}M{days}D{_iso_duration(nanoseconds, 9).removeprefix('P')}"


def _structs(column: pa.Array) -> list[Any]:
    names = [field.name for field in column.type]
    members = [plain_values(member) for member in column.flatten()]
    found: list[Any] = []
    for place, valid in enumerate(column.is_valid().to_pylist()):
        pairs = [(name, values[place]) for name, values in zip(names, members, strict=True)]
        as_object = len(set(names)) == len(names)
        found.append((dict(pairs) if as_object else [list(pair) for pair in pairs]) if valid else None)
    return found


def _unions(column: pa.Array) -> list[Any]:
    kind = column.type
    column = column.take(pa.array(range(len(column)), pa.int64()))  # of a slice it shows codes from before its start
    members = dict(zip(kind.type_codes, (plain_values(column.field(n)) for n in range(kind.num_fields)), strict=True))
    codes = column.type_codes.to_pylist()
    offsets = column.offsets.to_pylist() if kind.mode == "dense" else range(len(column))
    return [members[code][offset] for code, offset in zip(codes, offsets, strict=True)]


def _lists(column: pa.Array) -> Iterator[list[Any] | None]:
    try:
        values = iter(plain_values(column.flatten()))
    except pa.ArrowNotImplementedError:  # of views within views
        yield from (plain_values(row.values) if row.is_valid else None for row in column)
        return
    for length in pc.list_value_length(column).to_pylist():
        yield None if length is None else list(islice(values, length))


def _runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where each stretch of consecutive places starts, and how many it has."""
    start, count = 0, 0
    for place in places:
        if count and place == start + count:
            count += 1
            continue
        if count:
            yield start, count
        start, count = place, 1
    if count:
        yield start, count
