import json
from pathlib import Path

import pytest

from benchmarks import onnx


def test_every_figure_of_a_run(tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "texts.csv"
    data.write_text("text,label\na great film,positive\nnot good,negative\nvery boring !,negative\n")
    onnx.main(["--model", str(tiny_bundle), "--data", str(data), "--repeats", "1"])
    figures = json.loads(capsys.readouterr().out)
    ways = ["torch", "ONNX Runtime, float32", "ONNX Runtime, int8"]
    for name in ("answers", "milliseconds a text, one at a time", "texts a second, all at once"):
        assert list(figures[name]) == ways
    assert figures["answers"]["torch"]["gap"] == 0
    assert figures["answers"]["ONNX Runtime, float32"]["gap"] < 0.01  # the graph does not round h
    assert figures["answers"]["ONNX Runtime, int8"]["gap"] > 1e-5
    assert figures["gap on the rows checked at export"]["float32"] < 1e-5
