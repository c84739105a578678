import gzip
import io

import pyarrow as pa
import pytest

from sentiment.errors import DataError
from sentiment.scoring.formats.compression import compressed, decompressed

CONTENT = b"".join(b"line %d\n" % number for number in range(200_000))


def pack(content: bytes, compression: str) -> bytes:
    file = io.BytesIO()
    with compressed(file, compression) as compressing:
        for start in range(0, len(content), 100_000):
            compressing.write(content[start : start + 100_000])
    return file.getvalue()


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_compression_round_trips_and_is_deterministic(compression: str) -> None:
    content = pack(CONTENT, compression)
    assert len(content) < len(CONTENT) / 2
    assert content == pack(CONTENT, compression)
    assert decompressed(io.BytesIO(content), "in", compression).read() == CONTENT
    library = gzip.decompress(content) if compression == "gzip" else pa.input_stream(io.BytesIO(content), "zstd").read()
    assert library == CONTENT
    members = pack(b"one\n", compression) + pack(b"two\n", compression)
    assert decompressed(io.BytesIO(members), "in", compression).read() == b"one\ntwo\n"


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_any_byte_is_reached_forwards_and_backwards(compression: str) -> None:
    stream = decompressed(io.BytesIO(pack(CONTENT, compression)), "in", compression)
    for offset in (0, 1_500_000, 1_500_010, 7, len(CONTENT) - 5, 3):
        stream.seek(offset)
        assert stream.read(20) == CONTENT[offset : offset + 20]
        assert stream.tell() == min(offset + 20, len(CONTENT))


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_a_damaged_or_cut_file_is_refused_by_name(compression: str) -> None:
    content = pack(CONTENT, compression)
    for damaged in (content[:-9], b"no such thing" * 9):
        with pytest.raises(
            DataError, match=f"^in: can't be decompressed as {compression} after [0-9]+ bytes of text: "
        ):
            decompressed(io.BytesIO(damaged), "in", compression).read()
