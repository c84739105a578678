"""Killed at every step that a job takes on the disk, it ends with the bytes of an undisturbed one."""

import gzip
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

EVERYWHERE = Path(__file__).with_name("kill_everywhere.py")
AT_RANDOM = Path(__file__).with_name("kill_at_random.py")
KILLS = 4  # of each format; `kill_at_random.py` takes more by hand
ROWS = 1100
WORDS = ("a", "good", "film", "not", "bad", "very", "boring", ":)", "zyzzyva", "café", "\u4e0d\u9519", '"so"', ",")


def rows_of(count: int) -> list[dict[str, Any]]:
    """Texts of 0 to 6 words, each fifth of them empty."""
    rng = random.Random(0)
    texts = [" ".join(rng.choices(WORDS, k=rng.randint(0, 6))) for _ in range(count)]
    return [{"id": n, "text": text if n % 5 else "", "price": n / 8} for n, text in enumerate(texts)]


def write_input(path: Path) -> None:
    rows = rows_of(ROWS)
    if path.suffix == ".parquet":
        table = pa.Table.from_pylist(rows)
        kinds = pa.array([f"kind {n % 7 if n < 900 else n % 3}" for n in range(ROWS)]).dictionary_encode()
        pq.write_table(table.append_column("kind", kinds), path, row_group_size=370)
        return
    lines: list[bytes] = []
    if ".csv" in path.suffixes:
        lines.append(b"\xef\xbb\xbfid,text\n")
        quoted = [row["text"].replace('"', '""') for row in rows]
        lines += [f'{n},"{text}\nnext line"\n'.encode() if n % 5 else b"\n" for n, text in enumerate(quoted)]
        lines[500] = b'499,"never closed\n'
        lines[502] = b"501,caf\xe9\n"
        lines[-1] = lines[-1].removesuffix(b"\n")
    else:
        lines += [json.dumps(row).encode() + b"\n" for row in rows]
        lines[500] = b"{\n"
    content = b"".join(lines)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.mark.parametrize(
    ("input_suffix", "output_suffix"), [(".csv", ".csv"), (".jsonl", ".jsonl"), (".parquet", ".parquet")]
)
def test_killed_at_every_step_it_ends_with_the_same_bytes(
    tiny_bundle: Path, tmp_path: Path, input_suffix: str, output_suffix: str
) -> None:
    source, folder = tmp_path / f"in{input_suffix}", tmp_path / "out"
    folder.mkdir()
    write_input(source)
    command = [sys.executable, str(EVERYWHERE), str(tiny_bundle), str(source), str(folder), output_suffix]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    # It went on after each of the three shards, and with all of them done.
    assert found["resumed"] == [0, 500, 1000, 1100]
    assert found["steps"] > 40
    assert found["kills_of_one"] >= 3


@pytest.mark.parametrize(
    ("input_suffix", "output_suffix", "processes"),
    [(".csv", ".csv", 1), (".csv.gz", ".jsonl.gz", 1), (".parquet", ".parquet", 1), (".jsonl", ".csv.zst", 2)],
)
def test_killed_at_random_moments_it_ends_with_the_same_bytes(
    tiny_bundle: Path, tmp_path: Path, input_suffix: str, output_suffix: str, processes: int
) -> None:
    source, folder = tmp_path / f"in{input_suffix}", tmp_path / "out"
    folder.mkdir()
    write_input(source)
    command = [sys.executable, AT_RANDOM, tiny_bundle, source, folder, output_suffix, KILLS, processes]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["kills"] == KILLS
