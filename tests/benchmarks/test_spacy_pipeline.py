import json
from pathlib import Path

import pytest

from benchmarks import spacy_pipeline


@pytest.mark.usefixtures("few_texts")
def test_every_figure_of_a_run(tiny_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spacy_pipeline.main(["--model", str(tiny_bundle), "--texts", "4", "--repeats", "1"])
    figures = json.loads(capsys.readouterr().out)
    for workload in ("sentences", "reviews"):
        speeds = figures[f"{workload}: texts a second"]
        assert list(speeds) == ["plain", "pipeline", "pipeline, its own tokens"]
        share = figures[f"{workload}: speed of plain (the aim: 0.7)"]["pipeline"]
        assert share == pytest.approx(speeds["pipeline"] / speeds["plain"])
