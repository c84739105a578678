"""Read a small table with bytes cut or changed, COPIES times: each copy is read or refused in one line.

Scoring's reader reads all columns, training's those it needs. Prints how many copies were read, and how many refused.

    read_damaged.py FOLDER KIND COPIES
"""

import io
import random
import sys
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sentiment.errors import DataError
from sentiment.scoring.formats.files import open_source
from sentiment.scoring.formats.rows import Selection
from sentiment.training.data.reading import read_labelled
from sentiment.training.recipe import Source


def views() -> pa.Array:
    """Return text views of which each third is null with an invalid offset, which is valid Arrow."""
    nulls, indices, *texts = pa.array(
        ["longer than a view's inline part", "short", None] * 10, pa.string_view()
    ).buffers()
    changed = bytearray(indices)
    for start in range(2 * 16, len(changed), 3 * 16):
        changed[start : start + 4] = (-1 << 30).to_bytes(4, "little", signed=True)  # characters
    return pa.Array.from_buffers(pa.string_view(), 30, [nulls, pa.py_buffer(bytes(changed)), *texts])


TABLE = pa.table(
    {
        "text": ["good", None, "not a good film at all", "", "café"] * 6,
        "label": pa.array(["x", "y", None, "z", "x"] * 6).dictionary_encode(),
        "day": pa.array([date(2024, 1, 1), None] * 15),
        "flags": [True, None] * 15,
        "lists": pa.array([["a"], None, [], ["b", "c"], ["d"]] * 6, pa.large_list(pa.string())),
        "map": pa.array([[("a", 1)], None, []] * 10, pa.map_(pa.string(), pa.int32())),
        "struct": [{"a": "x", "b": [1.5]}, None] * 15,
        "time": pa.array([1, None, 3] * 10, pa.timestamp("us", "UTC")),
        "view": views(),
    }
)


def table_of(kind: str) -> bytes:
    file = io.BytesIO()
    if kind == "parquet":
        pq.write_table(TABLE, file, row_group_size=10)
        return file.getvalue()
    new = pa.ipc.new_stream if kind == "stream" else pa.ipc.new_file
    compression = "lz4" if kind == "compressed" else None
    with new(file, TABLE.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(TABLE, max_chunksize=10)
    return file.getvalue()


def damaged(content: bytes, rng: random.Random) -> bytes:
    if rng.random() < 0.2:
        return content[: rng.randrange(len(content))]
    changed = bytearray(content)
    for _ in range(rng.choice([1, 1, 1, 4, 16])):
        index = rng.randrange(len(content))
        changed[index] = rng.choice([0, 0x7F, 0x80, 0xFF, changed[index] ^ 1 << rng.randrange(8)])
    return bytes(changed)


def read(path: Path) -> None:
    with path.open("rb") as file, open_source(file, str(path), Selection("text", ())) as source:
        for row_batch, _ in source.row_batches(source.start, 1000, 1000):
            row_batch.json_objects(range(len(row_batch.texts)))
    read_labelled(Source(path=path), skip_empty=True, skip_bad_rows=True)


def main(folder: Path, kind: str, copies: int) -> None:
    rng, content, refused = random.Random(0), table_of(kind), 0
    path = folder / ("in.parquet" if kind == "parquet" else "in.arrow")
    for _ in range(copies):
        path.write_bytes(damaged(content, rng))
        try:
            read(path)
        except DataError as error:
            refused += 1
            if "\n" in str(error):
                raise
    path.write_bytes(content)
    read(path)
    print(copies - refused, refused)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
