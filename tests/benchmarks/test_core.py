import json
from pathlib import Path

import pytest

from benchmarks import core
from sentiment.nn.precision import DTYPES, bfloat16_units

TOY = ("--repeats", "1", "--step", "3", "12", "--texts", "4", "--bounds")


@pytest.mark.usefixtures("few_texts")
def test_every_figure_of_a_run(tiny_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    core.main([*TOY, "--model", str(tiny_bundle), "--json"])
    results = json.loads(capsys.readouterr().out)
    assert results["setting"]["model"] == "tiny"
    assert results["setting"]["bfloat16_units"] == bfloat16_units()
    assert [(row["lengths"], row["way"]) for row in results["training_step"]] == [
        (lengths, way)
        for lengths in ("10-12 (training's buckets)", "1-12 (uniform)")
        for way in ("packed, float32", *(f"padded, {dtype}" for dtype in DTYPES))
    ]
    assert [(row["workload"], row["way"]) for row in results["prediction"]] == [
        (workload, way)
        for workload in ("sentences", "reviews")
        for way in ("packed loop, float32", *(f"predict, {dtype}" for dtype in DTYPES))
    ]
    assert all(row["tokens_per_second"] > row["texts_per_second"] > 0 for row in results["prediction"])
    for row in results["stages"]:
        assert sum(row[stage] for stage in ("tokenize", "encode", "pad", "model")) == pytest.approx(1)
    assert [len(row) for row in results["batch_bounds"]] == [2 + len(core.BOUNDS)] * 2 * len(DTYPES)


@pytest.mark.usefixtures("few_texts")
def test_the_tables_hold_a_line_each(tiny_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    core.main([*TOY, "--model", str(tiny_bundle)])
    shown = capsys.readouterr().out
    assert shown.count("packed, float32") == 2
    assert shown.count("packed loop, float32") == 2
    assert "%" in shown


@pytest.mark.usefixtures("few_texts")
def test_a_missing_folder_of_data_is_said(tiny_bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"sst_dev\.parquet"):
        core.main([*TOY, "--model", str(tiny_bundle), "--data", str(tmp_path)])
