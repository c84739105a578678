"""Killed at every step that a job takes on the disk, it ends with the bytes of an undisturbed one."""

import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

EVERYWHERE = Path(__file__).with_name("kill_everywhere.py")
AT_RANDOM = Path(__file__).with_name("kill_at_random.py")
KILLS = 4  # of each format; `kill_at_random.py` takes more by hand
ROWS = 110
WORDS = ("a", "good", "film", "not", "bad", "very", "boring", ":)", "zyzzyva", "café", "\u4e0d\u9519", '"so"', ",")


def rows_of(count: int) -> list[dict[str, Any]]:
    """Return rows with texts of 0 to 6 words, each fifth of them empty."""
    rng = random.Random(0)
    texts = [" ".join(rng.choices(WORDS, k=rng.randint(0, 6))) for _ in range(count)]
    return [{"id": n, "text": text if n % 5 else "", "price": n / 8} for n, text in enumerate(texts)]


def write_input(path: Path, count: int = ROWS) -> None:
    """Write rows, some of which can't be read where the first of two shards and a fifth ends."""
    rows, middle, late = rows_of(count), count * 5 // 11, count * 9 // 11
    if path.suffix == ".parquet":
        table = pa.Table.from_pylist(rows)
        kinds = pa.array([f"kind {n % 7 if n < late else n % 3}" for n in range(count)]).dictionary_encode()
        pq.write_table(table.append_column("kind", kinds), path, row_group_size=count // 3 + 1)
        return
    lines: list[bytes] = []
    if ".csv" in path.suffixes:
        lines.append(b"\xef\xbb\xbfid,text\n")
        quoted = [row["text"].replace('"', '""') for row in rows]
        lines += [f'{n},"{text}\nnext line"\n'.encode() if n % 5 else b"\n" for n, text in enumerate(quoted)]
        lines[middle] = b'%d,"never closed\n' % (middle - 1)
        lines[middle + 2] = b"%d,caf\xe9\n" % (middle + 1)
        lines[-1] = lines[-1].removesuffix(b"\n")
    else:
        lines += [json.dumps(row).encode() + b"\n" for row in rows]
        lines[middle] = b"{\n"
    content = b"".join(lines)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.mark.parametrize("stride", [9, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_killed_at_every_step_it_ends_with_the_same_bytes(
    run_python: Callable[..., Any], tiny_bundle: Path, tmp_path: Path, suffix: str, stride: int
) -> None:
    source, folder = tmp_path / f"in{suffix}", tmp_path / "out"
    folder.mkdir()
    write_input(source)
    done = run_python(EVERYWHERE, tiny_bundle, source, folder, suffix, stride)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    # It was resumed after each of the three shards, and with all of them done.
    assert found["resumed"] == [0, 50, 100, 110]
    assert found["kills"] > 40 / stride
    assert found["kills_of_one"] >= 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("input_suffix", "output_suffix", "processes"),
    [(".csv", ".csv", 1), (".csv.gz", ".jsonl.gz", 1), (".parquet", ".parquet", 1), (".jsonl", ".csv.zst", 2)],
)
def test_killed_at_random_moments_it_ends_with_the_same_bytes(
    run_python: Callable[..., Any],
    tiny_bundle: Path,
    tmp_path: Path,
    input_suffix: str,
    output_suffix: str,
    processes: int,
) -> None:
    source, folder = tmp_path / f"in{input_suffix}", tmp_path / "out"
    folder.mkdir()
    write_input(source, 10 * ROWS)
    done = run_python(AT_RANDOM, tiny_bundle, source, folder, output_suffix, KILLS, processes)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["kills"] == KILLS
