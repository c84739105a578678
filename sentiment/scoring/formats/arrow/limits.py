"""Find the types and values of an Arrow table that a table file can't store."""

import io

import pyarrow as pa
import pyarrow.parquet as pq

from sentiment.errors import DataError
from sentiment.scoring.formats.arrow.values import is_text, plain_values, types_within

_VIEWS = (pa.string_view(), pa.binary_view())  # that no kernel of pyarrow sorts out
_WITHOUT = "or name the columns to keep (--columns) without it"


def check_schema(schema: pa.Schema, kind: str, output: str) -> None:
    """Raise DataError if a column is of a type that the output, a `kind` of table, can't store."""
    for field in schema:
        what = f"{output}: {kind} can't hold column {field.name!r}, {field.type}"
        dictionaries = [inner for _, inner in types_within(field) if pa.types.is_dictionary(inner)]
        if any(pa.types.is_nested(each.value_type) or each.value_type in _VIEWS for each in dictionaries):
            raise DataError(f"{what}: a dictionary of more than plain values; write .jsonl, {_WITHOUT}")
        if kind == "Arrow":
            if dictionaries and not pa.types.is_dictionary(field.type):
                raise DataError(f"{what}: a dictionary within another type; write .parquet, {_WITHOUT}")
            continue
        try:
            pq.ParquetWriter(io.BytesIO(), pa.schema([field])).close()
        except pa.ArrowException:
            raise DataError(f"{what}; write .arrow, {_WITHOUT}") from None


def unwritable_rows(field: pa.Field, column: pa.Array) -> dict[int, str]:
    """Return why Parquet can't store a row's value in this column, by index, though it has its type."""
    kind = column.type
    try:
        if pa.types.is_dictionary(kind) and is_text(kind):
            column.dictionary_decode().validate(full=True)
        elif kind == pa.timestamp("s", getattr(kind, "tz", None)):
            column.cast(pa.timestamp("ms", kind.tz))
        return {}
    except pa.ArrowInvalid:
        write_arrow = "write .arrow or .jsonl to keep it"
    if is_text(kind):
        reason = f"{field.name!r} is not UTF-8, and Parquet's dictionaries hold nothing else: {write_arrow}"
        return {index: reason for index, value in enumerate(plain_values(column)) if isinstance(value, bytes)}
    reason = f"{field.name!r} is too far from 1970 for Parquet's milliseconds: {write_arrow}"
    seconds = column.cast(pa.int64()).to_pylist()
    return {index: reason for index, count in enumerate(seconds) if count is not None and abs(count) * 1000 >= 1 << 63}
