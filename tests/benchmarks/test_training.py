import json
from pathlib import Path

import pytest

from benchmarks import training

TOY = ("--sentences", "6", "--reviews", "6", "--repeats", "1")
TRAINERS = ["ours, float32", "ours, bfloat16", "packed nn.LSTM, float32, our batches", training.PACKED, "spaCy textcat"]


@pytest.mark.usefixtures("few_texts")
def test_every_figure_of_a_run(tiny_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    training.main([*TOY, "--model", str(tiny_bundle), "--json"])
    results = json.loads(capsys.readouterr().out)
    assert results["setting"]["texts"] == "generated"
    assert [(row["texts"], row["trainer"]) for row in results["training"]] == [
        (texts, trainer) for texts in ("sentences", "reviews") for trainer in TRAINERS
    ]
    for rows in (results["training"][:5], results["training"][5:]):
        for row in rows:
            assert row["times_packed"] == pytest.approx(row["tokens_per_second"] / rows[3]["tokens_per_second"])


@pytest.mark.usefixtures("few_texts")
def test_fasttext_is_asked_of_its_own_environment(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nhead -1 "$3" > {tmp_path}/line\necho 0.5\n')
    python.chmod(0o755)
    training.main([*TOY, "--model", str(tiny_bundle), "--peers", str(tmp_path)])
    assert capsys.readouterr().out.count("fastText") == 2
    assert (tmp_path / "line").read_text().startswith("__label__")
