"""Give a dictionary column whose batches have different dictionaries a single one for the whole table."""

from collections.abc import Callable, Iterable, Mapping
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

Opener = Callable[[], BinaryIO]


def batches_of(parts: Iterable[Opener]) -> Iterable[pa.RecordBatch]:
    """Yield the batches of the Arrow streams."""
    for part in parts:
        with part() as source, pa.ipc.open_stream(source) as batches:
            yield from batches


def merge_dictionaries(
    parts: Iterable[Opener], schema: pa.Schema, *, narrow_only: bool
) -> tuple[pa.Schema, dict[int, pa.Array]]:
    """Return the schema, and each value that a column of a dictionary has, once, by the column's index.

    Where the index type can't count them, as with a dictionary in each of several files, the schema's is widened.
    `narrow_only` handles only the columns whose index type may be too narrow.
    """
    dictionaries = {}
    for index, field in enumerate(schema):
        kind = field.type
        if pa.types.is_dictionary(kind) and (not narrow_only or kind.index_type.bit_width < 32):
            dictionaries[index] = _dictionary(parts, index, kind.value_type)
            index_type = _index_type(kind.index_type, len(dictionaries[index]))
            schema = schema.set(index, field.with_type(pa.dictionary(index_type, kind.value_type, kind.ordered)))
    return schema, dictionaries


def replace_dictionaries(table: pa.Table, schema: pa.Schema, dictionaries: Mapping[int, pa.Array]) -> pa.Table:
    """Return the table in the schema, its columns with these dictionaries."""
    for index, dictionary in dictionaries.items():
        column = table.column(index)
        chunks = [_with_dictionary(chunk, schema.field(index).type, dictionary) for chunk in column.chunks]
        table = table.set_column(index, schema.field(index), pa.chunked_array(chunks, schema.field(index).type))
    return table


def reencode_dictionary(column: pa.Array) -> pa.Array:
    """Return the column with a dictionary of the values that it uses, none of them null."""
    decoded = column.dictionary_decode()
    return _with_dictionary(column, column.type, decoded.drop_null().unique())


def without_views(field: pa.Field) -> pa.Field:
    """Return the field with a dictionary of dense text where it has one of views, as Polars writes its categories."""
    kind = field.type
    if pa.types.is_dictionary(kind) and kind.value_type == pa.string_view():
        return field.with_type(pa.dictionary(kind.index_type, pa.large_string(), kind.ordered))
    return field


def dense(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the batch with its columns as `without_views` has them."""
    for index, column in enumerate(batch.columns):
        field = without_views(batch.schema.field(index))
        if field.type != column.type:
            texts = column.dictionary.view(pa.binary_view()).to_pylist()
            dictionary = pa.array(texts, pa.large_binary()).view(pa.large_string())
            of_dense = pa.DictionaryArray.from_arrays(column.indices, dictionary, ordered=column.type.ordered)
            batch = batch.set_column(index, field, of_dense)
    return batch


def _dictionary(parts: Iterable[Opener], index: int, kind: pa.DataType) -> pa.Array:
    seen = pa.nulls(0, kind)
    for batch in batches_of(parts):
        seen = pa.concat_arrays([seen, batch.column(index).dictionary]).unique()
    return seen


def _index_type(kind: pa.DataType, count: int) -> pa.DataType:
    try:
        pa.scalar(count, pa.int64()).cast(kind)
    except pa.ArrowInvalid:
        return pa.int32()
    return kind


def _with_dictionary(column: pa.DictionaryArray, kind: pa.DataType, dictionary: pa.Array) -> pa.DictionaryArray:
    indices = pc.index_in(column.dictionary_decode(), dictionary).cast(kind.index_type)
    return pa.DictionaryArray.from_arrays(indices, dictionary, ordered=kind.ordered)
