import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from sentiment.scoring.formats.arrow.values import plain_values, take_rows

NOON = datetime.datetime(2024, 1, 2, 12, 0, 0, 5)
DAY = NOON.date()
MONEY = pa.decimal128(5, 2)
UTF8_OR_NOT = pa.array([b"ok", b"caf\xe9"], pa.binary()).view(pa.string())
IN_PAIRS = pa.array([0, 1, 2], pa.int32())


def of(kind: pa.DataType, *values: Any) -> pa.Array:
    return pa.array(values, kind)


def encoded(values: pa.Array) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array([1, 0, None], pa.int8()), values)


COLUMNS: dict[str, tuple[pa.Array, list[Any]]] = {
    "string_view": (of(pa.string_view(), "a", "longer than a view's inline part", None),
                    ["a", "longer than a view's inline part", None]),
    "binary_view": (of(pa.binary_view(), b"\xff", None), [b"\xff", None]),
    "list of views": (of(pa.large_list(pa.string_view()), ["x"], None, [None]), [["x"], None, [None]]),
    "large_list": (of(pa.large_list(pa.list_(MONEY)), [[Decimal(1)], []], None), [[["1.00"], []], None]),
    "fixed_size_list": (of(pa.list_(MONEY, 1), [Decimal(1)], None, [None]), [["1.00"], None, [None]]),
    "map": (of(pa.map_(pa.date32(), pa.struct([("x", MONEY)])), [(DAY, {"x": Decimal(1)})], None, []),
            [[["2024-01-02", {"x": "1.00"}]], None, []]),
    "struct": (of(pa.struct([("d", pa.date32()), ("b", pa.binary())]), {"d": DAY, "b": b"\xff"}, None),
               [{"d": "2024-01-02", "b": b"\xff"}, None]),
    "struct of nothing": (of(pa.struct([]), {}, None), [{}, None]),
    "struct, one name twice": (pa.StructArray.from_arrays([of(pa.int8(), 1), of(pa.int8(), 2)], names=["x", "x"]),
                               [[["x", 1], ["x", 2]]]),
    "dictionary of dates": (encoded(of(pa.date32(), DAY, None)), [None, "2024-01-02", None]),
    "dictionary of decimals": (encoded(of(MONEY, Decimal(1), Decimal(2))), ["2.00", "1.00", None]),
    "dictionary of views": (encoded(of(pa.string_view(), "a", "longer than a view's inline part")),
                            ["longer than a view's inline part", "a", None]),
    "dictionary, not UTF-8": (encoded(UTF8_OR_NOT), [b"caf\xe9", "ok", None]),
    "list, not UTF-8": (pa.ListArray.from_arrays(IN_PAIRS, UTF8_OR_NOT), [["ok"], [b"caf\xe9"]]),
    "map, not UTF-8": (pa.MapArray.from_arrays(IN_PAIRS, UTF8_OR_NOT, UTF8_OR_NOT),
                       [[["ok", "ok"]], [[b"caf\xe9", b"caf\xe9"]]]),
    "duration": (of(pa.duration("ms"), 1500, -250, None), ["PT1.500S", "PT-0.250S", None]),
    "time": (of(pa.time64("ns"), 1, None), ["00:00:00.000000001", None]),
    "timestamp": (of(pa.timestamp("us", "UTC"), NOON, None), ["2024-01-02 12:00:00.000005Z", None]),
    "time zone unknown": (of(pa.timestamp("us", "Mars/Olympus"), 1, None), ["1970-01-01 00:00:00.000001Z", None]),
    "float16": (of(pa.float16(), 1.5, None), [1.5, None]),
    "list of float16": (of(pa.list_(pa.float16()), [1.5]), [[1.5]]),
    "null": (pa.nulls(2), [None, None]),
    "list of null": (of(pa.list_(pa.null()), [None], []), [[None], []]),
    "extension": (pa.ExtensionArray.from_storage(pa.opaque(MONEY, "t", "v"), of(MONEY, Decimal(1), None)),
                  ["1.00", None]),
    "uuid": (pa.ExtensionArray.from_storage(pa.uuid(), of(pa.binary(16), b"0" * 16, None)),
             ["30303030-3030-3030-3030-303030303030", None]),
    "bool8": (pa.ExtensionArray.from_storage(pa.bool8(), of(pa.int8(), 1, None)), [True, None]),
}  # fmt: skip


@pytest.mark.parametrize("name", COLUMNS)
def test_values_of_every_type_and_its_rows_in_any_order(name: str) -> None:
    column, expected = COLUMNS[name]
    assert plain_values(column) == expected
    assert plain_values(column.slice(1)) == expected[1:]
    for indices in ([], [0], [len(column) - 1, 0], list(range(len(column)))):
        rows = take_rows(column, indices)
        rows.validate(full="not UTF-8" not in name)
        assert rows.type == column.type
        assert plain_values(rows) == [expected[index] for index in indices]


def test_few_rows_of_views_do_not_carry_all_that_the_others_hold() -> None:
    column = pa.array([f"text number {n}" for n in range(10_000)], pa.string_view())
    sink = pa.BufferOutputStream()
    batch = pa.RecordBatch.from_arrays([take_rows(column, range(7_000, 7_010))], ["x"])
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    assert sink.getvalue().size < 2_000
