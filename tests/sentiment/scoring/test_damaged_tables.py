"""Tables with bytes cut or changed: pyarrow follows offsets and indices unchecked, and the process ends."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sentiment.cli import main

READ_DAMAGED = Path(__file__).with_name("read_damaged.py")  # takes more copies by hand


@pytest.mark.parametrize("kind", ["file", "stream", "compressed", "parquet"])
def test_each_damaged_copy_is_read_or_refused_in_one_line(
    run_python: Callable[..., Any], tmp_path: Path, kind: str
) -> None:
    done = run_python(READ_DAMAGED, tmp_path, kind, 300)
    assert done.returncode == 0, done.stderr
    read, refused = map(int, done.stdout.split())
    assert read > 0
    assert refused > 100


@pytest.mark.parametrize("command", ["score", "train", "evaluate"])
def test_a_label_of_a_dictionary_that_leads_nowhere_is_refused_by_every_command(
    tiny_bundle: Path,
    tmp_path: Path,
    command: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    labels = pa.DictionaryArray.from_arrays(pa.array([0, 99], pa.int8()), pa.array(["x"]), safe=False)
    path = tmp_path / "in.arrow"
    batch = pa.RecordBatch.from_arrays([pa.array(["good", "bad"]), labels], ["text", "label"])
    with pa.ipc.new_file(str(path), batch.schema) as writer:
        writer.write_batch(batch)
    out = str(tmp_path / "out")
    arguments = {
        "score": ["score", str(path), f"{out}.csv", "--model", str(tiny_bundle), "--prefix", "predicted_"],
        "train": ["train", str(path), "--out", out],
        "evaluate": ["evaluate", "--data", str(path), "--model", str(tiny_bundle)],
    }[command]
    monkeypatch.setattr(sys, "argv", ["sentiment", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert (ended.value.code, said.count("\n")) == (2, 1)
    assert f"{path}: can't be read as Arrow: " in said
