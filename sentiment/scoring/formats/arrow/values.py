"""Convert the values of Arrow columns of any type to what JSON and CSV can store."""

from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_UNIT_DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}


def is_text(kind: pa.DataType) -> bool:
    """Return whether a column of this type holds text."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def types_within(field: pa.Field) -> Iterator[tuple[str, pa.DataType]]:
    """Yield the name and type of the field and of all that its type is made of.

    Raises UnicodeDecodeError for a name that is not UTF-8.
    """
    yield field.name, field.type
    kind = field.type
    while isinstance(kind, pa.BaseExtensionType) or pa.types.is_dictionary(kind):
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind.storage_type
    if pa.types.is_nested(kind):
        for index in range(kind.num_fields):
            yield from types_within(kind.field(index))


def is_supported(field: pa.Field) -> bool:
    """Return whether values of this type, and of all types within it, are read."""
    types = pa.types
    unread = types.is_union, types.is_run_end_encoded, types.is_list_view, types.is_large_list_view, types.is_interval
    return not any(is_of(kind) for _, kind in types_within(field) for is_of in unread)


def check_batch(batch: pa.RecordBatch) -> None:
    """Raise ArrowInvalid where an offset, an index or a length leads out of what the batch holds.

    pyarrow follows them unchecked, and a damaged file ends the process. Text need not be UTF-8.
    """
    batch.validate()
    for column in batch.columns:
        column.view(_with_bytes(column.type)).validate(full=True)


def _with_bytes(kind: pa.DataType) -> pa.DataType:
    """Return the type with bytes in place of text."""
    types = pa.types

    def inner(index: int) -> pa.Field:
        field = kind.field(index)
        return field.with_type(_with_bytes(field.type))

    if isinstance(kind, pa.BaseExtensionType):
        return _with_bytes(kind.storage_type)
    if types.is_dictionary(kind):
        return pa.dictionary(kind.index_type, _with_bytes(kind.value_type), kind.ordered)
    if types.is_struct(kind):
        return pa.struct([inner(index) for index in range(kind.num_fields)])
    if types.is_map(kind):
        return pa.map_(_with_bytes(kind.key_type), _with_bytes(kind.item_type))
    if types.is_fixed_size_list(kind):
        return pa.list_(inner(0), kind.list_size)
    if types.is_nested(kind):
        return (pa.large_list if types.is_large_list(kind) else pa.list_)(inner(0))
    dense = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary(), pa.string_view(): pa.binary_view()}
    return dense.get(kind, kind)


def plain_values(column: pa.Array) -> list[Any]:
    """Return the column's values, those of nested columns too, without a type that JSON lacks.

    Text that isn't UTF-8 is bytes; dates, times and decimals are text, durations as ISO 8601 has them; a map is a list
    of pairs, as is a struct with two members of one name.
    """
    kind, types = column.type, pa.types
    if types.is_dictionary(kind):
        indices = column.indices.to_pylist()
        used = sorted({index for index in indices if index is not None})
        found = dict(zip(used, plain_values(take_rows(column.dictionary, used)), strict=True))
        return [found.get(index) for index in indices]
    if is_text(kind):
        return [_decoded(cell) for cell in column.view(_with_bytes(kind)).to_pylist()]
    if types.is_float32(kind):  # 0.1, not 0.10000000149011612
        return [None if number is None else float(number) for number in column.cast(pa.string()).to_pylist()]
    if types.is_duration(kind):
        counts = column.cast(pa.int64()).to_pylist()
        return [None if count is None else _iso_duration(count, _UNIT_DIGITS[kind.unit]) for count in counts]
    if types.is_temporal(kind) or types.is_decimal(kind):
        return _as_text(column)
    if types.is_struct(kind):
        return _structs(column)
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


def take_rows(column: pa.Array, indices: Sequence[int]) -> pa.Array:
    """Return the rows at these indices, in order, of the column's type."""
    if column.type in (pa.string_view(), pa.binary_view()):  # pyarrow's kernels follow the views of nulls, too
        cells = column.view(pa.binary_view())
        return pa.array([cells[index].as_py() for index in indices], pa.binary_view()).view(column.type)
    try:
        return column.take(pa.array(indices, pa.int64()))
    except pa.ArrowNotImplementedError:  # of views within others
        pieces = [column.slice(start, count) for start, count in _runs(indices)]
        return pa.concat_arrays(pieces or [column.slice(0, 0)])


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


def _structs(column: pa.Array) -> list[Any]:
    names = [field.name for field in column.type]
    members = [plain_values(member) for member in column.flatten()]
    found: list[Any] = []
    for index, valid in enumerate(column.is_valid().to_pylist()):
        pairs = [(name, values[index]) for name, values in zip(names, members, strict=True)]
        as_object = len(set(names)) == len(names)
        found.append((dict(pairs) if as_object else [list(pair) for pair in pairs]) if valid else None)
    return found


def _lists(column: pa.Array) -> Iterator[list[Any] | None]:
    values = iter(plain_values(column.flatten()))
    for length in pc.list_value_length(column).to_pylist():
        yield None if length is None else list(islice(values, length))


def _runs(indices: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the start and the length of each run of consecutive indices."""
    for _, run in groupby(enumerate(indices), lambda numbered: numbered[1] - numbered[0]):
        (_, start), *more = run
        yield start, 1 + len(more)
